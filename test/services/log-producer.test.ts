/** Producers and real log servers: where messages go, what is bounded, and what kills in between cost. */
import t, { type Test } from 'tap'
import { createChaos } from '../../src/chaos/index.ts'
import {
  createLogClient,
  createRandom,
  isStarfishError,
  type LogClient,
  memoryLogEngine,
  type ProducerMessage,
  type SentMessage,
} from '../../src/index.ts'
import { partitionOfKey } from '../../src/services/clients/log/murmur2.ts'
import { serveLog } from './fixtures/served-log.ts'

t.setTimeout(120_000)

const memory = { engine: memoryLogEngine.with(undefined) }

async function clientOf(
  t: Test,
  shards: number,
  options: Parameters<typeof serveLog>[2] = {},
  connectionsPerServer = 1,
) {
  const served = await serveLog(t, shards, options)
  const pool = { backoffInitialMs: 5, backoffMaxMs: 50, connectionsPerServer }
  const client = createLogClient({ brokers: { port: served.port }, pool })
  t.teardown(() => client.close({ timeoutMs: 0 }))
  return { ...served, client }
}

/** All values of a partition, in order. */
async function valuesOf(client: LogClient, partition: number): Promise<string[]> {
  const values: string[] = []
  for (let next = 0; ; ) {
    const { messages, highWaterMark } = await client.fetch(partition, next, 1_000_000)
    for (const { offset, value } of messages) {
      if (offset !== next++) throw new Error(`offset ${offset}, not ${next - 1}`)
      values.push(String(value))
    }
    if (next === highWaterMark) return values
  }
}

t.test('keys choose partitions, partitions that are named too, the others go where a batch is filled', async t => {
  const { client } = await clientOf(t, 0, memory)
  const { partitions } = await client.createTopic('t', 5)
  const producer = client.producer({ lingerMs: 5 })
  const keys = Array.from({ length: 100 }, (_, n) => `key ${n}`)
  const byKey = await producer.send({ topic: 't', messages: keys.map(key => ({ key, value: key })) })
  const expected = keys.map(key => partitions[partitionOfKey(Buffer.from(key), 5)])
  t.same(
    byKey.map(({ partition }) => partition),
    expected,
  )
  t.equal(new Set(expected).size, 5)
  const named = partitions.map(partition => ({ key: 'same', value: 'x', partition }))
  t.same(
    (await producer.send({ topic: 't', messages: named })).map(({ partition }) => partition),
    partitions,
  )
  const places = new Set<number>()
  for (let round = 0; round < 30; round++) {
    const sends = Array.from({ length: 10 }, () => producer.send({ topic: 't', messages: [{ value: 'no key' }] }))
    const of = new Set((await Promise.all(sends)).flat().map(({ partition }) => partition))
    t.equal(of.size, 1, 'a batch sticks to a partition')
    places.add([...of][0]!)
  }
  t.ok(places.size > 1, 'the next batch goes to another one')
  const { requests } = client.stats()
  t.ok(requests <= 5 + 5 + 30 + 2, `${requests} requests for 405 messages`)
})

t.test('messages that are sent without waiting are stored in order, in few requests', async t => {
  const { client } = await clientOf(t, 0, memory)
  const [partition = -1] = (await client.createTopic('t')).partitions
  const producer = client.producer()
  const sends = Array.from({ length: 20_000 }, (_, n) => producer.send({ topic: 't', messages: [{ value: `${n}` }] }))
  const offsets = (await Promise.all(sends)).map(([{ offset = -1 } = {}]) => offset)
  t.same(offsets, [...offsets.keys()])
  t.same(await valuesOf(client, partition), offsets.map(String))
  t.ok(client.stats().requests < 100)
})

