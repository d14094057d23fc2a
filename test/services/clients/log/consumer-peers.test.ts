/** Consumers and a peer that does by script what servers of the log do seldom, or never. */
import t, { type Test } from 'tap'
import {
  type ConsumedBatch,
  type ConsumerOptions,
  createLogClient,
  type LogClient,
  type LogClientOptions,
  type LogConsumer,
} from '../../../../src/index.ts'
import { logError } from '../../../../src/messages/log/codes.ts'
import { type Fetched, type LogPeerScript, startLogPeer } from './log-peer.ts'

t.setTimeout(30_000)

/** A consumer of topic `t` of a peer. */
async function consumerOf(
  t: Test,
  script: LogPeerScript,
  options: Partial<ConsumerOptions> = {},
): Promise<LogConsumer> {
  const client = await clientOf(t, script)
  return client.consumer({ topic: 't', ...options })
}

async function clientOf(t: Test, script: LogPeerScript, options: Partial<LogClientOptions> = {}): Promise<LogClient> {
  const { port } = await startLogPeer(t, script)
  const pool = { backoffInitialMs: 1, backoffMaxMs: 5 }
  const client = createLogClient({ brokers: { port }, retry: { initialMs: 1, maxMs: 5 }, pool, ...options })
  t.teardown(() => client.close({ timeoutMs: 0 }))
  return client
}

/** Values of `[from, to)`: the offsets. */
function valuesFrom(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, n) => `${from + n}`)
}

t.test('skipped counts what was left out between two batches, whatever was fetched ahead', async t => {
  let oldest = 0
  let hasFailed = false
  const highWaterMark = 400
  // A batch of 100 each; once one was fetched, the next 100 are removed.
  const onFetch = ({ offset, maxBytes, found, failed }: Fetched) => {
    if (offset < oldest) failed(logError.offsetOutOfRange)
    else if (maxBytes === 0) found(highWaterMark, [{ offset, values: [`${offset}`] }])
    else if (offset < highWaterMark) {
      const end = Math.min(highWaterMark, offset + 100)
      if (!hasFailed) oldest = Math.min(highWaterMark, end + 100)
      found(highWaterMark, [{ offset, values: valuesFrom(offset, end) }])
    }
  }
  const consumer = await consumerOf(t, { onFetch, highWaterMark }, { outOfRange: 'start' })
  const batches: Pick<ConsumedBatch, 'baseOffset' | 'count' | 'skipped'>[] = []
  const failing = new Error('not now')
  const handle = async ({ baseOffset, count, skipped, nextOffset }: ConsumedBatch) => {
    if (baseOffset === 200 && !hasFailed) {
      // It is there still when it comes again.
      oldest = 200
      hasFailed = true
      throw failing
    }
    batches.push({ baseOffset, count, skipped })
    t.equal(consumer.stats()[0]!.position, baseOffset, 'what is fetched ahead does not move the position')
    if (nextOffset === 300) await consumer.close()
  }
  await t.rejects(consumer.eachBatch(handle), failing)
  await consumer.eachBatch(handle)
  t.same(batches, [
    { baseOffset: 0, count: 100, skipped: 0 },
    { baseOffset: 200, count: 100, skipped: 100 },
  ])
})

/** How a server may answer a Fetch that begins at 0. */
const wrongAnswers: Readonly<Record<string, (fetched: Fetched) => void>> = {
  'of another partition': ({ found }) => found(2, [{ offset: 0, values: ['x', 'y'] }], 9),
  'of other offsets': ({ found }) => found(7, [{ offset: 5, values: ['x', 'y'] }]),
  'with a gap': ({ found }) =>
    found(7, [
      { offset: 0, values: ['x'] },
      { offset: 6, values: ['y'] },
    ]),
  'with a message twice': ({ found }) =>
    found(2, [
      { offset: 0, values: ['x'] },
      { offset: 0, values: ['y'] },
    ]),
}

t.test('an answer to something else is not believed: its connection is left, and another one asked', async t => {
  for (const [what, answer] of Object.entries(wrongAnswers)) {
    const sockets = new Set<unknown>()
    const onFetch = (fetched: Fetched) => {
      sockets.add(fetched.socket)
      if (sockets.size === 1) answer(fetched)
      else if (fetched.offset === 0) fetched.found(2, [{ offset: 0, values: ['a', 'b'] }])
    }
    const consumer = await consumerOf(t, { onFetch })
    const seen: string[] = []
    for await (const { partition, offset, value } of consumer) {
      seen.push(`${partition}.${offset} ${value}`)
      if (seen.length === 2) break
    }
    t.same(seen, ['1.0 a', '1.1 b'], what)
    t.match(consumer.stats(), [{ lastError: { code: 'CONNECTION_LOST', message: /Fetch of partition 1 with what/ } }])
    await consumer.close()
  }
})

t.test('a produce that is said to have stored more than it had is in doubt', async t => {
  const client = await clientOf(t, { onProduce: ({ partly }) => partly(0, 3, logError.storageError) })
  const producing = client.produce(1, [{ value: 'a' }], { producer: { producerId: 1n, sequence: 0 }, timeoutMs: 300 })
  await t.rejects(producing, { handled: /^unknown$/, message: /Produce of partition 1 with what has stored more/ })
})

t.test('who answers at once that there is nothing, or nothing there any more, is not asked again at once', async t => {
  const cases: readonly (readonly [number, (fetched: Fetched) => void])[] = [
    [1, ({ answer }) => answer()],
    // The end was found between the two.
    [2, ({ failed }) => failed(logError.offsetOutOfRange)],
  ]
  for (const [most, answer] of cases) {
    let fetches = 0
    let whenAsked = () => {}
    const asked = new Promise<void>(resolve => {
      whenAsked = resolve
    })
    const onFetch = (fetched: Fetched) => {
      answer(fetched)
      if (++fetches === most) whenAsked()
    }
    const retry = { initialMs: 60_000, maxMs: 60_000 }
    const client = await clientOf(t, { onFetch }, { retry, random: () => 0.9 })
    const consumer = client.consumer({ topic: 't', from: { 1: 5 }, outOfRange: 'end' })
    const reading = consumer[Symbol.asyncIterator]().next()
    await asked
    for (let round = 0; round < 20; round++) await client.healthCheck()
    t.equal(fetches, most)
    await consumer.close()
    await reading
  }
})
