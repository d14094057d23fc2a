/** How appends become rows. */
import fc from 'fast-check'
import t from 'tap'
import {
  messageHeadBytes,
  messageOf,
  valuesIn,
} from '../../../src/protocols/message-log/engine/conformance/stored-messages.ts'
import type { StoredBatch } from '../../../src/protocols/message-log/engine/contract.ts'
import { packedRows, rowBytesMax } from '../../../src/protocols/message-log/engine/sqlite/packed-rows.ts'

const value = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: rowBytesMax }) },
  { weight: 1, arbitrary: fc.integer({ min: rowBytesMax - 2 * messageHeadBytes, max: 2 * rowBytesMax }) },
)
const appends = fc.array(fc.array(value, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 })

const joined = Buffer.alloc(rowBytesMax)

/** All rows, those that were joined copied. */
function rowsOf(taken: Parameters<typeof packedRows>[0], baseOffset: number): StoredBatch[] {
  return Array.from(packedRows(taken, baseOffset, joined), row =>
    row.messages.buffer === joined.buffer ? { ...row, messages: Buffer.from(row.messages) } : row,
  )
}

t.test('every message is in one row, in order, and rows are neither too large nor too many', async t => {
  fc.assert(
    fc.property(appends, fc.nat(), (sizes, baseOffset) => {
      const texts = sizes.map((batch, at) => batch.map(bytes => `${at}`.padEnd(bytes, '.')))
      const taken = texts.map(batch => ({ count: batch.length, messages: Buffer.concat(batch.map(messageOf)) }))
      const rows = rowsOf(taken, baseOffset)
      const found = valuesIn({ highWaterMark: 0, batches: rows })
      const sent = texts.flat().map((text, index) => `${baseOffset + index}:${text}`)
      const isPacked = rows.every(
        ({ count, messages }, at) =>
          (messages.length <= rowBytesMax || count === 1) &&
          (at < 2 || rows[at - 2]!.messages.length + rows[at - 1]!.messages.length + messages.length > rowBytesMax),
      )
      return isPacked && JSON.stringify(found) === JSON.stringify(sent)
    }),
    { seed: 20_261_121, numRuns: 150 },
  )
  t.pass('for 150 runs')
})

t.test('small appends share a row, and one that fills a row is stored as it came', async t => {
  const small = { count: 2, messages: Buffer.concat([messageOf('a'), messageOf('b')]) }
  t.equal(rowsOf([small, small, small], 7).length, 1)
  const filling = { count: 1, messages: messageOf('x'.repeat(rowBytesMax - messageHeadBytes)) }
  const [row, ...more] = rowsOf([filling], 0)
  t.equal(row?.messages, filling.messages)
  t.same(more, [])
  t.equal(rowsOf([filling, small], 0).length, 2)
})
