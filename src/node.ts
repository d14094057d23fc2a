/**
 * A node: a system and the servers that run on it. What `starfish up` starts.
 */

import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { datagramShards } from './actors/datagram/config.ts'
import { isStarfishError, StarfishError } from './messages/errors.ts'
import { addressText } from './messages/host.ts'
import { sqliteLogEngine } from './protocols/message-log/engine/sqlite/sqlite-log-engine.ts'
import type { NodeOptions, RunningNode } from './running-node.ts'
import { createEventServer } from './services/event-server.ts'
import type { FrameServer, ServerAddress } from './services/frame-server.ts'
import { createLogServer } from './services/log-server.ts'
import { createSystem } from './supervisor/system.ts'

/**
 * Starts a node. Rejects with what its servers reject with: PORT_IN_USE and LISTEN_FAILED name host and port, STORAGE_FAILED the
 * folder.
 */
export async function runNode({ host, port, logPort, data, shards, logger }: NodeOptions): Promise<RunningNode> {
  const system = await createSystem({ shards: shards ?? Math.max(2, availableParallelism()), logger })
  try {
    const events = createEventServer(system, { host, port })
    const address = textOf(await events.start())
    const logFile = resolve(data, 'log.db')
    const engine = sqliteLogEngine.with({ path: logFile })
    const log = createLogServer(system, { host, port: logPort, engine })
    const logAddress = await log.start().catch(error => {
      throw namingFolder(error, data)
    })
    const failed = Promise.race([
      system.failed,
      events.failed.then(exit => new Error(`the event server ended: ${exit.reason.type}`)),
      log.failed.then(exit => new Error(`the log server ended: ${exit.reason.type}`)),
    ])
    return {
      listening: [
        { name: 'events (TCP)', address, accept: acceptTexts[events.accept] },
        { name: 'events (UDP)', address, accept: datagramText(system.shards) },
        { name: 'message log', address: textOf(logAddress), accept: acceptTexts[log.accept] },
      ],
      logFile,
      shards: system.shards,
      hints: hintsFor(events),
      failed,
      // The servers first, so that all their shards drain at once.
      stop: async () => {
        await Promise.all([events.stop(), log.stop()])
        await system.stop()
      },
    }
  } catch (error) {
    await system.stop()
    throw error
  }
}

function textOf({ host, port }: ServerAddress): string {
  return addressText(host, port)
}

/** The error of a store that another node has open, in words that say what to do. */
function namingFolder(error: unknown, folder: string): unknown {
  if (!isStarfishError(error, 'STORAGE_FAILED') || error.details['reason'] !== 'busy') return error
  const text = `another node has the folder ${folder} open: stop it, or choose another folder with --data`
  return new StarfishError('STORAGE_FAILED', text, { details: { ...error.details, folder }, cause: error })
}

const acceptTexts = {
  reusePort: 'every shard accepts (reusePort)',
  handoff: 'the main thread accepts for the shards (handoff)',
}

function datagramText(shards: number): string {
  const { length } = datagramShards(shards, process.platform)
  return length > 1 ? 'every shard has a socket (reusePort)' : 'the first shard has the socket'
}

/**
 * Linux resets the connects that wait at a `reusePort` listener that closes, unless it is set otherwise; a node cannot set
 * it itself.
 */
function hintsFor({ accept }: FrameServer): readonly string[] {
  const setting = 'net.ipv4.tcp_migrate_req'
  if (accept !== 'reusePort' || readSetting(setting) !== '0') return []
  return [
    'When a shard is replaced, clients that are connecting to it in that moment are reset and have to connect again. ' +
      `"sudo sysctl -w ${setting}=1" has Linux give them to another shard instead; all else works without it.`,
  ]
}

/** What the kernel is set to; undefined where it has no such setting, as outside of Linux. */
function readSetting(setting: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${setting.replaceAll('.', '/')}`, 'utf8').trim()
  } catch {
    return undefined
  }
}
