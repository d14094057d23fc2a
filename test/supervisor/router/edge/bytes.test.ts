import fc from 'fast-check'
import t from 'tap'
import { BatchReader, BatchWriter } from '../../../../src/supervisor/router/edge/bytes.ts'

type Value =
  | { readonly kind: 'u8' | 'u16' | 'u32' | 'f64'; readonly value: number }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'bytes'; readonly value: Uint8Array }

const values: fc.Arbitrary<Value> = fc.oneof(
  fc.record({ kind: fc.constant('u8' as const), value: fc.nat(255) }),
  fc.record({ kind: fc.constant('u16' as const), value: fc.nat(65_535) }),
  fc.record({ kind: fc.constant('u32' as const), value: fc.nat(2 ** 32 - 1) }),
  fc.record({ kind: fc.constant('f64' as const), value: fc.double() }),
  fc.record({ kind: fc.constant('text' as const), value: fc.string({ unit: 'grapheme' }) }),
  fc.record({ kind: fc.constant('bytes' as const), value: fc.uint8Array() }),
)

function write(writer: BatchWriter, { kind, value }: Value): void {
  const put = writer[kind] as (value: unknown) => void
  put.call(writer, value)
}

/** Reads all that was written, as one event. */
function readerOf(writer: BatchWriter): BatchReader {
  const reader = new BatchReader(writer.take()!, writer.texts)
  reader.textEnd = writer.textAt
  writer.texts = []
  writer.textAt = 0
  return reader
}

t.test('what is written is read, through every growth of the buffer and in every buffer after the first', t => {
  const writer = new BatchWriter()
  fc.assert(
    fc.property(fc.array(values, { maxLength: 40 }), fc.nat(3), (list, large) => {
      const all: Value[] = [
        ...list,
        { kind: 'u8', value: 1 },
        { kind: 'bytes', value: new Uint8Array(large * 20_000).fill(7) },
        ...list,
      ]
      for (const value of all) write(writer, value)
      const reader = readerOf(writer)
      for (const { kind, value } of all) {
        const read: unknown = reader[kind]()
        if (!Object.is(read, value)) t.same(read, value)
      }
    }),
    { numRuns: 200 },
  )
  t.end()
})

t.test('a buffer of nothing is no buffer, and what was undone is not in it', t => {
  const writer = new BatchWriter()
  t.equal(writer.take(), undefined)
  writer.u32(1)
  writer.at = 0
  t.equal(writer.take(), undefined)
  writer.u8(7)
  t.equal(readerOf(writer).u8(), 7)
  t.end()
})

t.test('no read goes past the end of its event', t => {
  const writer = new BatchWriter()
  writer.bytes(Uint8Array.of(1, 2, 3))
  writer.f64(1)
  writer.text('of the next event')
  const buffer = writer.take()!
  for (const kind of ['u8', 'u16', 'u32', 'f64', 'text', 'bytes'] as const) {
    const reader = new BatchReader(buffer, writer.texts)
    reader.end = 0
    t.throws(() => reader[kind](), RangeError, kind)
  }
  const cut = new BatchReader(buffer, [])
  cut.end = 6
  t.throws(() => cut.bytes(), { name: 'RangeError', message: '3 bytes at 4 reach past the event, which ends at 6' })
  t.end()
})

t.test('only a text is written as one', t => {
  const writer = new BatchWriter()
  t.throws(() => writer.text(7 as never), { name: 'TypeError', message: 'a text is to be written, not number' })
  t.same(writer.texts, [])
  t.end()
})