t.test('null, empty and large are what they were', async t => {
  const { client } = await clientOf(t, 0, memory)
  const [partition = -1] = (await client.createTopic('t')).partitions
  const producer = client.producer({ batchBytesMax: 1_000 })
  const large = Buffer.alloc(300_000, 'large')
  const messages: ProducerMessage[] = [
    { value: null, timestamp: 1 },
    { key: '', value: '', timestamp: -2 },
    { key: 'ä', value: large, timestamp: 3 },
    { key: null, value: new Uint8Array([0, 255]), timestamp: 4 },
  ]
  await producer.send({ topic: 't', messages })
  const stored = (await client.fetch(partition, 0, 1_000_000)).messages
  t.same(
    stored.map(({ key, value, timestamp }) => [timestamp, key, value]),
    [
      [1, null, null],
      [-2, Buffer.alloc(0), Buffer.alloc(0)],
      [3, Buffer.from('ä'), large],
      [4, null, Buffer.from([0, 255])],
    ],
  )
})

t.test('memory is bounded: sends wait in line, and are refused beyond it', async t => {
  const { client } = await clientOf(t, 0, memory)
  await client.createTopic('t')
  const producer = client.producer({ bufferBytesMax: 10_000, sendsWaitingMax: 5, timeoutMs: 20_000 })
  await producer.send({ topic: 't', messages: [{ value: 'known' }] })
  const value = 'x'.repeat(4_000)
  const send = () => producer.send({ topic: 't', messages: [{ value }] })
  await producer.ready()
  const sends = Array.from({ length: 8 }, send)
  t.match(producer.stats(), { bufferedBytes: 8_032, sendsWaiting: 5 })
  await t.rejects(sends[7]!, { code: 'OVERLOADED', handled: /^no$/ })
  let isReady = false
  const ready = producer.ready().then(() => {
    isReady = true
  })
  t.equal((await sends[0]!).length, 1)
  await ready
  t.ok(isReady)
  await Promise.all(sends.slice(0, 7))
  const huge = await producer.send({ topic: 't', messages: [{ value: 'x'.repeat(50_000) }] })
  t.same(
    huge.map(({ offset }) => offset),
    [8],
    'one that is larger passes alone',
  )
})

t.test('a send that waits is of the messages that it was called with, whatever becomes of them', async t => {
  const { client } = await clientOf(t, 0, memory)
  const { partitions } = await client.createTopic('t', 2)
  const producer = client.producer()
  const [partition = -1] = partitions
  const message = { key: 'k' as string | null, value: 'asked', partition, timestamp: 5 }
  const messages = [message]
  const sent = producer.send({ topic: 't', messages })
  t.equal(producer.stats().sendsWaiting, 1, 'its topic is not known yet')
  Object.assign(message, { key: null, value: 'changed'.repeat(9), partition: 99, timestamp: 6 })
  messages.push({ ...message })
  t.same(await sent, [{ partition, offset: 0 }])
  const [stored] = (await client.fetch(partition, 0, 1_000)).messages
  t.same([stored?.key?.toString(), stored?.value?.toString(), stored?.timestamp], ['k', 'asked', 5])
  t.equal(producer.stats().bufferedBytes, 0)
})

t.test('linger gathers, flush does not wait for it', async t => {
  const { client } = await clientOf(t, 0, memory)
  await client.createTopic('t')
  await using producer = client.producer({ lingerMs: 60_000 })
  const before = client.stats().requests
  const sends = ['a', 'b', 'c'].map(value => producer.send({ topic: 't', messages: [{ value }] }))
  await client.healthCheck()
  const late = producer.send({ topic: 't', messages: [{ value: 'd' }] })
  await producer.flush()
  const offsets = (await Promise.all([...sends, late])).map(([{ offset = -1 } = {}]) => offset)
  t.same(offsets, [0, 1, 2, 3])
  // The health check, the topics, and one batch.
  t.equal(client.stats().requests - before, 3)
})

