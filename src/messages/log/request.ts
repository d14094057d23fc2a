/**
 * A request of the log protocol. Big-endian.
 *
 * | offset | field     | size                                     |
 * |--------|-----------|------------------------------------------|
 * | 0      | length    | u32, all bytes after itself              |
 * | 4      | requestId | u64                                      |
 * | 12     | type      | u8, see `logType`                        |
 * | 13     | version   | u8                                       |
 * | 14     | flags     | u16, see `logFlag`                       |
 * | 16     | payload   | length - 16                              |
 * |        | crc       | u32, CRC-32 of everything before         |
 *
 * As frames of a stream (`FrameSink` of wire/frame-decoder.ts) requests have a header of 16 bytes and a body that is payload and
 * checksum. Nothing but the length is believed before the checksum was found right, so a request whose type is unknown is read
 * whole as well.
 */
import { StarfishError } from '../errors.ts'
import { checkField } from '../wire/check-field.ts'
import { STOP } from '../wire/frame-decoder.ts'
import { readU16, readU64, writeU16, writeU32, writeU64 } from '../wire/in-place.ts'
import { LOG_CRC_BYTES, LOG_FRAME_BYTES_MAX, LOG_REQUEST_HEADER_BYTES, type LogErrorCode, logError } from './codes.ts'
import { isLogFrameIntact, judgeLength, LOG_LENGTH_BYTES, sealLogFrame } from './frame.ts'
import type { AnyLogOperation, LogQuestion } from './operation.ts'
import { type LogOperations, logOperationsV1 } from './operations.ts'
import { PayloadReader } from './payload-reader.ts'

/** Offsets of the fields, for servers that read them in place. */
export const logRequestAt = { length: 0, requestId: 4, type: 12, version: 13, flags: 14, payload: 16 } as const

const frameBytesBesidePayload = LOG_REQUEST_HEADER_BYTES + LOG_CRC_BYTES

/** Bytes of the frame of a request; `BAD_FRAME` when the request cannot be written, or is above `lengthMax`. */
export function logRequestBytes<TRequest>(
  operation: LogQuestion<TRequest, unknown>,
  request: TRequest,
  lengthMax = LOG_FRAME_BYTES_MAX,
): number {
  const frameBytes = frameBytesBesidePayload + operation.requestBytes(request)
  const length = frameBytes - LOG_LENGTH_BYTES
  // Its text is made only when there is somebody to read it.
  if (length > lengthMax) checkField(`${operation.name} request`, 'length', length, lengthMax)
  return frameBytes
}

/** Writes a request whose frame {@link logRequestBytes} has measured: `target` has `frameBytes` at `at`. */
export function writeLogRequest<TRequest>(
  target: Buffer,
  at: number,
  frameBytes: number,
  operation: LogQuestion<TRequest, unknown>,
  requestId: number,
  request: TRequest,
): void {
  writeU32(target, at, frameBytes - LOG_LENGTH_BYTES)
  writeU64(target, at + logRequestAt.requestId, requestId)
  target[at + logRequestAt.type] = operation.type
  target[at + logRequestAt.version] = operation.version
  writeU16(target, at + logRequestAt.flags, operation.flagsOf(request))
  operation.writeRequest(target, at + logRequestAt.payload, request)
  sealLogFrame(target, at, at + frameBytes)
}

/** Encodes a request, `requestId` up to 2^53 - 1; `BAD_FRAME` when a field does not fit or the frame is above 16 MiB. */
export function encodeLogRequest<TRequest>(
  operation: LogQuestion<TRequest, unknown>,
  requestId: number,
  request: TRequest,
): Buffer {
  checkField(`${operation.name} request`, 'requestId', requestId, Number.MAX_SAFE_INTEGER)
  const bytes = Buffer.allocUnsafe(logRequestBytes(operation, request))
  writeLogRequest(bytes, 0, bytes.length, operation, requestId, request)
  return bytes
}

/**
 * Judges the header at `bytes[at]`, of which {@link LOG_REQUEST_HEADER_BYTES} are there: the bytes of the body to wait for, or
 * `STOP` when the declared length is under 16 or above `lengthMax`.
 */
