/**
 * The log of a shard: its lines are posted one by one, so that a dying worker's last words are kept, and written by the
 * user's logger on the main thread, errors included as the errors they are.
 */
import type { MessagePort } from 'node:worker_threads'
import { type Logger, pino } from 'pino'
import { decodeError, encodeError } from '../../messages/error-codec.ts'

/** The logger of a shard, whose lines {@link relog} takes at the other end of `port`. */
export function createShardLogger(level: string, port: MessagePort): Logger {
  const options = { level, base: null, serializers: { err: encodeError } }
  return pino(options, { write: line => port.postMessage(line) })
}

/** Hands a line of a shard's log to the user's logger, with the time at which it was written. */
export function relog(logger: Logger, line: string): void {
  const { level, msg, time, ...fields } = JSON.parse(line)
  if (fields.err !== undefined) fields.err = decodeError(fields.err)
  const method = logger.levels.labels[level] as 'info' | undefined
  logger[method ?? 'info']({ ...fields, loggedAtMs: time }, msg)
}
