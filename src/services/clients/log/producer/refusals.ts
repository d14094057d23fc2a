/** The errors of sends of which nothing was stored. */
import { type ErrorCode, isStarfishError, StarfishError } from '../../../../messages/errors.ts'
import { besideMessageBytes } from './producer-options.ts'

/** It was not sent. */
export function refusal(code: ErrorCode, why: string, cause?: unknown): StarfishError {
  return new StarfishError(code, `the messages were not sent: ${why}`, { handled: 'no', cause })
}

/** A message has so many bytes, and no request of the client has room for it. */
export function messageTooLarge(bytes: number, frameBytesMax: number): StarfishError {
  const limit = `more than ${frameBytesMax - besideMessageBytes}: frameBytesMax of the client is ${frameBytesMax}`
  return refusal('REQUEST_REFUSED', `a message has ${bytes} bytes, ${limit}`)
}

/** The message at `at` names a partition that its topic does not have. */
export function partitionMissing(topic: string, partition: number, at: number): StarfishError {
  const option = `messages[${at}].partition`
  const text = `the messages were not sent: ${option} is ${partition}, which topic ${topic} does not have`
  return new StarfishError('PARTITION_NOT_FOUND', text, { details: { topic, partition, option }, handled: 'no' })
}

/** Whatever became of a request for topics, no message was sent. */
export function notStored(error: unknown): StarfishError {
  if (!isStarfishError(error)) throw error
  const { code, message, details, cause } = error
  return new StarfishError(code, message, { details, handled: 'no', cause })
}
