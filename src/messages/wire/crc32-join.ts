/**
 * The CRC-32 of bytes of which some are not looked at, because their own is known: where a checksum is kept with what is stored, and what
 * is sent has one too, each byte need be summed up once only.
 *
 * The sum of two parts is that of the first, moved on by as many zeros as the second has bytes, and that of the second: a product of
 * polynomials modulo that of the CRC (`crc32_combine` of zlib, Mark Adler).
 *
 * @see https://github.com/madler/zlib/blob/develop/crc32.c
 */
import { crc32 } from './crc32.ts'

const polynomial = 0xedb88320
/** x^0; the bits are reflected. */
const one = 0x8000_0000

/** x^(2^n), for n from 0 to 31. */
const powers = createPowers()

function createPowers(): Uint32Array {
  const table = new Uint32Array(32)
  table[0] = one >>> 1
  for (let n = 1; n < table.length; n++) table[n] = product(table[n - 1]!, table[n - 1]!)
  return table
}

/** a times b, modulo the polynomial. */
function product(a: number, b: number): number {
  let sum = 0
  let factor = b
  for (let bit = one; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) sum ^= factor
    factor = (factor & 1) === 0 ? factor >>> 1 : (factor >>> 1) ^ polynomial
  }
  return sum >>> 0
}

/** What so many zeros multiply a sum by. */
function shiftOf(bytes: number): number {
  let shift = one
  for (let left = bytes, n = 3; left > 0; left = Math.floor(left / 2), n = (n + 1) & 31) {
    if (left % 2 === 1) shift = product(powers[n]!, shift)
  }
  return shift
}

/** Lengths in a row are often the same. */
const last = { bytes: 0, shift: one }

/** The sum of two parts of which `first` and `second` are the sums; the second has `secondBytes`. */
export function joinCrc32(first: number, second: number, secondBytes: number): number {
  if (secondBytes !== last.bytes) {
    last.bytes = secondBytes
    last.shift = shiftOf(secondBytes)
  }
  return (product(last.shift, first) ^ second) >>> 0
}

/** Bytes whose sum is known: those from `start` to `end`. */
export interface KnownSum {
  readonly start: number
  readonly end: number
  readonly sum: number
}

/** The sum of `bytes[from, end)`; of `known`, which are in order and among them, no byte is looked at. */
export function crc32Knowing(bytes: Buffer, from: number, end: number, known: readonly KnownSum[]): number {
  let sum = 0
  let at = from
  for (const part of known) {
    sum = joinCrc32(sum, crc32(bytes, at, part.start), part.start - at)
    sum = joinCrc32(sum, part.sum, part.end - part.start)
    at = part.end
  }
  return joinCrc32(sum, crc32(bytes, at, end), end - at)
}