t.test('what cannot be sent is refused, with nothing stored', async t => {
  const { client } = await clientOf(t, 0, { ...memory, frameBytesMax: 4_096 })
  await client.createTopic('t')
  const small = createLogClient({ brokers: client.stats().servers[0]!.server, frameBytesMax: 4_096 })
  t.teardown(() => small.close())
  const producer = small.producer({ batchBytesMax: 4_096 })
  const send = (messages: unknown, topic = 't') => producer.send({ topic, messages } as never)
  await t.rejects(send([{ value: 'x' }], 'never'), { code: 'TOPIC_NOT_FOUND', handled: /^no$/ })
  await t.rejects(send([{ value: 'x', partition: 99 }]), { code: 'PARTITION_NOT_FOUND', handled: /^no$/ })
  await t.rejects(send([{ value: 'x'.repeat(5_000) }]), { code: 'REQUEST_REFUSED', handled: /^no$/ })
  await t.rejects(send([]), { code: 'BAD_CONFIG', handled: /^no$/, message: /messages is an empty list/ })
  await t.rejects(send([{ value: 'x' }, { value: 7 }]), { code: 'BAD_CONFIG', message: /messages\[1\].value is 7/ })
  await t.rejects(send([{ value: 'x' }], ''), { code: 'BAD_CONFIG', message: /topic is ""/ })
  t.same(await send([{ value: 'x'.repeat(4_044) }]), [{ partition: 1, offset: 0 }], 'the largest that fits')
  t.throws(() => client.producer({ lingerMs: -1, acks: 1, inFlightMax: 65 } as never), {
    code: 'BAD_CONFIG',
    message: /acks is not known.*lingerMs is -1.*inFlightMax is 65, not a whole number from 1 to 64/,
  })
})

t.test('a topic that is made anew is found again', async t => {
  const { client } = await clientOf(t, 0, memory)
  const send = () => producer.send({ topic: 't', messages: [{ value: 'x' }] })
  const producer = client.producer()
  await client.createTopic('t')
  t.same(await send(), [{ partition: 1, offset: 0 }])
  await client.deleteTopic('t')
  await client.createTopic('t')
  t.same(await send(), [{ partition: 2, offset: 0 }], 'at once')
  t.same(await send(), [{ partition: 2, offset: 1 }])
  await client.deleteTopic('t')
  await t.rejects(send(), { code: 'TOPIC_NOT_FOUND', handled: /^no$/ })
})

t.test('what was under way to a topic that is made anew goes there, in its order', async t => {
  const { client } = await clientOf(t, 0, memory)
  const old = (await client.createTopic('t', 3)).partitions
  const producer = client.producer({ batchBytesMax: 200, inFlightMax: 3 })
  const send = (message: ProducerMessage) => producer.send({ topic: 't', messages: [message] })
  await send({ value: 'first' })
  await client.deleteTopic('t')
  const { partitions } = await client.createTopic('t', 2)
  const named = send({ value: 'x', partition: old[1]! })
  const rejected = t.rejects(named, { code: 'PARTITION_NOT_FOUND', handled: /^no$/, details: { partition: old[1] } })
  const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
  const sends: Promise<readonly SentMessage[]>[] = []
  for (let n = 0; n < 700; n++) {
    sends.push(send({ key: keys[n % 7]!, value: `${keys[n % 7]} ${n}` }))
    // Some are sent while others move.
    if (n % 10 === 9) await new Promise(resolve => setImmediate(resolve))
  }
  const sent = (await Promise.all(sends)).flat()
  await rejected
  t.ok(sent.every(({ partition }) => partitions.includes(partition)))
  const stored = (await Promise.all(partitions.map(partition => valuesOf(client, partition)))).flat()
  t.equal(stored.length, 700)
  for (const [n, key] of keys.entries()) {
    t.same(
      stored.filter(value => value.startsWith(key)),
      Array.from({ length: 100 }, (_, turn) => `${key} ${turn * 7 + n}`),
      'once, in the order of the sends',
    )
  }
  t.match(producer.stats(), { bufferedBytes: 0, sendsWaiting: 0, inFlight: 0 })
})

