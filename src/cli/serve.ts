/**
 * The node process of `starfish up`: starts the node, says where it listens, and stops it when told to.
 */
import { isatty } from 'node:tty'
import type { HeartTie } from '../heart/node-side.ts'
import { createLogger, type Logger } from '../logger.ts'
import { isStarfishError } from '../messages/errors.ts'
import type { RunNode, RunningNode } from '../running-node.ts'
import { announce } from './announcement.ts'
import type { UpOptions } from './up-options.ts'

/** What {@link serve} is handed. */
export interface ServeOptions {
  readonly up: UpOptions
  readonly version: string
  /** Missing when the node runs bare. */
  readonly tie: HeartTie | undefined
  readonly loadNode: () => Promise<RunNode>
}

/** Runs a node in this process until it is stopped (0) or fails (1); settles with the exit code. */
export async function serve({ up, version, tie, loadNode }: ServeOptions): Promise<number> {
  const logger = createLogger()
  const stopAsked = untilAskedToStop()
  // Whoever read along may be gone before the node is.
  process.stdout.on('error', () => {})
  process.on('uncaughtException', error => process.exit(fail(error)))
  try {
    const node = await start()
    if (node === undefined) return 1
    const parentPid = tie === undefined ? undefined : process.ppid
    process.stdout.write(announce(node, version, { pid: process.pid, parentPid }))
    const { listening, shards } = node
    // Whoever reads JSON has no eyes for the lines above.
    if (!isatty(2)) logger.info({ version, listening, shards, parentPid }, 'the node is up')
    for (const hint of node.hints) logger.info(hint)
    tie?.ready()
    return await Promise.race([stopAsked.then(signal => stop(node, signal, logger)), node.failed.then(fail)])
  } catch (error) {
    return fail(error)
  }

  /** What keeps a node from starting is mostly for its user to mend: told in one line that needs no stack. */
  async function start(): Promise<RunningNode | undefined> {
    const { host, port, shards } = up
    const runNode = await loadNode()
    try {
      return await runNode({ host, port, logger, ...(shards === undefined ? {} : { shards }) })
    } catch (error) {
      if (!isStarfishError(error)) throw error
      process.stderr.write(`starfish: ${error.message}\n`)
      return undefined
    }
  }

  function fail(error: unknown): number {
    logger.fatal({ err: error }, 'the node failed')
    return 1
  }
}

async function stop(node: RunningNode, signal: NodeJS.Signals, logger: Logger): Promise<number> {
  logger.info({ signal }, 'the node stops: it answers what has been received; a second SIGINT ends it at once')
  await node.stop()
  return 0
}

/** Settles with the first signal that asks to stop; the second SIGINT ends the process at once. */
function untilAskedToStop(): Promise<NodeJS.Signals> {
  return new Promise(resolve => {
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, resolve)
    process.once('SIGINT', signal => {
      // Nobody listens now, so the system itself ends the process at the next one: `process.exit` would wait for workers.
      resolve(signal)
    })
  })
}
