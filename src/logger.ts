/**
 * Logs: pino JSON on stderr, or lines for people when a person reads along.
 */
import { createRequire } from 'node:module'
import { isatty } from 'node:tty'
import { type Level, type Logger, pino } from 'pino'

export type { Logger } from 'pino'

/** Options of {@link createLogger}; each has a default. */
export interface LoggerOptions {
  /** Least level that is written. Default `info`. */
  readonly level?: Level | 'silent'
  /** Lines for people instead of JSON. Default: whether `fd` is a terminal. Coloured where it shows colours. */
  readonly pretty?: boolean
  /** File descriptor to write to. Default 2, stderr. */
  readonly fd?: number
}

/** What is kept of lines that cannot be written for now, in bytes; beyond it they are lost. */
const heldBytesMax = 1_048_576

/**
 * Creates a logger that writes at once, so that the last lines before an end are kept. One that cannot write, since the
 * disk is full or the terminal is gone, keeps that to itself.
 */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = 'info', fd = 2, pretty = isatty(fd) } = options
  const out = pino.destination({ fd, sync: true, maxLength: heldBytesMax })
  out.on('error', () => {})
  if (!pretty) return pino({ level }, out)
  // Three dozen modules that nobody else needs.
  const { prettyFactory }: typeof import('pino-pretty') = createRequire(import.meta.url)('pino-pretty')
  const format = prettyFactory({
    colorize: showsColours(fd),
    ignore: 'pid,hostname',
    translateTime: 'HH:MM:ss.l',
  })
  return pino({ level }, { write: line => void out.write(format(line)) })
}

/** Whether colours are wanted there: on a terminal that has them, unless NO_COLOR or its like is set. */
function showsColours(fd: number): boolean {
  const stream = fd === 1 ? process.stdout : process.stderr
  return isatty(fd) && stream.hasColors?.() === true
}
