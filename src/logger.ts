/**
 * Logs: pino JSON on stderr, or lines for people when a person reads along.
 */
import { type Level, type Logger, pino } from 'pino'
import { build as createPretty } from 'pino-pretty'

export type { Logger } from 'pino'

/** Options of {@link createLogger}; each has a default. */
export interface LoggerOptions {
  /** Least level that is written. Default `info`. */
  readonly level?: Level | 'silent'
  /** Lines for people instead of JSON. Default: whether stderr is a terminal. */
  readonly pretty?: boolean
  /** File descriptor to write to. Default 2, stderr. */
  readonly fd?: number
}

/** Creates a logger that writes at once, so that the last lines before an end are kept. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = 'info', pretty = process.stderr.isTTY === true, fd = 2 } = options
  const stream = pretty
    ? createPretty({ destination: fd, sync: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' })
    : pino.destination({ fd, sync: true })
  return pino({ level }, stream)
}