t.test('an aborted send is not waited for', async t => {
  const { client } = await clientOf(t, 0, memory)
  await client.createTopic('t')
  const producer = client.producer({ lingerMs: 60_000 })
  const sending = { topic: 't', messages: [{ value: 'x' }] }
  const early = new AbortController()
  const inLine = producer.send(sending, { signal: early.signal })
  early.abort()
  await t.rejects(inLine, { code: 'REQUEST_ABORTED', handled: /^no$/ })
  const first = producer.send(sending)
  await producer.flush()
  t.same(await first, [{ partition: 1, offset: 0 }])
  const late = new AbortController()
  const inBatch = producer.send(sending, { signal: late.signal })
  late.abort(new Error('enough'))
  await t.rejects(inBatch, { code: 'REQUEST_ABORTED', handled: 'unknown', cause: { message: 'enough' } })
  await t.rejects(producer.send(sending, { signal: late.signal }), { code: 'REQUEST_ABORTED', handled: /^no$/ })
  await producer.flush()
  t.equal(await client.getOffset(1), 2, 'it was in a batch, and is sent all the same')
})

t.test('every send that failed says of each message where it is stored, or that it is not known to be', async t => {
  const { client } = await clientOf(t, 0, memory)
  await client.createTopic('t')
  const detailsOf = async (sending: Promise<unknown>) => {
    const error = await sending.catch(failure => failure)
    if (!isStarfishError(error)) throw error
    return [error.code, error.details]
  }
  const producer = client.producer({ lingerMs: 60_000, sendsWaitingMax: 0, bufferBytesMax: 100 })
  const twice = (message: object, topic = 't') => producer.send({ topic, messages: [{ value: 'x' }, message] } as never)
  const none = { messages: 2, stored: 0, sent: [null, null] }
  t.same(
    await detailsOf(twice({ value: 'x' })),
    ['OVERLOADED', none],
    'there is no line to wait in until the topic is known',
  )
  await producer.close()
  t.same(await detailsOf(twice({ value: 'x' })), ['CLIENT_CLOSED', none])

  const second = client.producer({ lingerMs: 60_000 })
  const send = (message: object, options?: { signal: AbortSignal }, topic = 't') =>
    second.send({ topic, messages: [{ value: 'x' }, message] } as never, options)
  const fault = await second.send({ topic: 't', messages: [{ value: 'x', partition: 9 }] }).catch(error => error)
  t.match(fault.message, /: messages\[0\].partition is 9, which topic t does not have$/)
  t.same(await detailsOf(send({ value: 'x', partition: 9 })), [
    'PARTITION_NOT_FOUND',
    { topic: 't', partition: 9, option: 'messages[1].partition', ...none },
  ])
  t.same(await detailsOf(send({ value: 'x' }, { signal: AbortSignal.abort() })), ['REQUEST_ABORTED', none])
  t.same(await detailsOf(send({ value: 'x' }, undefined, 'never')), ['TOPIC_NOT_FOUND', { topic: 'never', ...none }])
  t.match(await detailsOf(send({ value: 'x'.repeat(17_000_000) })), ['REQUEST_REFUSED', none])
  t.match(await detailsOf(send({ value: 5 })), ['BAD_CONFIG', none])
  t.match(await detailsOf(second.send({ topic: 't' } as never)), ['BAD_CONFIG', { messages: 0, stored: 0, sent: [] }])

  const abort = new AbortController()
  const inBatch = detailsOf(send({ value: 'x' }, { signal: abort.signal }))
  abort.abort()
  t.same(await inBatch, ['REQUEST_ABORTED', none])
})

t.test('a send that waited in vain says that nothing of it is stored', async t => {
  const { port, server } = await serveLog(t, 0)
  await server.stop()
  const client = createLogClient({ brokers: { port } })
  t.teardown(() => client.close({ timeoutMs: 0 }))
  await t.rejects(client.producer({ timeoutMs: 50 }).send({ topic: 't', messages: [{ value: 'x' }] }), {
    code: 'REQUEST_TIMEOUT',
    details: { timeoutMs: 50, messages: 1, stored: 0, sent: [null] },
  })
})

