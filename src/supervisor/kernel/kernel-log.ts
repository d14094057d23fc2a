/**
 * What a kernel itself says. Its log is the user's logger, and the errors in it are what users threw: neither may cost
 * the kernel anything, so errors are written as copies and a logger that throws is told of once.
 */
import type { Logger } from 'pino'
import { decodeError, encodeError } from '../../messages/error-codec.ts'

/** What of pino's logger a kernel uses. */
export type KernelLogger = Pick<Logger, 'child' | 'isLevelEnabled' | 'info' | 'warn' | 'error'>

/** Fields of a record; an error goes by the name that pino knows it by. */
export interface LogFields {
  readonly [field: string]: unknown
  readonly err?: unknown
}

/** Never throws. */
export interface KernelLog {
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

/** The log of a kernel, written to `logger`; errors as they were thrown to one that `takesThrown`. */
export function createKernelLog(logger: KernelLogger, takesThrown = false): KernelLog {
  let hasFailed = false

  function write(level: keyof KernelLog, fields: LogFields, message: string): void {
    try {
      if (!logger.isLevelEnabled(level)) return
      const isPlain = takesThrown || !('err' in fields)
      // Serializers mark an error and read its getters; a frozen one, or one of a hostile class, makes them throw.
      logger[level](isPlain ? fields : { ...fields, err: decodeError(encodeError(fields.err)) }, message)
    } catch (error) {
      if (!hasFailed) process.emitWarning(`the logger threw: ${String(error)}`, 'StarfishWarning')
      hasFailed = true
    }
  }

  return {
    info: (fields, message) => write('info', fields, message),
    warn: (fields, message) => write('warn', fields, message),
    error: (fields, message) => write('error', fields, message),
  }
}
