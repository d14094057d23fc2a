/** Fields in place are those of `DataView`; 64 bits are exact as far as a number is. */
import t from 'tap'
import {
  copyBytes,
  readI32,
  readI64,
  readU16,
  readU32,
  readU64,
  writeU16,
  writeU32,
  writeU64,
} from '../../../src/messages/wire/in-place.ts'

const safe = Number.MAX_SAFE_INTEGER

t.test('16 and 32 bits', t => {
  const bytes = Buffer.alloc(6, 0xee)
  for (const value of [0, 1, 0x0102, 0xffff]) {
    writeU16(bytes, 1, value)
    t.same([bytes.readUInt16BE(1), readU16(bytes, 1), bytes[0], bytes[3]], [value, value, 0xee, 0xee])
  }
  for (const value of [0, 1, 0x01020304, 0x7fffffff, 0x80000000, 0xffffffff]) {
    writeU32(bytes, 1, value)
    t.same([bytes.readUInt32BE(1), readU32(bytes, 1), bytes[0], bytes[5]], [value, value, 0xee, 0xee])
    t.equal(readI32(bytes, 1), bytes.readInt32BE(1))
  }
  t.end()
})

t.test('64 bits up to 2^53 - 1, of both signs', t => {
  const bytes = Buffer.alloc(10, 0xee)
  for (const value of [0, 1, 0xffffffff, 0x100000000, 0x1234567890abc, safe - 1, safe]) {
    writeU64(bytes, 1, value)
    t.same([bytes.readBigUInt64BE(1), readU64(bytes, 1)], [BigInt(value), value])
    writeU64(bytes, 1, -value)
    t.same([bytes.readBigInt64BE(1), readI64(bytes, 1)], [-BigInt(value), value === 0 ? 0 : -value])
    t.same([bytes[0], bytes[9]], [0xee, 0xee])
  }
  t.end()
})

t.test('64 bits above that are never taken for a number that is exact', t => {
  const bytes = Buffer.alloc(8)
  for (const value of [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
    bytes.writeBigUInt64BE(value)
    t.equal(readU64(bytes, 0), Number(value))
    t.ok(readU64(bytes, 0) > safe)
  }
  bytes.writeBigInt64BE(-(2n ** 63n))
  t.equal(readI64(bytes, 0), -(2 ** 63))
  t.end()
})

t.test('a copy has its bytes and no others, however long', t => {
  const source = Uint8Array.from({ length: 200 }, (_, at) => at)
  for (const [from, end] of [
    [0, 0],
    [3, 51],
    [3, 52],
    [0, 200],
    [150, 200],
  ] as const) {
    const target = Buffer.alloc(end - from + 2, 0xee)
    copyBytes(source, from, end, target, 1)
    t.same([...target], [0xee, ...source.subarray(from, end), 0xee])
  }
  t.end()
})
