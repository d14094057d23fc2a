/**
 * A response of the log protocol. Big-endian.
 *
 * | offset | field     | size                             |
 * |--------|-----------|----------------------------------|
 * | 0      | length    | u32, all bytes after itself      |
 * | 4      | requestId | u64, the request's               |
 * | 12     | status    | u8, see `logStatus`              |
 * | 13     | errorCode | u16, see `logError`              |
 * | 15     | payload   | length - 15                      |
 * |        | crc       | u32, CRC-32 of everything before |
 *
 * The payload is that of the operation of the request, or a text (UTF-8) with status error. As frames of a stream responses
 * have a header of 15 bytes and a body that is payload and checksum.
 */
import { StarfishError } from '../errors.ts'
import { checkField } from '../wire/check-field.ts'
import type { KnownSum } from '../wire/crc32-join.ts'
import { STOP } from '../wire/frame-decoder.ts'
import { readI32, readU16, readU32, readU64, writeU16, writeU32, writeU64 } from '../wire/in-place.ts'
import { LOG_CRC_BYTES, LOG_FRAME_BYTES_MAX, LOG_RESPONSE_HEADER_BYTES, logError, logStatus } from './codes.ts'
import { isLogFrameIntact, judgeLength, LOG_LENGTH_BYTES, sealLogFrame } from './frame.ts'
import type { LogOperation, LogOutcome, LogQuestion } from './operation.ts'
import { PayloadReader } from './payload-reader.ts'
import { logRequestAt } from './request.ts'

/** Offsets of the fields, for clients that read them in place. */
export const logResponseAt = { length: 0, requestId: 4, status: 12, errorCode: 13, payload: 15 } as const

const frameBytesBesidePayload = LOG_RESPONSE_HEADER_BYTES + LOG_CRC_BYTES

/** How much longer the Fetch response with a message is than the shortest Produce that brought it. */
const fetchOverProduceBytes = 15

/** What the length of a Fetch response counts beside `(offset u64 | message)*`. */
const fetchBytesBesideEntries = 31

/** The most bytes of `(offset u64 | message)*` that fit a response to a client whose limit is `lengthMax`. */
export function fetchBytesMax(lengthMax: number): number {
  return lengthMax + fetchOverProduceBytes - fetchBytesBesideEntries
}

/** Bytes of the frame of an answer; `BAD_FRAME` when it cannot be written. */
export function logAnswerBytes<TAnswer>(operation: LogOperation<unknown, TAnswer, unknown>, answer: TAnswer): number {
  return frameBytesBesidePayload + operation.answerBytes(answer)
}

/**
 * Writes an answer whose frame {@link logAnswerBytes} has measured, to the request whose header is at `request[requestAt]`:
 * its id is copied as it is, any u64. `target` has `frameBytes` at `at`.
 */
export function writeLogAnswer<TAnswer>(
  target: Buffer,
  at: number,
  frameBytes: number,
  operation: LogOperation<unknown, TAnswer, unknown>,
  request: Buffer,
  requestAt: number,
  answer: TAnswer,
): void {
  copyRequestId(target, at, request, requestAt)
  writeAnswer(target, at, frameBytes, operation, answer)
}

/** Bytes of the frame of an error. */
export function logErrorBytes(text: string): number {
  return frameBytesBesidePayload + Buffer.byteLength(text)
}

/** Writes an error, as {@link writeLogAnswer} does an answer. */
export function writeLogError(
  target: Buffer,
  at: number,
  frameBytes: number,
  request: Buffer,
  requestAt: number,
  errorCode: number,
  text: string,
): void {
  copyRequestId(target, at, request, requestAt)
  writeError(target, at, frameBytes, errorCode, text)
}

/** Encodes an answer; `BAD_FRAME` when a field does not fit. */
export function encodeLogResponse<TAnswer>(
  operation: LogOperation<unknown, TAnswer, unknown>,
  requestId: number,
  answer: TAnswer,
): Buffer {
  const bytes = responseBuffer(logAnswerBytes(operation, answer), requestId)
  writeAnswer(bytes, 0, bytes.length, operation, answer)
  return bytes
}

/** Encodes an error; `BAD_FRAME` for the code `none` and others that are none. */
export function encodeLogError(requestId: number, errorCode: number, text: string): Buffer {
  checkField('log response', 'errorCode', errorCode, 0xffff, 1)
  const bytes = responseBuffer(logErrorBytes(text), requestId)
  writeError(bytes, 0, bytes.length, errorCode, text)
  return bytes
}

function responseBuffer(frameBytes: number, requestId: number): Buffer {
  const bytes = Buffer.allocUnsafe(frameBytes)
  writeU64(bytes, logResponseAt.requestId, checkField('log response', 'requestId', requestId, Number.MAX_SAFE_INTEGER))
  return bytes
}

function copyRequestId(target: Buffer, at: number, request: Buffer, requestAt: number): void {
  const from = requestAt + logRequestAt.requestId
  const to = at + logResponseAt.requestId
  writeU32(target, to, readI32(request, from))
  writeU32(target, to + 4, readI32(request, from + 4))
}

function writeAnswer<TAnswer>(
  target: Buffer,
  at: number,
  frameBytes: number,
  operation: LogOperation<unknown, TAnswer, unknown>,
  answer: TAnswer,
): void {
  const { status, errorCode } = operation.outcomeOf(answer)
  const payloadAt = at + logResponseAt.payload
  operation.writeAnswer(target, payloadAt, answer)
  writeFrame(target, at, frameBytes, status, errorCode, operation.knownSums?.(payloadAt, answer))
}

