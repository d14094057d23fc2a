/** The check of what is to be written: a value that does not fit its field is refused by name, never truncated. */
import { StarfishError } from '../errors.ts'

/** The value, when it is an integer from `min` to `max`; else `BAD_FRAME` with message, field, value and limits. */
export function checkField(message: string, field: string, value: number, max: number, min = 0): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new StarfishError('BAD_FRAME', `${message}: ${field} must be an integer from ${min} to ${max}`, {
      details: { message, field, value: String(value), min, max },
    })
  }
  return value
}
