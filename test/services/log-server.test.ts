/** Log servers on live systems, over real sockets of this machine. */
import { join } from 'node:path'
import t from 'tap'
import { memoryLogEngine, sqliteLogEngine } from '../../src/index.ts'
import { encodeLogRequest, logOperation, readLogEntries } from '../../src/messages/index.ts'
import { damagedLogEngine } from '../protocols/message-log/fixtures/damaged-log.ts'
import { newFolder } from '../protocols/message-log/sqlite-world.ts'
import type { LogConnection } from './fixtures/log-connection.ts'
import { newTopic, produceOf, serveLog } from './fixtures/served-log.ts'

t.setTimeout(120_000)

const { produce, fetch, getOffset, createTopic, deleteTopic, listTopics, healthCheck } = logOperation

const worlds = [
  { name: 'SQLite, no shards', shards: 0 },
  { name: 'SQLite, 2 shards', shards: 2 },
  { name: 'memory, no shards', shards: 0, engine: memoryLogEngine.with(undefined) },
  { name: 'memory, 2 shards', shards: 2, engine: memoryLogEngine.with(undefined) },
]

async function textsFrom(client: LogConnection, partitionId: number, offset: number, maxBytes = 1_000_000) {
  const { entries, highWaterMark } = await client.do(fetch, { partitionId, offset, maxBytes })
  return { highWaterMark, texts: readLogEntries(entries).map(({ offset, value }) => `${offset}:${value}`) }
}

for (const { name, shards, ...options } of worlds) {
  t.test(`${name}: all seven operations`, async t => {
    const { connect } = await serveLog(t, shards, options)
    const [client, other] = await Promise.all([connect(), connect()])
    t.same(await client.do(healthCheck, {}), {})
    const [first, second] = await newTopic(client, 'orders', 2)
    const [third] = await newTopic(client, 'bills', 1)
    const topics = [
      { name: 'orders', partitions: [first, second] },
      { name: 'bills', partitions: [third] },
    ]
    t.same(await other.do(listTopics, {}), { topics })
    t.same(await client.do(produce, produceOf(first!, 'a', 'b')), { partitionId: first, baseOffset: 0 })
    t.same(await other.do(produce, produceOf(first!, 'c')), { partitionId: first, baseOffset: 2 })
    t.same(await client.do(getOffset, { partitionId: first! }), { highWaterMark: 3 })
    t.same(await client.do(getOffset, { partitionId: second! }), { highWaterMark: 0 })
    t.same(await textsFrom(other, first!, 0), { highWaterMark: 3, texts: ['0:a', '1:b', '2:c'] })
    t.same(await textsFrom(other, first!, 1, 0), { highWaterMark: 3, texts: ['1:b'] }, 'one at least')
    t.same(await textsFrom(other, first!, 3), { highWaterMark: 3, texts: [] })
    t.same(await client.do(deleteTopic, { name: 'orders' }), {})
    t.same(await other.do(listTopics, {}), { topics: topics.slice(1) })
    await t.rejects(client.do(createTopic, { name: 'bills', partitions: 1 }), { message: /^topicExists: .*bills/ })
    await t.rejects(client.do(deleteTopic, { name: 'orders' }), { message: /^topicNotFound: .*orders/ })
    await t.rejects(client.do(produce, produceOf(first!, 'd')), { message: /^partitionNotFound: .*partition 1/ })
    await t.rejects(textsFrom(client, first!, 0), { message: /^partitionNotFound/ })
    await t.rejects(client.do(getOffset, { partitionId: first! }), { message: /^partitionNotFound/ })
    await t.rejects(textsFrom(client, third!, 1), { message: /^offsetOutOfRange: .*0 to its end 0, not 1/ })
    await t.rejects(client.do(createTopic, { name: 'x'.repeat(256), partitions: 1 }), { message: /^invalidRequest/ })
  })
}

for (const { name, shards, ...options } of worlds) {
  t.test(
    `${name}, long polls: a message on another shard answers them, none is answered empty before its time`,
    async t => {
      const { connect } = await serveLog(t, shards, options)
      const clients = await Promise.all(Array.from({ length: 6 }, connect))
      const [partitionId] = await newTopic(clients[0]!, 'orders', 1)
      const poll = (client: LogConnection, maxWaitMs: number) =>
        client.do(fetch, {
          partitionId: partitionId!,
          offset: 0,
          maxBytes: 1_000,
          longPoll: { maxWaitMs, minBytes: 1 },
        })
      const sinceMs = performance.now()
      const waiting = clients.map(client => poll(client, 60_000))
      t.equal((await poll(clients[0]!, 500)).entries.count, 0)
      t.ok(performance.now() - sinceMs >= 500, 'not before its time')
      await clients[1]!.do(produce, produceOf(partitionId!, 'a'))
      for (const { entries } of await Promise.all(waiting)) t.equal(readLogEntries(entries)[0]?.value?.toString(), 'a')
    },
  )
}

