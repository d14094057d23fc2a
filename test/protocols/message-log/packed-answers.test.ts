/** Answers come out of a header as they went in. */
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { packAnswers, unpackAnswers } from '../../../src/protocols/message-log/engine/jetstream/packed-answers.ts'

const answer = fc.record(
  {
    sequence: fc.nat(0xffff_ffff),
    baseOffset: fc.bigInt(0n, 2n ** 52n - 1n).map(Number),
    stored: fc.integer({ min: 1, max: 0xffff_ffff }),
  },
  { noNullPrototype: true },
)
const answers = fc
  .uniqueArray(answer, { maxLength: 64, selector: ({ sequence }) => sequence })
  .map(list => list.toSorted((a, b) => a.sequence - b.sequence))

t.test('answers of any sequences and offsets', async () => {
  fc.assert(
    fc.property(answers, list => isDeepStrictEqual([...unpackAnswers(packAnswers(list))], list)),
    { numRuns: 1_000 },
  )
})

t.test('those of a busy producer are short', async t => {
  const list = Array.from({ length: 64 }, (_, index) => ({
    sequence: 1_000_000 + index,
    baseOffset: 5e9 + 100 * index,
    stored: 100,
  }))
  t.ok(packAnswers(list).length < 360, `${packAnswers(list).length} characters`)
})

t.test('a text that is none, or cut off, gives what is whole', async t => {
  t.same([...unpackAnswers('')], [])
  t.same([...unpackAnswers('????')], [])
  const text = packAnswers([
    { sequence: 1, baseOffset: 2, stored: 3 },
    { sequence: 300, baseOffset: 1, stored: 1 },
  ])
  const cut = Buffer.from(text, 'base64').subarray(0, 5).toString('base64')
  t.same([...unpackAnswers(cut)], [{ sequence: 1, baseOffset: 2, stored: 3 }])
})
