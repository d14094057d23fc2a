/** Consumers and real log servers. */
import t, { type Test } from 'tap'
import {
  type ConsumedMessage,
  type ConsumerOptions,
  createLogClient,
  type LogClient,
  type LogConsumer,
  memoryLogEngine,
} from '../../src/index.ts'
import { until } from '../actors/connection/event-shard.ts'
import { serveLog } from './fixtures/served-log.ts'

t.setTimeout(60_000)

interface World {
  readonly client: LogClient
  readonly port: number
  readonly partitions: readonly number[]
  /** A consumer of the topic that is gone when the test is over. */
  consumer(options?: Partial<ConsumerOptions>): LogConsumer
  /** Produces texts as one batch. */
  produce(partition: number, ...values: readonly string[]): Promise<unknown>
}

async function world(t: Test, partitions = 1, options: Parameters<typeof serveLog>[2] = {}): Promise<World> {
  const { port } = await serveLog(t, 0, { engine: memoryLogEngine.with(undefined), ...options })
  const client = createLogClient(`127.0.0.1:${port}`)
  t.teardown(() => client.close({ timeoutMs: 0 }))
  const topic = await client.createTopic('t', partitions)
  return {
    client,
    port,
    partitions: topic.partitions,
    consumer(options = {}) {
      const consumer = client.consumer({ topic: 't', ...options })
      t.teardown(() => consumer.close())
      return consumer
    },
    produce: (partition, ...values) =>
      client.produce(
        partition,
        values.map(value => ({ value })),
      ),
  }
}

const textOf = ({ value }: ConsumedMessage) => String(value)

/** The next messages, as texts. */
async function read(consumer: LogConsumer, count: number): Promise<string[]> {
  const texts: string[] = []
  if (count === 0) return texts
  for await (const message of consumer) if (texts.push(textOf(message)) === count) break
  return texts
}

t.test('from the start, message by message, and on as messages come', async t => {
  const { consumer, produce, partitions } = await world(t)
  const [p = -1] = partitions
  await produce(p, 'a', 'b')
  const reader = consumer()
  t.same(await read(reader, 1), ['a'])
  t.match(reader.stats(), [{ partition: p, position: 1, highWaterMark: 2, lag: 1, isPaused: false }])
  const waiting = read(reader, 3)
  await produce(p, 'c')
  await produce(p, 'd')
  t.same(await waiting, ['b', 'c', 'd'])
  t.match(reader.stats(), [{ position: 4, lag: 0 }])
})

t.test('several who ask at once get messages one behind the other, and none is lost', async t => {
  const { consumer, produce, partitions } = await world(t, 2)
  const values = ['0', '1', '2', '3', '4']
  for (const p of partitions) await produce(p, ...values)
  const reader = consumer()
  const iterator = reader[Symbol.asyncIterator]()
  const asked = Array.from({ length: 12 }, () => iterator.next())
  const messages = (await Promise.all(asked.slice(0, 10))).map(({ value }) => value!)
  for (const p of partitions) t.same(messages.filter(({ partition }) => partition === p).map(textOf), values)
  await produce(partitions[0]!, 'late')
  t.equal(textOf((await asked[10]!).value!), 'late')
  await reader.close()
  t.same(await asked[11], { done: true, value: undefined })
})

t.test('from the end, and from an offset', async t => {
  const { consumer, produce, partitions } = await world(t, 2)
  const [p = -1, q = -1] = partitions
  await produce(p, 'a', 'b', 'c')
  const end = consumer({ from: 'end' })
  const fromEnd = read(end, 1)
  await until(() => end.stats().length === 2 && end.stats().every(({ position }) => position !== undefined))
  const fromB = consumer({ from: { [p]: 1 } })
  await produce(p, 'd')
  t.same(await fromEnd, ['d'])
  t.same(await read(fromB, 3), ['b', 'c', 'd'])
  await produce(q, 'x')
  t.same(await read(fromB, 1), ['x'], 'a partition that is not named begins at the start')
})

