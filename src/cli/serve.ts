/**
 * The node process of `starfish up`: starts the node, says where it listens, and stops it when told to.
 */
import { isatty } from 'node:tty'
import type { HeartTie } from '../heart/node-side.ts'
import { createLogger } from '../logger.ts'
import { isStarfishError } from '../messages/errors.ts'
import type { RunNode, RunningNode } from '../running-node.ts'
import { announce } from './announcement.ts'
import type { StopSignals } from './stop-signals.ts'
import type { UpOptions } from './up-options.ts'

/** What {@link serve} is handed. */
export interface ServeOptions {
  readonly up: UpOptions
  readonly version: string
  /** Missing when the node runs bare. */
  readonly tie: HeartTie | undefined
  readonly signals: StopSignals
  /** How long a stop may take before the process is killed, ms. */
  readonly stopLimitMs: number
  readonly loadNode: () => Promise<RunNode>
}

/** Runs a node in this process until it is stopped (0) or fails (1); settles with the exit code. */
export async function serve({ up, version, tie, signals, stopLimitMs, loadNode }: ServeOptions): Promise<number> {
  const logger = createLogger()
  // Whoever read along may be gone before the node is.
  process.stdout.on('error', () => {})
  process.on('uncaughtException', error => process.exit(fail(error)))
  try {
    const node = await start()
    if (node === undefined) return 1
    if (!signals.isAsked) present(node)
    tie?.ready()
    return await Promise.race([signals.asked.then(signal => stop(node, signal)), node.failed.then(fail)])
  } catch (error) {
    return fail(error)
  }

  /** What keeps a node from starting is mostly for its user to mend: told in one line that needs no stack. */
  async function start(): Promise<RunningNode | undefined> {
    const { host, port, logPort, data, shards } = up
    const runNode = await loadNode()
    try {
      return await runNode({ host, port, logPort, data, logger, ...(shards === undefined ? {} : { shards }) })
    } catch (error) {
      if (!isStarfishError(error)) throw error
      process.stderr.write(`starfish: ${error.message}\n`)
      return undefined
    }
  }

  function present(node: RunningNode): void {
    const parentPid = tie === undefined ? undefined : process.ppid
    process.stdout.write(announce(node, version, { pid: process.pid, parentPid }))
    const { listening, shards, hints } = node
    // Whoever reads JSON has no eyes for the lines above.
    if (!isatty(2)) logger.info({ version, listening, shards, parentPid }, 'the node is up')
    for (const hint of hints) logger.info(hint)
  }

  async function stop(node: RunningNode, signal: NodeJS.Signals): Promise<number> {
    logger.info({ signal }, 'the node stops: it answers what has been received; a second SIGINT ends it at once')
    setTimeout(() => {
      logger.fatal({ stopLimitMs }, 'the node does not end, it is killed')
      // Nothing less is sure to end a process one of whose threads is stuck.
      process.kill(process.pid, 'SIGKILL')
    }, stopLimitMs)
    await node.stop()
    logger.info({ signal }, 'the node has stopped')
    return 0
  }

  function fail(error: unknown): number {
    logger.fatal({ err: error }, 'the node failed')
    return 1
  }
}