export function judgeLogRequestHeader(bytes: Buffer, at: number, lengthMax: number): number {
  return judgeLength(bytes, at, LOG_REQUEST_HEADER_BYTES, lengthMax)
}

/** Why a request is not served. */
export interface LogRequestFault {
  readonly errorCode: LogErrorCode
  /** The payload of the answer. */
  readonly text: string
  /** The connection ends after the answer. */
  readonly closes: boolean
}

const corrupt: LogRequestFault = {
  errorCode: logError.corruptMessage,
  text: 'the checksum of the request is wrong',
  closes: true,
}

/** Reads whole requests, one after the other, in place. Its fields are those of the last one, as long as its bytes are there. */
export class LogRequestDecoder {
  /** Set after a request without a fault. */
  declare operation: AnyLogOperation
  /** What the operation's `readRequest` made of it. */
  request: unknown
  readonly #operations: LogOperations
  readonly #reader = new PayloadReader()

  constructor(operations: LogOperations) {
    this.#operations = operations
  }

  /** Reads the request at `bytes[at]` whose header was accepted with `bodyBytes`. Undefined: it can be served. */
  decode(bytes: Buffer, at: number, bodyBytes: number): LogRequestFault | undefined {
    const end = at + LOG_REQUEST_HEADER_BYTES + bodyBytes
    if (!isLogFrameIntact(bytes, at, end)) return corrupt
    const type = bytes[at + logRequestAt.type]!
    const version = bytes[at + logRequestAt.version]!
    const operation = this.#operations.find(type, version)
    if (operation === undefined) {
      const text = `there is no request of type ${type} in version ${version}`
      return { errorCode: logError.unknownRequest, text, closes: false }
    }
    const flags = readU16(bytes, at + logRequestAt.flags)
    const unknownFlags = flags & ~operation.flags
    if (unknownFlags !== 0) return invalid(operation, `flags 0x${unknownFlags.toString(16)} are not among its own`)
    const reader = this.#reader
    reader.move(bytes, at + logRequestAt.payload, end - LOG_CRC_BYTES)
    const request = operation.readRequest(reader, flags)
    reader.finish()
    if (reader.fault !== undefined) return invalid(operation, reader.fault.text)
    this.operation = operation
    this.request = request
    return undefined
  }
}

function invalid(operation: AnyLogOperation, text: string): LogRequestFault {
  return { errorCode: logError.invalidRequest, text: `${operation.name} request: ${text}`, closes: false }
}

/** A request, of whatever operation. */
export interface DecodedLogRequest {
  readonly requestId: number
  readonly operation: AnyLogOperation
  /** What `operation.readRequest` made of it. Bodies are views of the bytes it was read from. */
  readonly request: unknown
}

/**
 * Decodes exactly one request of the operations that are known, those of version 1 unless others are given. `BAD_FRAME`
 * says what is wrong; its `details.errorCode` is what a server would answer, and missing where it would only close.
 */
export function decodeLogRequest(bytes: Uint8Array, operations = logOperationsV1): DecodedLogRequest {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const bodyBytes =
    frame.length < LOG_REQUEST_HEADER_BYTES ? STOP : judgeLogRequestHeader(frame, 0, LOG_FRAME_BYTES_MAX)
  if (LOG_REQUEST_HEADER_BYTES + bodyBytes !== frame.length) throw badFrame(`${frame.length} bytes are not one frame`)
  const decoder = new LogRequestDecoder(operations)
  const fault = decoder.decode(frame, 0, bodyBytes)
  if (fault !== undefined) throw badFrame(fault.text, fault.errorCode)
  const requestId = readU64(frame, logRequestAt.requestId)
  if (requestId > Number.MAX_SAFE_INTEGER) throw badFrame('requestId is above 2^53 - 1')
  return { requestId, operation: decoder.operation, request: decoder.request }
}

function badFrame(text: string, errorCode?: LogErrorCode): StarfishError {
  const details = errorCode === undefined ? {} : { errorCode }
  return new StarfishError('BAD_FRAME', `log request: ${text}`, { details: { message: 'log request', ...details } })
}