t.test('batches of several partitions come in turn, each in order, with its lag', async t => {
  const { consumer, produce, partitions } = await world(t, 3)
  for (const n of ['1', '2', '3', '4']) for (const p of partitions) await produce(p, `${p}.${n}`)
  // One message, 8 bytes more each than 16 and its text.
  const reader = consumer({ fetchBytesMax: 27 })
  const seen: [number, number, number, number][] = []
  await reader.eachBatch(async ({ partition, messages, baseOffset, highWaterMark, lag, count }) => {
    t.same(
      messages.map(textOf),
      messages.map(({ offset }) => `${partition}.${offset + 1}`),
    )
    t.equal(messages.length, count)
    seen.push([partition, baseOffset, highWaterMark, lag])
    if (seen.length === 12) await reader.close()
  })
  for (const partition of partitions) {
    t.same(
      seen.filter(([of]) => of === partition),
      [0, 1, 2, 3].map(offset => [partition, offset, 4, 3 - offset]),
    )
  }
  t.equal(new Set(seen.slice(0, 3).map(([partition]) => partition)).size, 3, 'nobody waits for two turns')
})

t.test('a batch whose handler fails comes again', async t => {
  const { consumer, produce, partitions } = await world(t)
  await produce(partitions[0]!, 'a', 'b')
  const reader = consumer()
  const fails = () => Promise.reject(new Error('not now'))
  await t.rejects(reader.eachBatch(fails), { message: 'not now' })
  await t.rejects(reader.eachBatch(fails), { message: 'not now' })
  t.match(reader.stats(), [{ position: 0 }])
  t.same(await read(reader, 1), ['a'])
  const rest: string[] = []
  await reader.eachBatch(async ({ messages }) => {
    rest.push(...messages.map(textOf))
    await reader.close()
  })
  t.same(rest, ['b'], 'what a loop that was left has not handed out')
})

t.test('seek goes back and on, also past what was fetched, and before the first read', async t => {
  const { consumer, produce, partitions } = await world(t)
  const [p = -1] = partitions
  await produce(p, 'a', 'b', 'c', 'd')
  const reader = consumer()
  reader.seek(p, 2)
  t.same(await read(reader, 1), ['c'])
  reader.seek(p, 0)
  t.same(await read(reader, 2), ['a', 'b'])
  reader.seek(p, 4)
  const waiting = read(reader, 1)
  reader.seek(p, 3)
  t.same(await waiting, ['d'], 'a long poll that waits is left')
  t.throws(() => reader.seek(p, -1), { code: 'BAD_CONFIG' })
})

t.test('what is paused is not handed out; the rest is', async t => {
  const { consumer, produce, partitions } = await world(t, 2)
  const [p = -1, q = -1] = partitions
  await produce(p, 'p1', 'p2')
  const reader = consumer()
  reader.pause([p])
  const waiting = read(reader, 1)
  await produce(q, 'q1')
  t.same(await waiting, ['q1'])
  reader.pause()
  reader.resume([p])
  t.same(await read(reader, 2), ['p1', 'p2'])
  await produce(q, 'q2')
  const more = read(reader, 2)
  await produce(p, 'p3')
  await until(() => reader.stats().some(({ partition, position }) => partition === p && position === 3))
  reader.resume()
  t.same(await more, ['p3', 'q2'])
})

t.test('pause holds a batch back of which a loop has had a part', async t => {
  const { consumer, produce, partitions } = await world(t, 2)
  const [p = -1, q = -1] = partitions
  await produce(p, 'p1', 'p2', 'p3')
  const reader = consumer()
  t.same(await read(reader, 1), ['p1'])
  reader.pause([p])
  await produce(q, 'q1')
  t.same(await read(reader, 1), ['q1'])
  reader.resume()
  t.same(await read(reader, 2), ['p2', 'p3'])
})

