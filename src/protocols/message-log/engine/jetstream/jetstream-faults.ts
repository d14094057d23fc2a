/** What NATS says of a failure, in the words of log engines. */
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream'
import { type Handled, isStarfishError, StarfishError } from '../../../../messages/errors.ts'
import type { StorageFault } from '../contract.ts'
import { storageFailed } from '../engine-errors.ts'

/**
 * By the code of the error.
 * @see https://github.com/nats-io/nats-server/blob/main/server/errors.json
 */
const faultOfCode: Readonly<Record<number, StorageFault>> = {
  10002: 'full',
  10023: 'full',
  10028: 'full',
  10047: 'full',
  10054: 'full',
  10077: 'full',
  10110: 'full',
}

/** Another has written meanwhile: wrong last message id, wrong last sequence. */
const conflictCodes: ReadonlySet<number> = new Set([10_070, 10_071, 10_164])

/** An error of JetStream as it answers a publish. */
export interface PublishFault {
  readonly err_code: number
  readonly description: string
}

/** No server takes what is published there. */
export const unheard: PublishFault = { err_code: 0, description: 'no stream takes the message' }

/** Whether a publish was refused because the end of its stream is another than expected. */
export function isConflict({ err_code }: PublishFault): boolean {
  return conflictCodes.has(err_code)
}

/** Whether nobody took the message: JetStream tells of a stream before it takes messages for it, and while it has no leader. */
export function isUnheard({ err_code }: PublishFault): boolean {
  return err_code === unheard.err_code
}

/** Whether there is no such stream. */
export function isStreamNotFound(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound
}

/** What a refused publish means: it was not stored. */
export function publishRefused({ err_code, description }: PublishFault, store: string): StarfishError {
  return storageFailed(faultOfCode[err_code] ?? 'io', store, description, 'no')
}

/** `STORAGE_FAILED` for what a call to NATS threw; an error of Starfish as it is. */
export function jetstreamFault(error: unknown, store: string, handled: Handled): StarfishError {
  if (isStarfishError(error)) return error
  const { name, message = String(error) } = error as { name?: string; message?: string }
  if (error instanceof JetStreamApiError)
    return storageFailed(faultOfCode[error.code] ?? 'io', store, message, handled, error)
  if (name === 'JetStreamNotEnabled')
    return storageFailed('io', store, 'JetStream does not answer: start nats-server with -js', handled, error)
  if (name === 'TimeoutError') return storageFailed('io', store, 'JetStream did not answer in time', handled, error)
  return storageFailed('io', store, message, handled, error)
}

/** The same for what may have been stored before it failed; that there is no such partition stays as it is. */
export function outcomeUnknown(error: StarfishError): StarfishError {
  if (error.code !== 'STORAGE_FAILED') return error
  return new StarfishError(error.code, error.message, { details: error.details, handled: 'unknown', cause: error })
}

/** What everything is refused with while NATS cannot be reached. */
export function disconnected(store: string, handled: Handled): StarfishError {
  return storageFailed('io', store, 'the connection to NATS is lost', handled)
}
