/**
 * A node: a system and the servers that run on it. What `starfish up` starts.
 */

import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { Logger } from './logger.ts'
import type { NodeOptions, RunningNode } from './running-node.ts'
import { createEventServer } from './services/event-server.ts'
import { createSystem } from './supervisor/system.ts'

/** Starts a node. Rejects with what its servers reject with: PORT_IN_USE and LISTEN_FAILED name host and port. */
export async function runNode({ host, port, shards, logger }: NodeOptions): Promise<RunningNode> {
  const system = await createSystem({ shards: shards ?? Math.max(2, availableParallelism()), logger })
  try {
    const events = createEventServer(system, { host, port })
    const address = await events.start()
    if (system.shards > 1) warnOfResets(logger)
    const failed = Promise.race([
      system.failed,
      events.failed.then(exit => new Error(`the event server ended: ${exit.reason.type}`)),
    ])
    return {
      listening: [{ name: 'events (TCP)', address: `${address.host}:${address.port}` }],
      failed,
      stop: () => system.stop(),
    }
  } catch (error) {
    await system.stop()
    throw error
  }
}

/** On Linux a closing `reusePort` listener resets the connects in its queue unless this is set: said once at start. */
function warnOfResets(logger: Logger): void {
  const setting = 'net.ipv4.tcp_migrate_req'
  try {
    if (readFileSync(`/proc/sys/${setting.replaceAll('.', '/')}`, 'utf8').trim() !== '0') return
  } catch {
    return
  }
  logger.info(`${setting} is 0: connects that wait in the queue of a shard are reset when the shard is replaced`)
}