function writeError(target: Buffer, at: number, frameBytes: number, errorCode: number, text: string): void {
  target.write(text, at + logResponseAt.payload)
  writeFrame(target, at, frameBytes, logStatus.error, errorCode)
}

/** Writes what is around id and payload, which stand. */
function writeFrame(
  target: Buffer,
  at: number,
  frameBytes: number,
  status: number,
  errorCode: number,
  known?: readonly KnownSum[],
): void {
  writeU32(target, at, frameBytes - LOG_LENGTH_BYTES)
  target[at + logResponseAt.status] = status
  writeU16(target, at + logResponseAt.errorCode, errorCode)
  sealLogFrame(target, at, at + frameBytes, known)
}

/**
 * Judges the header at `bytes[at]`, of which {@link LOG_RESPONSE_HEADER_BYTES} are there: the bytes of the body to wait for, or
 * `STOP` when the declared length is under 15 or too long. With the limit of the server as `lengthMax` every message that
 * was produced can be fetched: 15 bytes more are taken.
 */
export function judgeLogResponseHeader(bytes: Buffer, at: number, lengthMax: number): number {
  return judgeLength(bytes, at, LOG_RESPONSE_HEADER_BYTES, lengthMax + fetchOverProduceBytes)
}

/** The length that the response at `bytes[at]` declares. */
export function readLogResponseLength(bytes: Buffer, at: number): number {
  return readU32(bytes, at + logResponseAt.length)
}

/** The id of the response at `bytes[at]`: exact up to 2^53 - 1, else a greater number that no client has given. */
export function readLogResponseId(bytes: Buffer, at: number): number {
  return readU64(bytes, at + logResponseAt.requestId)
}

/** A response that is no error. */
export interface LogSuccess<TResponse> extends LogOutcome {
  readonly ok: true
  /** Bodies in it are views of the bytes it was read from. */
  readonly response: TResponse
}

/** A response that is an error. */
export interface LogFailure {
  readonly ok: false
  /** One of `logError`; a newer server may know more. */
  readonly errorCode: number
  readonly text: string
}

const reader = new PayloadReader()

/**
 * Reads the response at `bytes[at]` whose header was accepted with `bodyBytes`, to a request of `operation`, in place.
 * `BAD_FRAME`, with field and offset in the payload, when it does not follow the grammar or its checksum is wrong.
 */
export function readLogResponse<TResponse>(
  operation: LogQuestion<unknown, TResponse>,
  bytes: Buffer,
  at: number,
  bodyBytes: number,
): LogSuccess<TResponse> | LogFailure {
  const end = at + LOG_RESPONSE_HEADER_BYTES + bodyBytes
  if (!isLogFrameIntact(bytes, at, end)) throw badFrame(operation.name, 'crc', 'the checksum is wrong')
  const status = bytes[at + logResponseAt.status]!
  const errorCode = readU16(bytes, at + logResponseAt.errorCode)
  const payloadAt = at + logResponseAt.payload
  const payloadEnd = end - LOG_CRC_BYTES
  if ((status === logStatus.ok) !== (errorCode === logError.none)) {
    throw badFrame(operation.name, 'errorCode', `error code ${errorCode} with status ${status}`)
  }
  if (status === logStatus.error) return { ok: false, errorCode, text: bytes.toString('utf8', payloadAt, payloadEnd) }
  if (status !== logStatus.ok && !(status === logStatus.partial && operation.isPartial)) {
    throw badFrame(operation.name, 'status', `status ${status}`)
  }
  reader.move(bytes, payloadAt, payloadEnd)
  const response = operation.readResponse(reader, { status, errorCode })
  reader.finish()
  const { fault } = reader
  if (fault !== undefined) throw badFrame(operation.name, fault.field, fault.text, fault.offset)
  return { ok: true, status, errorCode, response }
}

/** A response with its id. */
export type DecodedLogResponse<TResponse> = (LogSuccess<TResponse> | LogFailure) & { readonly requestId: number }

/** Decodes exactly one response to a request of `operation`; `BAD_FRAME` as {@link readLogResponse}. */
export function decodeLogResponse<TResponse>(
  operation: LogQuestion<unknown, TResponse>,
  bytes: Uint8Array,
): DecodedLogResponse<TResponse> {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const bodyBytes =
    frame.length < LOG_RESPONSE_HEADER_BYTES ? STOP : judgeLogResponseHeader(frame, 0, LOG_FRAME_BYTES_MAX)
  if (LOG_RESPONSE_HEADER_BYTES + bodyBytes !== frame.length) {
    throw badFrame(operation.name, 'length', `${frame.length} bytes are not one frame`)
  }
  const requestId = readLogResponseId(frame, 0)
  if (requestId > Number.MAX_SAFE_INTEGER) throw badFrame(operation.name, 'requestId', 'requestId is above 2^53 - 1')
  return { requestId, ...readLogResponse(operation, frame, 0, bodyBytes) }
}

function badFrame(name: string, field: string, text: string, offset?: number): StarfishError {
  const message = `${name} response`
  const details = { message, field, ...(offset === undefined ? {} : { offset }) }
  return new StarfishError('BAD_FRAME', `${message}: ${text}`, { details })
}