t.test('what is fetched ahead is bounded', async t => {
  const { consumer, produce, partitions } = await world(t)
  const [p = -1] = partitions
  const value = 'x'.repeat(1_000)
  for (let n = 0; n < 40; n++) await produce(p, ...Array.from({ length: 10 }, () => value))
  const prefetchBytesMax = 50_000
  const reader = consumer({ prefetchBytesMax, fetchBytesMax: 15_000 })
  const buffered = () => reader.stats()[0]?.bufferedBytes ?? 0
  t.same(await read(reader, 1), [value])
  await until(() => buffered() > prefetchBytesMax - 20_000)
  let most = 0
  let count = 1
  for await (const _ of reader) {
    most = Math.max(most, buffered())
    if (++count === 400) break
  }
  t.ok(most <= prefetchBytesMax, `${most} bytes`)
  await produce(p, 'y'.repeat(200_000))
  t.equal((await read(reader, 1))[0]?.length, 200_000, 'a message that is larger comes alone')
})

t.test('what is fetched ahead of many partitions is bounded, but for one message that is larger', async t => {
  const { client, consumer, produce, partitions } = await world(t, 24)
  const value = 'x'.repeat(50_000)
  const prefetchBytesMax = 100_000
  for (let n = 0; n < 3; n++) for (const p of partitions) await produce(p, `${n}${value}`)
  const before = client.stats().requests
  const reader = consumer({ prefetchBytesMax })
  const sum = () => reader.stats().reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0)
  const seen: string[] = []
  let most = 0
  await reader.eachBatch(async ({ partition, messages }) => {
    // Whatever was asked for has been answered by then.
    await client.healthCheck()
    most = Math.max(most, sum())
    seen.push(...messages.map(({ value }) => `${partition}.${String(value)[0]}`))
    if (seen.length === 72) await reader.close()
  })
  t.ok(most > 50_000 && most <= prefetchBytesMax + 50_100, `${most} bytes`)
  for (const p of partitions) {
    t.same(
      seen.filter(of => of.startsWith(`${p}.`)),
      ['0', '1', '2'].map(n => `${p}.${n}`),
    )
  }
  const fetches = client.stats().requests - before - 72
  t.ok(fetches <= 72 + 72, `${fetches} fetches: each message came twice at most`)
  t.equal(sum(), 0, 'nothing is held once it is closed')
})

t.test('what is fetched ahead of a partition that is paused holds no other up', async t => {
  const { consumer, produce, partitions } = await world(t, 2)
  const [p = -1, q = -1] = partitions
  const large = 'x'.repeat(200_000)
  const small = Array.from({ length: 30 }, (_, n) => `${n}`.padEnd(9_000))
  for (const value of small) await produce(q, value)
  const reader = consumer({ prefetchBytesMax: 50_000 })
  t.same(await read(reader, 2), small.slice(0, 2))
  await produce(p, large)
  await until(() => reader.stats()[0]!.bufferedBytes > 200_000)
  reader.pause([p])
  t.same(await read(reader, 28), small.slice(2))
  t.equal(reader.stats()[0]!.bufferedBytes, 0)
  reader.resume([p])
  t.same(await read(reader, 1), [large])
})

t.test('close and abort end everything at once', async t => {
  const { consumer, client } = await world(t, 2)
  const closing = consumer()
  const ends = closing[Symbol.asyncIterator]().next()
  await until(() => client.stats().servers[0]!.inFlight === 2)
  await closing.close()
  t.same(await ends, { done: true, value: undefined })
  await closing.eachBatch(() => t.fail('nothing comes any more'))

  const abort = new AbortController()
  const aborted = consumer({ signal: abort.signal })
  const rejected = t.rejects(read(aborted, 1), { code: 'REQUEST_ABORTED', cause: { message: 'enough' } })
  await until(() => aborted.stats().length === 2)
  abort.abort(new Error('enough'))
  await rejected
  await t.rejects(
    aborted.eachBatch(() => {}),
    { code: 'REQUEST_ABORTED' },
  )
  t.equal(client.stats().open, 0)
  await t.rejects(read(consumer({ signal: AbortSignal.abort() }), 1), { code: 'REQUEST_ABORTED' })
  const left = read(consumer(), 1)
  const fromMs = performance.now()
  await client.close()
  t.same(await left, [])
  t.ok(performance.now() - fromMs < 900)
})

