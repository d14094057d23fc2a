/** Log servers on live systems, over real sockets of this machine. */
import t from 'tap'
import { memoryLogEngine } from '../../src/index.ts'
import { logOperation, readLogEntries } from '../../src/messages/index.ts'
import type { LogConnection } from './fixtures/log-connection.ts'
import { newTopic, produceOf, serveLog } from './fixtures/served-log.ts'

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

t.test('long polls: a message on another shard answers them, none is answered empty before its time', async t => {
  const { connect } = await serveLog(t, 2)
  const clients = await Promise.all(Array.from({ length: 6 }, connect))
  const [partitionId] = await newTopic(clients[0]!, 'orders', 1)
  const poll = (client: LogConnection, maxWaitMs: number) =>
    client.do(fetch, { partitionId: partitionId!, offset: 0, maxBytes: 1_000, longPoll: { maxWaitMs, minBytes: 1 } })
  const sinceMs = performance.now()
  const waiting = clients.map(client => poll(client, 60_000))
  t.equal((await poll(clients[0]!, 500)).entries.count, 0)
  t.ok(performance.now() - sinceMs >= 500, 'not before its time')
  await clients[1]!.do(produce, produceOf(partitionId!, 'a'))
  for (const { entries } of await Promise.all(waiting)) t.equal(readLogEntries(entries)[0]?.value?.toString(), 'a')
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
