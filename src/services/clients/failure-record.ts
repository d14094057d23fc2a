/** What failed last, for whoever looks at the figures of a client. */
import type { ErrorCode, StarfishError } from '../../messages/errors.ts'

/** A failure, and when it was. */
export interface FailureRecord {
  readonly code: ErrorCode
  readonly message: string
  /** Milliseconds since the epoch. */
  readonly atMs: number
}

/** The record of an error. */
export function recordFailure({ code, message }: StarfishError, atMs: number): FailureRecord {
  return { code, message, atMs }
}
