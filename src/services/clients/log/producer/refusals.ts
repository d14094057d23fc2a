/** The errors of sends of which nothing was stored. */
import { type ErrorCode, isStarfishError, StarfishError } from '../../../../messages/errors.ts'

/** It was not sent. */
export function refusal(code: ErrorCode, why: string, cause?: unknown): StarfishError {
  return new StarfishError(code, `the messages were not sent: ${why}`, { handled: 'no', cause })
}

/** Whatever became of a request for topics, no message was sent. */
export function notStored(error: unknown): StarfishError {
  if (!isStarfishError(error)) throw error
  const { code, message, details, cause } = error
  return new StarfishError(code, message, { details, handled: 'no', cause })
}
