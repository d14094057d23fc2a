/** What frames of requests and responses have in common: the declared length in front, the checksum behind. */
import { crc32Word } from '../wire/crc32.ts'
import { crc32Knowing, type KnownSum } from '../wire/crc32-join.ts'
import { STOP } from '../wire/frame-decoder.ts'
import { readI32, readU32, writeU32 } from '../wire/in-place.ts'
import { LOG_CRC_BYTES } from './codes.ts'

/** Bytes of the length itself, which it does not count. */
export const LOG_LENGTH_BYTES = 4

/**
 * Judges a header of `headerBytes` by the length it declares: the bytes that follow it, payload and checksum, or `STOP`
 * for a length that cannot be or is above `lengthMax`. Nothing behind it can be understood then.
 */
export function judgeLength(bytes: Buffer, at: number, headerBytes: number, lengthMax: number): number {
  const length = readU32(bytes, at)
  const bodyBytes = length + LOG_LENGTH_BYTES - headerBytes
  return bodyBytes < LOG_CRC_BYTES || length > lengthMax ? STOP : bodyBytes
}

/** Writes the checksum of the frame `target[at, end)`, whose last 4 bytes it is. */
export function sealLogFrame(target: Buffer, at: number, end: number, known?: readonly KnownSum[]): void {
  const sumAt = end - LOG_CRC_BYTES
  writeU32(
    target,
    sumAt,
    known === undefined || known.length === 0 ? crc32Word(target, at, sumAt) : crc32Knowing(target, at, sumAt, known),
  )
}

/** Whether the frame `bytes[at, end)` is as its sender wrote it. */
export function isLogFrameIntact(bytes: Buffer, at: number, end: number): boolean {
  return readI32(bytes, end - LOG_CRC_BYTES) === crc32Word(bytes, at, end - LOG_CRC_BYTES)
}
