/**
 * CRC-32 as of zlib, Ethernet and PNG (reflected polynomial 0xedb88320).
 *
 * Short ranges go through tables, four bytes a step ("slicing by 4", Kounavis and Berry 2005): the call into zlib costs more
 * than that. Longer ones go to zlib.
 */
import { crc32 as zlibCrc32 } from 'node:zlib'

/** From this many bytes on zlib is faster than the tables. */
const zlibFromBytes = 128

/** Four tables in one: what a byte does to the sum, followed by 0, 1, 2 and 3 bytes. */
const table = createTable()

function createTable(): Int32Array {
  const sums = new Int32Array(1_024)
  for (let byte = 0; byte < 256; byte++) {
    let sum = byte
    for (let bit = 0; bit < 8; bit++) sum = (sum & 1) === 0 ? sum >>> 1 : (sum >>> 1) ^ 0xedb88320
    sums[byte] = sum
  }
  for (let at = 256; at < 1_024; at++) {
    const before = sums[at - 256]!
    sums[at] = (before >>> 8) ^ sums[before & 0xff]!
  }
  return sums
}

/** The sum of `bytes[from, end)`, u32. */
export function crc32(bytes: Buffer, from: number, end: number): number {
  if (end - from >= zlibFromBytes) return zlibCrc32(bytes.subarray(from, end))
  let sum = -1
  let at = from
  for (; at + 4 <= end; at += 4) {
    sum ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    sum =
      table[768 + (sum & 0xff)]! ^
      table[512 + ((sum >>> 8) & 0xff)]! ^
      table[256 + ((sum >>> 16) & 0xff)]! ^
      table[sum >>> 24]!
  }
  for (; at < end; at++) sum = (sum >>> 8) ^ table[(sum ^ bytes[at]!) & 0xff]!
  return ~sum >>> 0
}