/** A value says who sent it, as the how many-th. */
const labelOf = (sender: number, n: number) => `${sender}:${n}`

for (const [seed, connections] of [
  [1, 1],
  [2, 3],
] as const) {
  t.test(`kills under load: what was acknowledged is there once, in order (${connections} connections)`, async t => {
    const { client, system } = await clientOf(t, 2, {}, connections)
    const { partitions } = await client.createTopic('t', 3)
    const random = createRandom(seed)
    const chaos = createChaos(system)
    const producer = client.producer({ batchBytesMax: 2_000, inFlightMax: 16 })
    const acknowledged: { value: string; at: SentMessage }[] = []
    const doubtful = new Set<string>()
    let isOver = false
    const senders = Array.from({ length: 8 }, async (_, sender) => {
      for (let n = 0; !isOver; ) {
        const count = 1 + Math.floor(random() * 40)
        const messages = Array.from({ length: count }, () => ({ key: `${sender}`, value: labelOf(sender, n++) }))
        try {
          const sent = await producer.send({ topic: 't', messages })
          for (const [index, at] of sent.entries()) acknowledged.push({ value: messages[index]!.value, at })
        } catch (error) {
          if (!isStarfishError(error) || error.handled === undefined) throw error
          for (const { value } of messages) doubtful.add(value)
        }
      }
    })
    const consumed = new Map<number, string[]>(partitions.map(partition => [partition, []]))
    const consumer = client.consumer({ topic: 't' })
    const reading = consumer.eachBatch(({ partition, baseOffset, messages }) => {
      const values = consumed.get(partition)!
      if (values.length !== baseOffset) throw new Error(`${baseOffset} after ${values.length} messages`)
      for (const { value } of messages) values.push(String(value))
    })
    const victims = ['log/store', { shard: 0 }, 'log/store', { shard: 1 }] as const
    for (const victim of victims) {
      const until = acknowledged.length + 500 + random() * 1_000
      while (acknowledged.length < until) await new Promise(resolve => setImmediate(resolve))
      await (typeof victim === 'string' ? chaos.kill(victim) : chaos.kill(victim))
    }
    const until = acknowledged.length + 1_000
    while (acknowledged.length < until) await new Promise(resolve => setImmediate(resolve))
    isOver = true
    await Promise.all(senders)
    for (const partition of partitions) {
      const values = await valuesOf(client, partition)
      while (consumed.get(partition)!.length < values.length) await new Promise(resolve => setImmediate(resolve))
      t.same(consumed.get(partition), values, 'the consumer saw each message once, in order')
      t.equal(new Set(values).size, values.length, `nothing twice in ${values.length} messages`)
      const last = new Map<string, number>()
      for (const value of values) {
        const [sender = '', n] = value.split(':')
        if (Number(n) <= (last.get(sender) ?? -1)) t.fail(`${value} after ${last.get(sender)}`)
        last.set(sender, Number(n))
      }
      const lost = acknowledged.filter(({ at, value }) => at.partition === partition && values[at.offset] !== value)
      t.same(lost, [], 'all that was acknowledged is where it was said to be')
    }
    const { retries } = client.stats()
    t.comment(`${acknowledged.length} acknowledged, ${doubtful.size} in doubt, ${retries} retries`)
    t.equal(doubtful.size, 0, 'every send outlived the kills')
    t.ok(retries > 0)
    await consumer.close()
    await reading
  })
}

t.test('batches are no larger than what one request of the client may have', async t => {
  const { client } = await clientOf(t, 0, memory)
  await client.createTopic('t')
  const small = createLogClient({ brokers: client.stats().servers[0]!.server, frameBytesMax: 1_024 })
  t.teardown(() => small.close({ timeoutMs: 0 }))
  const messages = Array.from({ length: 500 }, () => ({ value: '' }))
  for (const options of [{}, { batchBytesMax: 1_024 }]) {
    t.equal((await small.producer(options).send({ topic: 't', messages })).length, 500)
  }
  t.equal(await client.getOffset(1), 1_000)
})
