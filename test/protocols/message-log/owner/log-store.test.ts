/** The owner of a store, on a shard: what it is asked by other threads, and what its death costs. */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createVirtualClock } from '../../../../src/actors/runtime/clock.ts'
import { decodeError } from '../../../../src/messages/error-codec.ts'
import { createAdvances } from '../../../../src/protocols/message-log/engine/advances.ts'
import {
  appendOf,
  messageHeadBytes,
  valuesIn,
} from '../../../../src/protocols/message-log/engine/conformance/stored-messages.ts'
import type { AppendRequest } from '../../../../src/protocols/message-log/engine/contract.ts'
import { sqliteLogEngine } from '../../../../src/protocols/message-log/engine/sqlite/sqlite-log-engine.ts'
import { logFigures } from '../../../../src/protocols/message-log/log-figures.ts'
import { AppendBatchWriter } from '../../../../src/protocols/message-log/owner/append-batch.ts'
import type { StoreInput } from '../../../../src/protocols/message-log/owner/config.ts'
import { logStore } from '../../../../src/protocols/message-log/owner/log-store.ts'
import { createSystem } from '../../../../src/supervisor/system.ts'
import { quiet } from '../../../supervisor/fixtures/local-system.ts'
import { closing, mayClose, slowClosingEngine } from '../fixtures/slow-closing.ts'
import { until } from '../serving/log-shard.ts'
import { newContext, newFolder } from '../sqlite-world.ts'

const timeoutMs = 10_000
const ever = Number.POSITIVE_INFINITY

function inputOf(engine: StoreInput['engine'], advances = createAdvances()): StoreInput {
  const retention = { ageMs: ever, partitionBytesMax: ever, producerAgeMs: ever }
  const topicRoom = { partitionsMax: 1_000, frameBytesMax: 16_777_216 }
  return { engine, advances, figures: logFigures.create(1), retention, retentionIntervalMs: 60_000, topicRoom }
}

function batchOf(...appends: readonly AppendRequest[]): Uint8Array {
  const writer = new AppendBatchWriter(new ArrayBuffer(1_024))
  for (const append of appends) writer.add(append)
  return writer.take()
}

async function withStore(t: Test, shards: number) {
  const path = join(newFolder(t), 'log.db')
  const { moduleUrl, exportName } = sqliteLogEngine
  const advances = createAdvances()
  const system = await createSystem({ shards, logger: quiet })
  t.teardown(() => system.stop())
  const input = inputOf({ moduleUrl, exportName, options: { path } }, advances)
  const store = await system.spawn(logStore, { id: 'store', input })
  return { system, store, path, advances }
}

t.test('appends of another thread are committed, answered, and wake who waits here', async t => {
  const { store, path, advances } = await withStore(t, 1)
  const topic = await store.ask({ type: 'store.createTopic', name: 'orders', partitions: 1 }, { timeoutMs })
  const id = topic.partitionIds[0]!
  const reader = await sqliteLogEngine.opener.openReader!({ path }, newContext([], advances))
  const wait = reader.whenPast(id, 1, new AbortController().signal)
  const batch = batchOf(appendOf(id, ['a', 'b']), appendOf(id + 1, ['nowhere']), appendOf(id, ['c']))
  const { results, refusals } = await store.ask({ type: 'store.append', incarnation: 1, batch }, { timeoutMs })
  t.same([...results], [0, 2, 0, 0, 2, 1])
  t.same(
    refusals.map(({ index }) => index),
    [1],
  )
  t.match(decodeError(refusals[0]!.error), { code: 'PARTITION_NOT_FOUND' })
  await wait
  t.same(valuesIn(await reader.read(id, 0, 1_000)), ['0:a', '1:b', '2:c'])
  const again = store.ask({ type: 'store.createTopic', name: 'orders', partitions: 1 }, { timeoutMs })
  await t.rejects(again, { code: 'TOPIC_EXISTS' })
  await store.ask({ type: 'store.deleteTopic', name: 'orders' }, { timeoutMs })
  t.same(await reader.listTopics(), [])
  await reader.close()
})

t.test('it reads for shards that have no reader of their own', async t => {
  const { store } = await withStore(t, 1)
  const topic = await store.ask({ type: 'store.createTopic', name: 'orders', partitions: 1 }, { timeoutMs })
  const partitionId = topic.partitionIds[0]!
  const batch = batchOf(appendOf(partitionId, ['a', 'b']))
  await store.ask({ type: 'store.append', incarnation: 1, batch }, { timeoutMs })
  t.same(await store.ask({ type: 'store.listTopics' }, { timeoutMs }), [topic])
  t.equal(await store.ask({ type: 'store.highWaterMark', partitionId }, { timeoutMs }), 2)
  const read = (offset: number) =>
    store.ask({ type: 'store.read', partitionId, offset, maxBytes: 1_000 }, { timeoutMs })
  t.same(valuesIn(await read(1)), ['1:b'])
  await t.rejects(read(3), { code: 'OFFSET_OUT_OF_RANGE', handled: /^no$/ })
})

