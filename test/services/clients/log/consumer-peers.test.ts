/** Consumers and a peer that does by script what servers of the log do seldom, or never. */
import t, { type Test } from 'tap'
import { type ConsumedBatch, type ConsumerOptions, createLogClient, type LogConsumer } from '../../../../src/index.ts'
import { logError } from '../../../../src/messages/log/codes.ts'
import { type Fetched, type LogPeerScript, startLogPeer } from './log-peer.ts'

t.setTimeout(30_000)

/** A consumer of topic `t` of a peer. */
async function consumerOf(
  t: Test,
  script: LogPeerScript,
  options: Partial<ConsumerOptions> = {},
): Promise<LogConsumer> {
  const peer = await startLogPeer(t, script)
  const client = createLogClient({ brokers: { port: peer.port }, retry: { initialMs: 1, maxMs: 5 } })
  t.teardown(() => client.close({ timeoutMs: 0 }))
  return client.consumer({ topic: 't', ...options })
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
