/**
 * A message of the log, version 1. Big-endian.
 *
 * | offset | field       | size                        |
 * |--------|-------------|-----------------------------|
 * | 0      | timestampMs | i64, since the epoch        |
 * | 8      | keyLen      | i32; -1: there is no key    |
 * | 12     | key         | keyLen                      |
 * |        | valueLen    | i32; -1: there is no value  |
 * |        | value       | valueLen                    |
 */
import { checkField } from '../wire/check-field.ts'
import { copyBytes, readI32, readI64, writeU32, writeU64 } from '../wire/in-place.ts'
import type { PayloadReader } from './payload-reader.ts'

/** A message as its sender means it. */
export interface LogMessage {
  /** A safe integer. What a foreign client wrote beyond that reads as the nearest number. */
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
}

/** A message that was read: key and value are views of the bytes it was read from, valid as long as those are. */
export interface LogMessageView extends LogMessage {
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** Bytes of a message with neither key nor value. */
export const LOG_MESSAGE_BYTES_MIN = 16

const i32Max = 0x7fff_ffff
const null32 = -1

/** Bytes of a message; `BAD_FRAME` when it cannot be written. */
export function logMessageBytes({ timestampMs, key, value }: LogMessage): number {
  checkField('log message', 'timestampMs', timestampMs, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER)
  const keyBytes = key === null ? 0 : checkField('log message', 'keyLen', key.length, i32Max)
  const valueBytes = value === null ? 0 : checkField('log message', 'valueLen', value.length, i32Max)
  return LOG_MESSAGE_BYTES_MIN + keyBytes + valueBytes
}

/** Writes a message that {@link logMessageBytes} has measured; returns where it ends. */
export function writeLogMessage(target: Buffer, at: number, { timestampMs, key, value }: LogMessage): number {
  writeU64(target, at, timestampMs)
  return writeBody(target, writeBody(target, at + 8, key), value)
}

function writeBody(target: Buffer, at: number, body: Uint8Array | null): number {
  writeU32(target, at, body === null ? null32 : body.length)
  if (body === null) return at + 4
  copyBytes(body, 0, body.length, target, at + 4)
  return at + 4 + body.length
}

/** Where the message at `at` ends, which is known to be whole. */
export function endOfLogMessage(bytes: Buffer, at: number): number {
  const keyLen = readI32(bytes, at + 8)
  const valueAt = at + 12 + (keyLen === null32 ? 0 : keyLen)
  const valueLen = readI32(bytes, valueAt)
  return valueAt + 4 + (valueLen === null32 ? 0 : valueLen)
}

/** The message at `at`, which is known to be whole. */
export function readLogMessage(bytes: Buffer, at: number): LogMessageView {
  const keyLen = readI32(bytes, at + 8)
  const valueAt = at + 12 + (keyLen === null32 ? 0 : keyLen)
  const valueLen = readI32(bytes, valueAt)
  return {
    timestampMs: readI64(bytes, at),
    key: keyLen === null32 ? null : bytes.subarray(at + 12, valueAt),
    value: valueLen === null32 ? null : bytes.subarray(valueAt + 4, valueAt + 4 + valueLen),
  }
}

/** Passes `count` messages, each behind `prefixBytes` of something else; refuses the first that is not whole. */
export function passLogMessages(reader: PayloadReader, count: number, prefixBytes: number): void {
  const { bytes, end } = reader
  for (let left = count; left > 0; left--) {
    const messageEnd = endOfLogMessageWithin(bytes, reader.at + prefixBytes, end)
    if (messageEnd < 0) {
      refuseMessage(reader, prefixBytes)
      return
    }
    reader.at = messageEnd
  }
}

/** Where the message at `at` ends; -1 when it is not whole before `end`. */
export function endOfLogMessageWithin(bytes: Buffer, at: number, end: number): number {
  if (end - at < LOG_MESSAGE_BYTES_MIN) return -1
  const keyLen = readI32(bytes, at + 8)
  const valueAt = at + 12 + (keyLen === null32 ? 0 : keyLen)
  if (keyLen < null32 || end - valueAt < 4) return -1
  const valueLen = readI32(bytes, valueAt)
  const messageEnd = valueAt + 4 + (valueLen === null32 ? 0 : valueLen)
  return valueLen < null32 || messageEnd > end ? -1 : messageEnd
}

/** Reads the message that is not whole once more, field by field, for the fault. */
function refuseMessage(reader: PayloadReader, prefixBytes: number): void {
  reader.take(prefixBytes, 'offset')
  reader.take(8, 'timestampMs')
  for (const field of ['key', 'value']) {
    const length = reader.i32(`${field}Len`)
    if (length < null32) reader.refuse(`${field}Len`, reader.at - 4, `${field}Len ${length}`)
    else if (length > 0) reader.take(length, field)
  }
}
