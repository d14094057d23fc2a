/** The error that whoever asked gets for a message that was refused. */
import { errorCodes, StarfishError } from '../../../messages/errors.ts'
import type { Envelope, Refusal } from '../../../messages/thread/envelope.ts'

/** Names the address and the event type; `handled` is `'no'`, for a refused message never reached its handler. */
export function createRefusalError(message: Envelope, reason: Refusal, cause?: unknown): StarfishError {
  const { to, event } = message
  return new StarfishError(reason, `${event.type} to ${to} was refused: ${errorCodes[reason].meaning}`, {
    details: { address: to, eventType: event.type },
    handled: 'no',
    cause,
  })
}