t.test('an offset that is out of range: fail, or go on where told', async t => {
  const { consumer, produce, partitions } = await world(t)
  const [p = -1] = partitions
  await produce(p, 'a', 'b')
  await t.rejects(read(consumer({ from: { [p]: 9 } }), 1), { code: 'OFFSET_OUT_OF_RANGE', handled: /^no$/ })
  t.same(await read(consumer({ from: { [p]: 9 }, outOfRange: 'start' }), 2), ['a', 'b'])
  const end = consumer({ from: { [p]: 9 }, outOfRange: 'end' })
  const waiting = read(end, 1)
  await until(() => end.stats()[0]?.position === 2)
  await produce(p, 'c')
  t.same(await waiting, ['c'])
})

t.test('the oldest message that is kept is found, and what was skipped is told', async t => {
  const retention = { partitionBytesMax: 200, intervalMs: 50 }
  const { client, consumer, produce, partitions } = await world(t, 1, { retention })
  const [p = -1] = partitions
  const behind = consumer({ outOfRange: 'start', fetchBytesMax: 1, prefetchBytesMax: 1 })
  const produceOne = (n: number) => produce(p, `${n}`.padStart(30, '.'))
  await produceOne(0)
  t.match(await read(behind, 1), [/^\.+0$/])
  for (let n = 1; n < 40; n++) await produceOne(n)
  const isKept = (offset: number) =>
    client.fetch(p, offset, 1).then(
      () => true,
      () => false,
    )
  // Messages have 46 bytes: the last four are within the bound.
  const oldest = 36
  const details = { firstOffset: oldest, highWaterMark: 40 }
  while (await isKept(oldest - 1)) await new Promise(resolve => setImmediate(resolve))
  t.ok(await isKept(oldest))
  await t.rejects(client.fetch(p, 0, 1), { code: 'OFFSET_OUT_OF_RANGE', details })
  const [first] = await read(consumer(), 1)
  t.equal(Number(first?.replaceAll('.', '')), oldest)
  const batches: [number, number][] = []
  await behind.eachBatch(async ({ baseOffset, skipped }) => {
    batches.push([baseOffset, skipped])
    await behind.close()
  })
  t.same(batches, [[oldest, oldest - 1]], 'it had room for nothing ahead')
})

t.test('no such topic or partition; a topic that is deleted', async t => {
  const { client, consumer, partitions } = await world(t)
  await t.rejects(read(client.consumer({ topic: 'never' }), 1), { code: 'TOPIC_NOT_FOUND' })
  await t.rejects(read(consumer({ partitions: [99] }), 1), { code: 'PARTITION_NOT_FOUND', details: { partition: 99 } })
  const notThere = { code: 'PARTITION_NOT_FOUND', details: { partition: 99 } } as const
  await t.rejects(read(consumer({ from: { 99: 4 } }), 1), notThere)
  const sought = consumer()
  sought.seek(99, 4)
  await t.rejects(read(sought, 1), notThere)
  t.throws(() => consumer({ partitions }).seek(99, 4), notThere)
  const reader = consumer({ partitions })
  const reading = read(reader, 1)
  await until(() => reader.stats().length === 1)
  t.throws(() => reader.seek(99, 4), notThere)
  await until(() => client.stats().servers[0]!.inFlight === 1)
  const ended = t.rejects(reading, { code: 'PARTITION_NOT_FOUND' })
  await client.deleteTopic('t')
  await ended
})

t.test('options that cannot be used', async t => {
  const { client } = await world(t)
  const bad = { topic: '', from: 'middle', partitions: [], outOfRange: 'x', maxWaitMs: 60_000, fetchBytesMax: 0, a: 1 }
  t.throws(() => client.consumer(bad as never), {
    code: 'BAD_CONFIG',
    message:
      /a is not known.*topic is "".*from is "middle".*partitions is an empty list.*outOfRange is "x".*fetchBytesMax is 0.*maxWaitMs is 60000, not less than silenceTimeoutMs of the pool, 20000/,
  })
  t.throws(() => client.consumer({ topic: 't', from: { 1: -1 } }), { message: /from\[1\] is -1/ })
  t.throws(() => client.consumer({ topic: 't', from: { 2: 0 }, partitions: [1] }), {
    message: /from\[2\] is for a partition that is not among partitions/,
  })
})

