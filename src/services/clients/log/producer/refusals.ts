/** The errors of sends of which nothing was stored. */
import { type ErrorCode, isStarfishError, StarfishError } from '../../../../messages/errors.ts'

/** It was not sent. */
export function refusal(code: ErrorCode, why: string, cause?: unknown): StarfishError {
  return new StarfishError(code, `the messages were not sent: ${why}`, { handled: 'no', cause })
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