t.test('its figures count what was stored and refused, and who waits', async t => {
  const { connect, server } = await serveLog(t, 2)
  const [client, other] = await Promise.all([connect(), connect()])
  const [partitionId] = await newTopic(client, 'orders', 1)
  const producer = { producerId: 7n, sequence: 0 }
  for (let times = 0; times < 2; times++) await client.do(produce, { ...produceOf(partitionId!, 'a', 'b'), producer })
  await t.rejects(client.do(produce, produceOf(99, 'c')), { message: /^partitionNotFound/ })
  const longPoll = { maxWaitMs: 60_000, minBytes: 1 }
  const waiting = other.do(fetch, { partitionId: partitionId!, offset: 2, maxBytes: 1_000, longPoll })
  // Behind it: once this is answered the poll waits.
  await other.do(healthCheck, {})
  const stored = { appends: 2, messages: 4, bytes: 4 * 17, appendsFailed: 1, appendsWaiting: 0 }
  const removed = { batchesRemoved: 0, bytesRemoved: 0, retentionsFailed: 0 }
  t.same(server.stats().log, { ...stored, ...removed, longPollsWaiting: 1 })
  await client.do(produce, produceOf(partitionId!, 'c'))
  await waiting
  t.match(server.stats().log, { appends: 3, messages: 5, longPollsWaiting: 0 })
})

t.test('long polls: a drain ends them at once with an empty answer', async t => {
  const { connect, server } = await serveLog(t, 2)
  const clients = await Promise.all(Array.from({ length: 4 }, connect))
  const [partitionId] = await newTopic(clients[0]!, 'orders', 1)
  const longPoll = { maxWaitMs: 60_000, minBytes: 1 }
  const polls = clients.map(client => client.do(fetch, { partitionId: partitionId!, offset: 0, maxBytes: 9, longPoll }))
  // Behind them: once these are answered the polls wait.
  await Promise.all(clients.map(client => client.do(healthCheck, {})))
  const sinceMs = performance.now()
  const stopped = server.stop()
  for (const { entries, highWaterMark } of await Promise.all(polls)) t.same([entries.count, highWaterMark], [0, 0])
  await stopped
  t.ok(performance.now() - sinceMs < 10_000)
  for (const client of clients) t.equal(await client.closed, 'end')
})

t.test('a store that is full refuses what is produced, and goes on to be read', async t => {
  const path = join(newFolder(t), 'log.db')
  const { connect } = await serveLog(t, 1, { engine: sqliteLogEngine.with({ path, fileBytesMax: 400_000 }) })
  const client = await connect()
  const [partitionId] = await newTopic(client, 'orders', 1)
  const large = produceOf(partitionId!, 'x'.repeat(50_000))
  let stored = 0
  for (;;) {
    const answer = await client.ask(produce, large)
    if (answer.ok) {
      t.equal(answer.response.baseOffset, stored++)
      continue
    }
    t.match(answer, { errorCode: 7, text: /log\.db: .*full/ })
    break
  }
  t.ok(stored > 0)
  t.same(await client.do(getOffset, { partitionId: partitionId! }), { highWaterMark: stored })
  t.equal((await textsFrom(client, partitionId!, stored - 1)).texts.length, 1)
})

t.test(
  'an answer that cannot be written leaves nothing in its connection: errors, and sound answers, follow',
  async t => {
    const { connect } = await serveLog(t, 0, { engine: damagedLogEngine.with({ partitionId: 1 }) })
    const client = await connect()
    const [damaged = 0, sound = 0] = await newTopic(client, 'orders', 2)
    for (const partitionId of [damaged, sound])
      await client.do(produce, produceOf(partitionId, 'x'.repeat(500), 'last'))
    const rounds = Array.from({ length: 20 }, async () => {
      const [refused, { texts }] = await Promise.all([
        client.ask(fetch, { partitionId: damaged, offset: 0, maxBytes: 10_000 }),
        textsFrom(client, sound, 0),
      ])
      t.match(refused, { ok: false, errorCode: 7, text: 'the stored message at offset 1 is not whole' })
      t.same(texts, [`0:${'x'.repeat(500)}`, '1:last'])
    })
    await Promise.all(rounds)
  },
)

t.test('what was asked before a frame that cannot be is answered, then the connection ends', async t => {
  const { connect } = await serveLog(t, 1)
  const client = await connect()
  const [partitionId] = await newTopic(client, 'orders', 1)
  for (const spoil of [
    (bytes: Buffer) => bytes.writeUInt32BE(3, 0),
    (bytes: Buffer) => bytes.writeUInt32BE(0, bytes.length - 4),
  ]) {
    const next = await connect()
    const longPoll = { maxWaitMs: 60_000, minBytes: 1_000_000 }
    const poll = next.do(fetch, { partitionId: partitionId!, offset: 0, maxBytes: 1_000_000, longPoll })
    const answer = next.do(produce, produceOf(partitionId!, 'a'))
    const spoilt = encodeLogRequest(healthCheck, 99, {})
    spoil(spoilt)
    next.socket.write(spoilt)
    await t.resolves(answer)
    await t.resolves(poll, 'a poll does not keep it')
    t.equal(await next.closed, 'end')
  }
})

t.test('while it drains requests are refused, by their id', async t => {
  const { connect, server } = await serveLog(t, 1, { limits: { drainQuietMs: 500 } })
  const client = await connect()
  await client.do(healthCheck, {})
  const stopped = server.stop()
  for (;;) {
    const answer = await client.ask(healthCheck, {})
    if (answer.ok) continue
    t.match(answer, { errorCode: 7, text: /draining: nothing was done$/ })
    break
  }
  await stopped
  t.equal(await client.closed, 'end')
})
