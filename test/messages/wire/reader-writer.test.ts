/** Fields are read and written big-endian, and what does not fit is refused by name and offset. */
import t from 'tap'
import { isStarfishError } from '../../../src/messages/errors.ts'
import { WireReader } from '../../../src/messages/wire/reader.ts'
import { WireWriter } from '../../../src/messages/wire/writer.ts'

t.test('what the writer writes the reader reads', t => {
  const bytes = new WireWriter(9, 'sample')
    .u8(255, 'a')
    .u16(0x0102, 'b')
    .u32(0xfffffffe, 'c')
    .bytes(Buffer.from('xy'))
    .finish()
  t.equal(bytes.toString('hex'), 'ff0102fffffffe7879')
  const reader = new WireReader(bytes, 'sample')
  t.same([reader.u8('a'), reader.u16('b'), reader.u32('c'), reader.left], [255, 0x0102, 0xfffffffe, 2])
  t.equal(reader.bytes(2, 'd').toString(), 'xy')
  reader.end()
  t.equal(new WireReader(Buffer.from('0000000100000002', 'hex'), 'sample').u64('e'), 4294967298n)
  t.end()
})

t.test('missing bytes are named, not read', t => {
  const reader = new WireReader(Buffer.alloc(10), 'sample', 2, 5)
  reader.u16('first')
  try {
    reader.u32('second')
    t.fail('it read beyond its end')
  } catch (error) {
    t.ok(isStarfishError(error, 'BAD_FRAME'))
    t.match(error, {
      message: 'sample: second needs 4 bytes at offset 4, 1 are left',
      details: { field: 'second', offset: 4, neededBytes: 4, leftBytes: 1 },
    })
  }
  t.equal(reader.offset, 4, 'a read that failed has read nothing')
  t.throws(() => reader.end(), { code: 'BAD_FRAME', details: { trailingBytes: 1 } })
  t.end()
})

t.test('values that do not fit their field are refused, at the limits to the number', t => {
  for (const [method, max] of [
    ['u8', 0xff],
    ['u16', 0xffff],
    ['u32', 0xffffffff],
  ] as const) {
    t.doesNotThrow(() => new WireWriter(4, 'sample')[method](max, 'field'))
    for (const value of [max + 1, -1, 1.5, Number.NaN]) {
      t.throws(() => new WireWriter(4, 'sample')[method](value, 'field'), {
        code: 'BAD_FRAME',
        details: { field: 'field' },
      })
    }
  }
  t.throws(() => new WireWriter(3, 'sample').u16(1, 'a').finish(), { code: 'BAD_FRAME' })
  t.end()
})
