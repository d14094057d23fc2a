/**
 * Big-endian fields read and written where they lie, without checks: for the frame path, whose callers know that the bytes are
 * there and that the values fit.
 *
 * 64-bit fields are numbers. Up to 2^53 - 1 they are exact; a field that holds more reads as the nearest number, which is
 * above 2^53 - 1 and so never equal to one that is exact. Nothing is made a bigint on the way.
 */

/** 2^32, what the high half of a 64-bit field counts. */
const highUnit = 4_294_967_296

/** Up to this many bytes a loop beats the call into the engine's copy. */
const smallBytes = 48

export function readU16(bytes: Buffer, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

export function readI32(bytes: Buffer, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

export function readU32(bytes: Buffer, at: number): number {
  return readI32(bytes, at) >>> 0
}

/** Exact up to 2^53 - 1. */
export function readU64(bytes: Buffer, at: number): number {
  return readU32(bytes, at) * highUnit + readU32(bytes, at + 4)
}

/** Exact from -(2^53 - 1) to 2^53 - 1. */
export function readI64(bytes: Buffer, at: number): number {
  return readI32(bytes, at) * highUnit + readU32(bytes, at + 4)
}

export function writeU16(target: Buffer, at: number, value: number): void {
  target[at] = value >>> 8
  target[at + 1] = value
}

/** Writes an u32 or an i32. */
export function writeU32(target: Buffer, at: number, value: number): void {
  target[at] = value >>> 24
  target[at + 1] = value >>> 16
  target[at + 2] = value >>> 8
  target[at + 3] = value
}

/** Writes an u64 or an i64 of a safe integer. */
export function writeU64(target: Buffer, at: number, value: number): void {
  writeU32(target, at, Math.floor(value / highUnit))
  writeU32(target, at + 4, value)
}

/** Copies `source[from, end)` to `target[at]`. */
export function copyBytes(source: Uint8Array, from: number, end: number, target: Buffer, at: number): void {
  if (end - from <= smallBytes) {
    for (let read = from, write = at; read < end; read++, write++) target[write] = source[read]!
  } else if (from === 0 && end === source.length) {
    target.set(source, at)
  } else {
    Buffer.prototype.copy.call(source, target, at, from, end)
  }
}
