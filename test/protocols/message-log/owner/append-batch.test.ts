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
import { partitionNotFound } from '../../../../src/protocols/message-log/engine/engine-errors.ts'
import { memoryLogEngine } from '../../../../src/protocols/message-log/engine/memory/memory-engine.ts'
import { logFigures } from '../../../../src/protocols/message-log/log-figures.ts'
import {
  AppendBatchWriter,
  readAppendBatch,
  splitAppend,
} from '../../../../src/protocols/message-log/owner/append-batch.ts'
import { appendAll } from '../../../../src/protocols/message-log/owner/append-desk.ts'
import { StoreCounts } from '../../../../src/protocols/message-log/owner/store-counts.ts'
import { newContext } from '../sqlite-world.ts'

const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const append = fc
  .record({
    // Often the same, so that some are joined.
    partitionId: fc.oneof(fc.constantFrom(1, 2), u32),
    values: fc.array(fc.string({ maxLength: 60 }), { minLength: 1, maxLength: 3 }),
    acknowledgement: fc.constantFrom('received' as const, 'committed' as const, 'flushed' as const),
    producer: fc.option(fc.record({ id: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), sequence: u32 }), {
      nil: undefined,
    }),
  })
  .map(({ partitionId, values, ...more }) => appendOf(partitionId, values, more))

function written(appends: readonly AppendRequest[], bytes = 64): Uint8Array {
  const writer = new AppendBatchWriter(new ArrayBuffer(bytes))
  for (const each of appends) writer.add(each)
  return writer.take()
}

t.test('appends come out as they went in, whatever the buffer it began with', async t => {
  fc.assert(
    fc.property(fc.array(append, { maxLength: 20 }), fc.integer({ min: 1, max: 500 }), (appends, bytes) => {
      const read = readAppendBatch(written(appends, bytes)).flatMap(splitAppend)
      const plain = read.map(({ index, appends, ...each }) => ({ ...each, messages: Buffer.from(each.messages) }))
      t.same(plain, appends)
      t.same(
        read.map(({ index }) => index),
        [...appends.keys()],
      )
      return plain.length === appends.length
    }),
    { seed: 20_261_121, numRuns: 200 },
  )
})

t.test('appends of one message are joined to those before them that are their like', async t => {
  const runsOf = (...appends: readonly AppendRequest[]) =>
    readAppendBatch(written(appends)).map(({ partitionId, count, appends }) => [partitionId, count, appends])
  const one = appendOf(1, ['a'])
  const producer = { id: 1n, sequence: 0 }
  t.same(runsOf(one, one, one), [[1, 3, 3]])
  t.same(runsOf(one, appendOf(2, ['b']), one), [
    [1, 1, 1],
    [2, 1, 1],
    [1, 1, 1],
  ])
  for (const other of [
    appendOf(1, ['b', 'c']),
    appendOf(1, ['b'], { acknowledgement: 'flushed' }),
    appendOf(1, ['b'], { producer }),
  ])
    t.same(runsOf(one, other, one), [
      [1, 1, 1],
      [1, other.count, 1],
      [1, 1, 1],
    ])
  t.same(runsOf(appendOf(1, ['b', 'c']), appendOf(1, ['d', 'e'])), [
    [1, 2, 1],
    [1, 2, 1],
  ])
})

t.test('no more than 64 KiB are joined, and a larger append stays alone', async t => {
  const half = appendOf(1, ['x'.repeat(32_768 - messageHeadBytes)])
  const whole = appendOf(1, ['x'.repeat(65_536 - messageHeadBytes)])
  const one = appendOf(1, ['a'])
  const countsOf = (...appends: readonly AppendRequest[]) =>
    readAppendBatch(written(appends)).map(({ appends }) => appends)
  t.same(countsOf(half, half, one, one), [2, 2])
  t.same(countsOf(one, whole, one), [1, 1, 1])
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

t.test('an engine that takes them has them joined, and each is answered by itself', async t => {
  const given: AppendRequest[] = []
  const engine = {
    takesJoined: true as const,
    append(request: AppendRequest): AppendResult {
      given.push(request)
      if (request.partitionId === 2) throw partitionNotFound(2)
      return { baseOffset: 40 + 10 * given.length, stored: request.count }
    },
  }
  const figures = logFigures.open(logFigures.create(1), 0)
  const batch = written([
    appendOf(1, ['a']),
    appendOf(1, ['b']),
    appendOf(2, ['c']),
    appendOf(2, ['d']),
    appendOf(1, ['e', 'f']),
    appendOf(1, ['g']),
  ])
  const { results, refusals } = await appendAll(engine, batch, new StoreCounts(figures))
  t.same(
    given.map(({ count }) => count),
    [2, 2, 2, 1],
  )
  t.same([...results], [50, 1, 51, 1, 0, 0, 0, 0, 70, 2, 80, 1])
  t.same(
    refusals.map(({ index }) => index),
    [2, 3],
  )
  t.match(decodeError(refusals[1]!.error), { code: 'PARTITION_NOT_FOUND' })
  const { appends, messages, appendsFailed, appendsWaiting } = logFigures.read(figures.buffer as SharedArrayBuffer)
  t.same([appends, messages, appendsFailed, appendsWaiting], [4, 5, 2, 0])
})

t.test('an engine that does not has each by itself', async t => {
  const engine = await memoryLogEngine.opener.open(undefined, newContext())
  const id = (await engine.createTopic('orders', 1)).partitionIds[0]!
  const batch = written([appendOf(id, ['a']), appendOf(id, ['bc']), appendOf(id, ['d'])])
  const { results } = await appendAll(engine, batch, new StoreCounts(logFigures.open(logFigures.create(1), 0)))
  t.same([...results], [0, 1, 1, 1, 2, 1])
  const { batches } = await engine.read(id, 0, 1_000)
  t.same(
    batches.map(({ count }) => count),
    [1, 1, 1],
  )
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
