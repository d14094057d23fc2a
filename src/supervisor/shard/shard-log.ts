/**
 * The log of a shard: its lines are posted one by one, so that a dying worker's last words are kept, and written by the
 * user's logger on the main thread, errors included as the errors they are.
 */
import { createRequire } from 'node:module'
import type { MessagePort } from 'node:worker_threads'
import type { Logger } from 'pino'
import { decodeError, encodeError } from '../../messages/error-codec.ts'
import type { KernelLogger } from '../kernel/kernel-log.ts'

/**
 * The logger of a shard, whose lines {@link relog} takes at the other end of `port`. It is made when it is first used, by
 * {@link loadPino}: a worker that replaces a lost one is waited for, and seldom has anything to say.
 */
export function createShardLogger(shard: number, level: string, port: MessagePort): KernelLogger {
  let made: Logger | undefined
  function logger(): Logger {
    const options = { level, base: null, serializers: { err: encodeError } }
    made ??= loadPino()(options, { write: line => port.postMessage(line) }).child({ shard })
    return made
  }
  return {
    child: (bindings, options) => logger().child(bindings, options),
    isLevelEnabled: level => logger().isLevelEnabled(level),
    get info() {
      return logger().info.bind(logger())
    },
    get warn() {
      return logger().warn.bind(logger())
    },
    get error() {
      return logger().error.bind(logger())
    },
  }
}

/** Loads pino, if this thread has not: for 15 to 20 ms of processor time. */
export function loadPino(): typeof import('pino').pino {
  const { pino }: typeof import('pino') = createRequire(import.meta.url)('pino')
  return pino
}

/** Hands a line of a shard's log to the user's logger, with the time at which it was written. */
export function relog(logger: Logger, line: string): void {
  const { level, msg, time, ...fields } = JSON.parse(line)
  if (fields.err !== undefined) fields.err = decodeError(fields.err)
  const method = logger.levels.labels[level] as 'info' | undefined
  logger[method ?? 'info']({ ...fields, loggedAtMs: time }, msg)
}