/** Reads a message, and waits until all others that there are are fetched ahead. */
async function readAhead(t: Test, count: number) {
  const { consumer, produce, partitions } = await world(t)
  const [partition = -1] = partitions
  const reader = consumer()
  await produce(partition, '0')
  t.same(await read(reader, 1), ['0'])
  await produce(partition, ...Array.from({ length: count - 1 }, (_, nth) => `${nth + 1}`))
  await until(() => reader.stats()[0]!.highWaterMark === count)
  return { reader, partition }
}

t.test('a seek while a message is on its way takes back what was fetched ahead of it', async t => {
  const { reader, partition } = await readAhead(t, 5)
  const messages = reader[Symbol.asyncIterator]()
  const onItsWay = messages.next()
  reader.seek(partition, 0)
  t.equal(textOf((await onItsWay).value!), '0')
  t.same(await read(reader, 4), ['1', '2', '3', '4'])
})

t.test('a pause while a message is on its way holds it back, and it comes when it is resumed', async t => {
  const { reader, partition } = await readAhead(t, 5)
  const messages = reader[Symbol.asyncIterator]()
  let came = false
  const onItsWay = messages.next().then(({ value }) => {
    came = true
    return textOf(value!)
  })
  reader.pause()
  // Its position is known again when what was taken back has been fetched anew, or would have been handed out.
  for (let turns = 0; turns < 20; turns++) await new Promise(resolve => setImmediate(resolve))
  t.equal(came, false)
  t.equal(reader.stats()[0]!.position, 1)
  reader.resume([partition])
  t.equal(await onItsWay, '1')
  t.same(await read(reader, 3), ['2', '3', '4'])
})

t.test('a seek and a pause while a batch is on its way take it back', async t => {
  for (const call of ['seek', 'pause'] as const) {
    const { reader, partition } = await readAhead(t, 5)
    const begun: number[] = []
    const reading = reader.eachBatch(batch => {
      begun.push(batch.baseOffset)
      if (batch.nextOffset === 5) void reader.close()
    })
    if (call === 'seek') reader.seek(partition, 0)
    else {
      reader.pause()
      for (let turns = 0; turns < 20; turns++) await new Promise(resolve => setImmediate(resolve))
      t.same(begun, [])
      reader.resume()
    }
    await reading
    t.equal(begun[0], call === 'seek' ? 0 : 1, call)
  }
})

t.test('a consumer has one reader at a time', async t => {
  const { consumer, produce, partitions } = await world(t)
  const [partition = -1] = partitions
  await produce(partition, '0', '1')
  const reader = consumer()
  const refused = (why: RegExp) => ({ code: 'REQUEST_REFUSED', handled: /^no$/, message: why })
  const waiting = reader[Symbol.asyncIterator]().next()
  await t.rejects(reader.eachBatch(t.fail), refused(/a loop waits for its next message/))
  t.equal(textOf((await waiting).value!), '0')
  const failing = new Error('not now')
  const seen: string[] = []
  const reading = reader.eachBatch(async ({ messages }) => {
    seen.push(...messages.map(textOf))
    await t.rejects(reader.eachBatch(t.fail), refused(/another eachBatch reads it/))
    await t.rejects(reader[Symbol.asyncIterator]().next(), refused(/eachBatch reads it/))
    throw failing
  })
  await t.rejects(reading, failing)
  t.same(seen, ['1'])
  t.same(await read(reader, 1), ['1'], 'who comes behind it reads on')
})

t.test('a partition that is not read is not paused', async t => {
  const { consumer, produce, partitions } = await world(t)
  const [partition = -1] = partitions
  await produce(partition, '0')
  const notRead = { code: 'PARTITION_NOT_FOUND', details: { partition: 0 } }
  const some = consumer({ partitions: [partition] })
  t.throws(() => some.pause([0]), notRead)
  const reader = consumer()
  reader.pause([0])
  await t.rejects(reader[Symbol.asyncIterator]().next(), notRead, 'before it has begun whoever reads is told')
  const begun = consumer()
  t.same(await read(begun, 1), ['0'])
  t.throws(() => begun.pause([partition, 0]), notRead)
  t.throws(() => begun.resume([0]), notRead)
  t.match(begun.stats(), [{ isPaused: false }])
})