t.test('after its death the next owner has what was acknowledged, and knows a repeat', async t => {
  const { system, store } = await withStore(t, 1)
  const topic = await store.ask({ type: 'store.createTopic', name: 'orders', partitions: 1 }, { timeoutMs })
  const id = topic.partitionIds[0]!
  for (let sequence = 0; sequence < 3; sequence++) {
    const append = appendOf(id, ['a', 'b'], { producer: { id: 9n, sequence } })
    const { results } = await store.ask(
      { type: 'store.append', incarnation: sequence + 1, batch: batchOf(append) },
      { timeoutMs },
    )
    t.same([...results], [2 * sequence, 2])
    const died = new Promise(resolve => system.watch(store, resolve))
    system.kill(store)
    await died
    const { incarnation } = await store.ask({ type: 'store.whenOpen' }, { timeoutMs })
    t.equal(incarnation, sequence + 2)
    const late = store.ask({ type: 'store.append', incarnation: sequence + 1, batch: batchOf(append) }, { timeoutMs })
    await t.rejects(late, { code: 'ACTOR_DIED', handled: /^no$/ }, 'what was meant for the one before')
    const repeat = await store.ask({ type: 'store.append', incarnation, batch: batchOf(append) }, { timeoutMs })
    t.same([...repeat.results], [2 * sequence, 2])
  }
})

t.test('it closes the store in good order: what was asked before is answered', async t => {
  const { system, store, path } = await withStore(t, 0)
  const topic = await store.ask({ type: 'store.createTopic', name: 'orders', partitions: 1 }, { timeoutMs })
  const id = topic.partitionIds[0]!
  const append = store.ask({ type: 'store.append', incarnation: 1, batch: batchOf(appendOf(id, ['a'])) }, { timeoutMs })
  const stopped = system.stop()
  t.same([...(await append).results], [0, 1])
  await stopped
  const engine = await sqliteLogEngine.opener.open({ path }, newContext())
  t.equal(await engine.highWaterMark(id), 1)
  await engine.close()
})

t.test('what it is asked while it closes is for the next one', async t => {
  const system = await createSystem({ shards: 0, logger: quiet })
  t.teardown(() => system.stop())
  const { moduleUrl, exportName } = slowClosingEngine
  const input = inputOf({ moduleUrl, exportName, options: undefined })
  const store = await system.spawn(logStore, { id: 'store', input })
  const stopped = system.stopActor(store)
  await closing.promise
  const batch = batchOf(appendOf(1, ['a']))
  const asked = [
    store.ask({ type: 'store.append', incarnation: 1, batch }, { timeoutMs }),
    store.ask({ type: 'store.createTopic', name: 'late', partitions: 1 }, { timeoutMs }),
    store.ask({ type: 'store.whenOpen' }, { timeoutMs }),
  ]
  const settled = Promise.allSettled(asked)
  mayClose.resolve()
  for (const outcome of await settled)
    t.match(outcome, { status: 'rejected', reason: { code: 'ACTOR_DIED', handled: /^no$/ } })
  await stopped
})

t.test('an owner whose store cannot be opened does not start, and says why', async t => {
  const path = join(newFolder(t), 'log.db')
  const other = await sqliteLogEngine.opener.open({ path }, newContext())
  const system = await createSystem({ shards: 0, logger: quiet })
  t.teardown(() => system.stop())
  const { moduleUrl, exportName } = sqliteLogEngine
  const input = inputOf({ moduleUrl, exportName, options: { path } })
  const started = system.spawn(logStore, { id: 'store', input })
  await t.rejects(started, { code: 'STORAGE_FAILED', details: { reason: 'busy' } })
  await other.close()
})

t.test('what is out of date is removed at its interval', async t => {
  const path = join(newFolder(t), 'log.db')
  const clock = createVirtualClock()
  const system = await createSystem({ shards: 0, clock, logger: quiet })
  t.teardown(() => system.stop())
  const { moduleUrl, exportName } = sqliteLogEngine
  const input = inputOf({ moduleUrl, exportName, options: { path } })
  const retention = { ...input.retention, ageMs: 1_000 }
  const store = await system.spawn(logStore, { id: 'store', input: { ...input, retention } })
  const topic = await store.ask({ type: 'store.createTopic', name: 'orders', partitions: 1 }, { timeoutMs })
  const id = topic.partitionIds[0]!
  for (const value of ['a', 'b', 'c'])
    await store.ask({ type: 'store.append', incarnation: 1, batch: batchOf(appendOf(id, [value])) }, { timeoutMs })
  const reader = await sqliteLogEngine.opener.openReader!({ path }, newContext())
  await clock.advance(59_999)
  t.same(valuesIn(await reader.read(id, 0, 1_000)), ['0:a', '1:b', '2:c'])
  await clock.advance(1)
  // The owner answers between the slices that it removes.
  await store.ask({ type: 'store.whenOpen' }, { timeoutMs })
  await t.rejects(async () => reader.read(id, 0, 1_000), { code: 'OFFSET_OUT_OF_RANGE', details: { firstOffset: 2 } })
  t.same(valuesIn(await reader.read(id, 2, 1_000)), ['2:c'])
  await until(() => logFigures.read(input.figures).batchesRemoved > 0)
  t.match(logFigures.read(input.figures), {
    appends: 3,
    messages: 3,
    batchesRemoved: 2,
    bytesRemoved: 2 * (messageHeadBytes + 1),
    retentionsFailed: 0,
  })
  await reader.close()
})
