/** What an error code means to the one who asked: an error, and whether the request was handled. */
import { type ErrorCode, type Handled, StarfishError } from '../../../messages/errors.ts'
import { type LogErrorName, logError } from '../../../messages/log/codes.ts'
import type { LogFailure } from '../../../messages/log/response.ts'

interface Meaning {
  readonly code: ErrorCode
  readonly handled: Handled
}

const refused: Meaning = { code: 'REQUEST_REFUSED', handled: 'no' }
const failed: Meaning = { code: 'REQUEST_FAILED', handled: 'unknown' }

/** A code that is not here is one of a newer server: it may stand for anything. */
const meanings: Readonly<Record<LogErrorName, Meaning>> = {
  none: failed,
  unknownRequest: refused,
  invalidRequest: refused,
  offsetOutOfRange: { code: 'OFFSET_OUT_OF_RANGE', handled: 'no' },
  corruptMessage: { code: 'CONNECTION_LOST', handled: 'no' },
  partitionNotFound: { code: 'PARTITION_NOT_FOUND', handled: 'no' },
  requestTimeout: { code: 'SERVER_TIMEOUT', handled: 'unknown' },
  storageError: { code: 'STORAGE_FAILED', handled: 'unknown' },
  topicNotFound: { code: 'TOPIC_NOT_FOUND', handled: 'no' },
  topicExists: { code: 'TOPIC_EXISTS', handled: 'no' },
}

const names = new Map<number, LogErrorName>(
  Object.entries(logError).map(([name, code]) => [code, name as LogErrorName]),
)

/** The name of an error code; `unknown` for one of a newer server. */
export function logErrorName(errorCode: number): LogErrorName | 'unknown' {
  return names.get(errorCode) ?? 'unknown'
}

/** How the text of error 3 ends: see docs/log-protocol.md. */
const rangeForm = /offsets from (\d{1,16}) to its end (\d{1,16}), not \d+$/

/** What a text tells of the range that an offset is out of; nothing when it does not. */
function rangeIn(text: string): { readonly firstOffset?: number; readonly highWaterMark?: number } {
  const [, first, end] = rangeForm.exec(text) ?? []
  return end === undefined ? {} : { firstOffset: Number(first), highWaterMark: Number(end) }
}

/** How the text of error 7 ends when no other try mends it: see docs/log-protocol.md. */
const expiredForm = /sequence \d+ to partition \d+ is older than the answers that are kept of its producer$/

function isExpired(errorName: LogErrorName | 'unknown', text: string): boolean {
  return errorName === 'storageError' && expiredForm.test(text)
}

/**
 * The error of a response that is one. Its details carry the error code, by number and name, and what the server said; those of
 * OFFSET_OUT_OF_RANGE `firstOffset` and `highWaterMark` too, if it said so.
 */
export function logResponseError(
  { errorCode, text }: Pick<LogFailure, 'errorCode' | 'text'>,
  request: { describe(): string },
  server: string,
): StarfishError {
  const errorName = logErrorName(errorCode)
  const { code, handled } = errorName === 'unknown' || isExpired(errorName, text) ? failed : meanings[errorName]
  const said = text === '' ? '' : `: ${text}`
  const message = `${server} answered ${request.describe()} with error ${errorCode} (${errorName})${said}`
  const range = errorName === 'offsetOutOfRange' ? rangeIn(text) : {}
  return new StarfishError(code, message, { details: { server, errorCode, errorName, text, ...range }, handled })
}
