/**
 * CRC-32 as of zlib, Ethernet and PNG (reflected polynomial 0xedb88320).
 *
 * Short ranges go through tables, sixteen bytes a step ("slicing by 16", Kounavis and Berry 2005): the call into zlib costs
 * more than that. Longer ones go to zlib, which is loaded for the first of them: it takes a thread 7 ms that most never need.
 */

/** From this many bytes on zlib is faster than the tables. */
const zlibFromBytes = 448

const slices = 16

let zlibCrc32: typeof import('node:zlib').crc32 | undefined

/** A table for each slice, in one: what a byte does to the sum, followed by 0, 1, 2, … 15 bytes. */
const table = createTable()

function createTable(): Int32Array {
  const sums = new Int32Array(256 * slices)
  for (let byte = 0; byte < 256; byte++) {
    let sum = byte
    for (let bit = 0; bit < 8; bit++) sum = (sum & 1) === 0 ? sum >>> 1 : (sum >>> 1) ^ 0xedb88320
    sums[byte] = sum
  }
  for (let at = 256; at < sums.length; at++) {
    const before = sums[at - 256]!
    sums[at] = (before >>> 8) ^ sums[before & 0xff]!
  }
  return sums
}

/** The sum of `bytes[from, end)`, u32. */
export function crc32(bytes: Buffer, from: number, end: number): number {
  return crc32Word(bytes, from, end) >>> 0
}

/** The same 32 bits as an i32, which V8 never keeps in memory of its own, as it does half of all u32. */
export function crc32Word(bytes: Buffer, from: number, end: number): number {
  if (end - from >= zlibFromBytes) {
    zlibCrc32 ??= process.getBuiltinModule('node:zlib').crc32
    return zlibCrc32(bytes.subarray(from, end)) | 0
  }
  let sum = -1
  let at = from
  for (; at + slices <= end; at += slices) {
    sum ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    sum =
      table[3_840 + (sum & 0xff)]! ^
      table[3_584 + ((sum >>> 8) & 0xff)]! ^
      table[3_328 + ((sum >>> 16) & 0xff)]! ^
      table[3_072 + (sum >>> 24)]! ^
      table[2_816 + bytes[at + 4]!]! ^
      table[2_560 + bytes[at + 5]!]! ^
      table[2_304 + bytes[at + 6]!]! ^
      table[2_048 + bytes[at + 7]!]! ^
      table[1_792 + bytes[at + 8]!]! ^
      table[1_536 + bytes[at + 9]!]! ^
      table[1_280 + bytes[at + 10]!]! ^
      table[1_024 + bytes[at + 11]!]! ^
      table[768 + bytes[at + 12]!]! ^
      table[512 + bytes[at + 13]!]! ^
      table[256 + bytes[at + 14]!]! ^
      table[bytes[at + 15]!]!
  }
  if (end - at < 4) {
    for (; at < end; at++) sum = (sum >>> 8) ^ table[(sum ^ bytes[at]!) & 0xff]!
    return ~sum
  }
  // The rest in a step of its own size, so that no byte waits for the one before it.
  sum ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
  let slice = (end - at - 1) << 8
  let rest =
    table[slice + (sum & 0xff)]! ^
    table[slice - 256 + ((sum >>> 8) & 0xff)]! ^
    table[slice - 512 + ((sum >>> 16) & 0xff)]! ^
    table[slice - 768 + (sum >>> 24)]!
  for (at += 4, slice -= 1_024; at < end; at++, slice -= 256) rest ^= table[slice + bytes[at]!]!
  return ~rest
}
