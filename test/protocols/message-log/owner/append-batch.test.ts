/** Appends on their way to the owner of a store. */
import fc from 'fast-check'
import t from 'tap'
import { decodeError } from '../../../../src/messages/error-codec.ts'
import {
  appendOf,
  messageHeadBytes,
  valuesIn,
} from '../../../../src/protocols/message-log/engine/conformance/stored-messages.ts'
import type { AppendRequest, AppendResult } from '../../../../src/protocols/message-log/engine/contract.ts'
import { memoryLogEngine } from '../../../../src/protocols/message-log/engine/memory/memory-engine.ts'
import { logFigures } from '../../../../src/protocols/message-log/log-figures.ts'
import { AppendBatchWriter, readAppendBatch } from '../../../../src/protocols/message-log/owner/append-batch.ts'
import { appendAll } from '../../../../src/protocols/message-log/owner/append-desk.ts'
import { StoreCounts } from '../../../../src/protocols/message-log/owner/store-counts.ts'
import { newContext } from '../sqlite-world.ts'

const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const append = fc.record({
  partitionId: u32,
  count: u32,
  messages: fc.uint8Array({ maxLength: 200 }),
  acknowledgement: fc.constantFrom('received' as const, 'committed' as const, 'flushed' as const),
  producer: fc.option(fc.record({ id: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), sequence: u32 }), {
    nil: undefined,
  }),
})

function written(appends: readonly AppendRequest[], bytes = 64): Uint8Array {
  const writer = new AppendBatchWriter(new ArrayBuffer(bytes))
  for (const each of appends) writer.add(each)
  return writer.take()
}

t.test('appends come out as they went in, whatever the buffer it began with', async t => {
  fc.assert(
    fc.property(fc.array(append, { maxLength: 20 }), fc.integer({ min: 1, max: 500 }), (appends, bytes) => {
      const read = [...readAppendBatch(written(appends, bytes))]
      const plain = read.map(each => ({ ...each, messages: new Uint8Array(each.messages) }))
      t.same(plain, appends)
      return plain.length === appends.length
    }),
    { seed: 20_261_121, numRuns: 100 },
  )
})

t.test('a writer begins anew, and what was taken stays as it is', async t => {
  const writer = new AppendBatchWriter(new ArrayBuffer(1_024))
  writer.add(appendOf(1, ['a']))
  t.equal(writer.count, 1)
  t.ok(writer.bytes > 0)
  const taken = writer.take()
  t.same([writer.count, writer.bytes], [0, 0])
  writer.add(appendOf(2, ['b']))
  t.same(
    [...readAppendBatch(taken)].map(({ partitionId }) => partitionId),
    [1],
  )
})

t.test('every cut is refused', async t => {
  const whole = written([appendOf(1, ['a'], { producer: { id: 1n, sequence: 2 } })])
  for (let end = 1; end < whole.length; end++)
    t.throws(() => [...readAppendBatch(whole.subarray(0, end))], { code: 'BAD_FRAME' })
})

t.test('one append that is refused costs no other', async t => {
  const engine = await memoryLogEngine.opener.open(undefined, newContext())
  const id = (await engine.createTopic('orders', 1)).partitionIds[0]!
  const batch = written([appendOf(id, ['a', 'b']), appendOf(id + 1, ['lost']), appendOf(id, ['c'])])
  const figures = logFigures.open(logFigures.create(1), 0)
  const { results, refusals } = await appendAll(engine, batch, new StoreCounts(figures))
  const { appends, messages, bytes, appendsFailed, appendsWaiting } = logFigures.read(
    figures.buffer as SharedArrayBuffer,
  )
  t.same(
    { appends, messages, appendsFailed, appendsWaiting },
    { appends: 2, messages: 3, appendsFailed: 1, appendsWaiting: 0 },
  )
  t.equal(bytes, 3 * (messageHeadBytes + 1))
  t.same([...results], [0, 2, 0, 0, 2, 1])
  t.equal(refusals.length, 1)
  t.equal(refusals[0]?.index, 1)
  t.match(decodeError(refusals[0]!.error), { code: 'PARTITION_NOT_FOUND', details: { partitionId: id + 1 } })
  t.same(valuesIn(await engine.read(id, 0, 1_000)), ['0:a', '1:b', '2:c'])
})

t.test('appends that the engine has in hand are counted until each is settled', async t => {
  const figures = logFigures.open(logFigures.create(1), 0)
  const inHand = [Promise.withResolvers<AppendResult>(), Promise.withResolvers<AppendResult>()]
  const appends = inHand.values()
  const engine = { append: () => appends.next().value!.promise }
  const all = appendAll(engine, written([appendOf(1, ['a']), appendOf(1, ['b'])]), new StoreCounts(figures))
  t.equal(figures[logFigures.at.appendsWaiting], 2)
  inHand[1]!.reject(new Error('no room'))
  await inHand[1]!.promise.catch(() => {})
  t.equal(figures[logFigures.at.appendsWaiting], 1)
  inHand[0]!.resolve({ baseOffset: 0, stored: 1 })
  await all
  t.equal(figures[logFigures.at.appendsWaiting], 0)
  t.equal(figures[logFigures.at.appendsFailed], 1)
})
