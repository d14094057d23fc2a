/** Long polls of consumers, and what else a client asks. */
import t from 'tap'
import { createLogClient, memoryLogEngine } from '../../src/index.ts'
import type { LongPoll } from '../../src/messages/index.ts'
import { until } from '../actors/connection/event-shard.ts'
import { type Fetched, startLogPeer } from './clients/log/log-peer.ts'
import { serveLog } from './fixtures/served-log.ts'

t.setTimeout(60_000)

t.test('idle long polls take no seat of anything else, and no more connections than they need', async t => {
  const { port } = await serveLog(t, 0, { engine: memoryLogEngine.with(undefined) })
  const client = createLogClient({ brokers: { port }, pool: { inFlightMax: 4 } })
  t.teardown(() => client.close({ timeoutMs: 0 }))
  const { partitions } = await client.createTopic('t', 12)
  const reader = client.consumer({ topic: 't' })
  const reading = reader[Symbol.asyncIterator]().next()
  await until(() => client.stats().open === 12 && client.stats().queued === 0)
  const { connections } = client.stats().servers[0]!
  t.ok(connections >= 1 + 3 && connections <= 1 + 4, `${connections} connections`)
  await Promise.all(Array.from({ length: 10 }, () => client.healthCheck({ timeoutMs: 5_000 })))
  const fetching = client.fetch(partitions[0]!, 0, 1, { longPoll: { maxWaitMs: 8_000, minBytes: 1 } })
  await client.healthCheck({ timeoutMs: 5_000 })
  t.equal(client.stats().open, 13, 'all polls wait still')
  await client.producer().send({ topic: 't', messages: [{ value: 'a', partition: partitions[0]! }] })
  t.match(await reading, { value: { value: Buffer.from('a') } })
  t.equal((await fetching).messages.length, 1)
  await reader.close()
})

t.test('more partitions than seats take turns, and none keeps its seat for long', async t => {
  const waiting = new Set<Fetched>()
  const seen = new Set<number>()
  const waits = new Set<number | undefined>()
  const take = (fetched: Fetched) => {
    waiting.add(fetched)
    seen.add(fetched.partition)
    waits.add(fetched.longPoll?.maxWaitMs)
  }
  const partitions = Array.from({ length: 11 }, (_, n) => n + 1)
  const { port } = await startLogPeer(t, { partitions, onProduce: ({ stored }) => stored(0), onFetch: take })
  const client = createLogClient({ brokers: { port }, pool: { inFlightMax: 1 } })
  t.teardown(() => client.close({ timeoutMs: 0 }))
  const reader = client.consumer({ topic: 't' })
  const reading = reader[Symbol.asyncIterator]().next()
  for (const expected of [4, 8, 11]) {
    await until(() => waiting.size === 4)
    t.equal(seen.size, expected)
    await client.healthCheck({ timeoutMs: 5_000 })
    t.equal(waiting.size, 4, 'no seat is left')
    const answered = [...waiting]
    waiting.clear()
    for (const { answer } of answered) answer()
  }
  t.same(waits, new Set([1_000]))
  await reader.close()
  await reading
  waits.clear()
  const few = client.consumer({ topic: 't', partitions: [1, 2] })
  const readingFew = few[Symbol.asyncIterator]().next()
  await until(() => waits.has(10_000))
  await few.close()
  await readingFew
})

t.test(
  'polls that are given up take no seats: their connection is, and those that are waited for go another way',
  async t => {
    const { port } = await serveLog(t, 0, { engine: memoryLogEngine.with(undefined) })
    const client = createLogClient({ brokers: { port } })
    t.teardown(() => client.close({ timeoutMs: 0 }))
    const [p = -1] = (await client.createTopic('t')).partitions
    const longPoll = { maxWaitMs: 60_000, minBytes: 1 }
    const waiting = client.fetch(p, 0, 1_000, { longPoll })
    const inFlight = () => client.stats().servers[0]!.inFlight
    let most = 0
    for (let round = 0; round < 30; round++) {
      const ends = new AbortController()
      const polls = Array.from({ length: 50 }, () => client.fetch(p, 0, 1_000, { longPoll, signal: ends.signal }))
      const aborted = Promise.all(polls.map(poll => t.rejects(poll, { code: 'REQUEST_ABORTED' })))
      await until(() => client.stats().queued === 0)
      ends.abort()
      await aborted
      most = Math.max(most, inFlight())
    }
    t.ok(most <= 1_024 / 16 + 1, `${most} in flight when all but one are given up`)
    await client.healthCheck({ timeoutMs: 5_000 })

    const reader = client.consumer({ topic: 't', from: 'end' })
    const reading = reader[Symbol.asyncIterator]().next()
    await until(() => reader.stats()[0]?.position === 0)
    for (let n = 0; n < 1_200; n++) {
      reader.seek(p, 0)
      if (n % 10 === 0) await new Promise(resolve => setImmediate(resolve))
    }
    await until(() => inFlight() <= 1_024 / 16 + 2 && client.stats().queued === 0)
    await client.healthCheck({ timeoutMs: 5_000 })
    await client.produce(p, [{ value: 'a' }])
    t.match(await waiting, { messages: [{ value: Buffer.from('a') }] })
    t.match(await reading, { value: { value: Buffer.from('a') } })
    t.match(reader.stats(), [{ failures: 0, lastError: undefined }], 'nothing failed')
    t.match(client.stats().servers, [{ failures: 0, lastError: undefined }])
    await reader.close()
  },
)

t.test('a fetch that waits settles by its deadline, and leaves the answer time to come', async t => {
  const asked: (LongPoll | undefined)[] = []
  const take = ({ longPoll, offset, answer }: Fetched) => {
    asked.push(longPoll)
    if (offset === 0) answer()
  }
  const { port } = await startLogPeer(t, { onProduce: ({ stored }) => stored(0), onFetch: take })
  const client = createLogClient({ brokers: { port }, timeoutMs: 100 })
  t.teardown(() => client.close({ timeoutMs: 0 }))
  const maxWaitMs = 60_000
  await client.fetch(1, 0, 1, { longPoll: { maxWaitMs }, timeoutMs: 20_000 })
  await client.fetch(1, 0, 1, { longPoll: { maxWaitMs, minBytes: 7 }, timeoutMs: 601 })
  await client.fetch(1, 0, 1, { longPoll: { maxWaitMs: 9 }, timeoutMs: 20_000 })
  await client.fetch(1, 0, 1, { longPoll: { maxWaitMs } })
  t.same(asked, [
    { maxWaitMs: 19_000, minBytes: 1 },
    { maxWaitMs: 300, minBytes: 7 },
    { maxWaitMs: 9, minBytes: 1 },
    { maxWaitMs, minBytes: 1 },
  ])
  const late = (timeoutMs: number) => ({ code: 'REQUEST_TIMEOUT', details: { timeoutMs } })
  await t.rejects(client.fetch(1, 1, 1, { longPoll: { maxWaitMs }, timeoutMs: 250 }), late(250))
  await t.rejects(
    client.fetch(1, 1, 1, { longPoll: { maxWaitMs: 50 } }),
    late(150),
    'the wait counts beside the deadline of the client',
  )
})
