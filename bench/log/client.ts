/** The log client: requests over one connection, the round trip against bare sockets, messages produced and consumed. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createLogClient, type LogClient } from '../../src/index.ts'
import { encodeLogRequest, logOperation } from '../../src/messages/index.ts'
import { open } from '../events/tcp-client.ts'
import { median, spread } from '../statistics.ts'
import { atLeast, atMost, type Figure, type Limit, type SuiteOptions } from '../suite.ts'
import { ServedLog } from './served-log.ts'

const inFlight = 1_024
const valueBytes = 100
/** Messages of a send of `produce`. */
export const sendMessages = 1_000
const requestLimit = atLeast(0.5, 'M/s')
const messageLimit = atLeast(1, 'M/s')
const roundTripLimit = atMost(1.5, 'x')

/** Millions a second of `ask`, of which so many are under way at once. */
async function pump(ask: () => Promise<unknown>, count: number, atOnce: number): Promise<number> {
  let left = count
  const fromMs = performance.now()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left-- > 0) await ask()
    }),
  )
  return count / (performance.now() - fromMs) / 1_000
}

/** One round trip after the other, in us; all of them go to `samples`. Answers their median. */
async function roundTrip(ask: () => Promise<unknown>, count: number, samples: number[]): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < count; n++) {
    const fromMs = performance.now()
    await ask()
    times.push((performance.now() - fromMs) * 1_000)
  }
  samples.push(...times)
  return median(times)
}

/** A round trip of a health check over a socket, and nothing else. */
function bareAsk(socket: Socket): () => Promise<unknown> {
  const frame = encodeLogRequest(logOperation.healthCheck, 1, {})
  return () => {
    socket.write(frame)
    return once(socket, 'data')
  }
}

/** Acknowledged messages, in millions a second: sends of a thousand, as many as a producer takes. */
export async function produce(client: LogClient, topic: string, messages: number): Promise<number> {
  await using producer = client.producer()
  const value = Buffer.alloc(valueBytes, 7)
  const sending = { topic, messages: Array.from({ length: sendMessages }, () => ({ value })) }
  const sends: Promise<unknown>[] = []
  const fromMs = performance.now()
  for (let sent = 0; sent < messages; sent += sendMessages) {
    await producer.ready()
    sends.push(producer.send(sending))
  }
  await Promise.all(sends)
  return messages / (performance.now() - fromMs) / 1_000
}

/** Sends of one message each, in millions a second: each waits for its own offset. */
async function sendEach(client: LogClient, topic: string, sends: number): Promise<number> {
  await using producer = client.producer()
  const sending = { topic, messages: [{ value: Buffer.alloc(valueBytes, 7) }] }
  return await pump(() => producer.send(sending), sends, inFlight)
}

/** Consumed messages, in millions a second. */
async function consume(client: LogClient, topic: string, messages: number): Promise<number> {
  await using consumer = client.consumer({ topic })
  let left = messages
  const fromMs = performance.now()
  await consumer.eachBatch(async batch => {
    left -= batch.messages.length
    if (left <= 0) await consumer.close()
  })
  return messages / (performance.now() - fromMs) / 1_000
}

/** The same, a message at a time. */
async function consumeEach(client: LogClient, topic: string, messages: number): Promise<number> {
  await using consumer = client.consumer({ topic })
  let left = messages
  const fromMs = performance.now()
  for await (const _ of consumer) if (--left === 0) break
  return messages / (performance.now() - fromMs) / 1_000
}

/** Measures. */
export async function measureClient({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const rounds = quick ? 3 : 11
  const requests = quick ? 100_000 : 500_000
  const messages = quick ? 500_000 : 2_000_000
  await using served = await ServedLog.start('two')
  await using client = createLogClient(`127.0.0.1:${served.port}`)
  const [partition = -1] = (await client.createTopic('single')).partitions
  const message = [{ value: Buffer.alloc(valueBytes, 7) }]
  const bare = await open(served.port)
  const columns: number[][] = Array.from({ length: 8 }, () => [])
  const [health, single, sent, produced, consumed, consumedEach, ours, theirs] = columns
  const samples = { client: [] as number[], bare: [] as number[] }
  for (let round = -1; round < rounds; round++) {
    const topic = `round ${round}`
    await client.createTopic(topic)
    const figures = [
      await pump(() => client.healthCheck(), requests, inFlight),
      await pump(() => client.produce(partition, message), requests / 2, inFlight),
      await sendEach(client, 'single', requests),
      await produce(client, topic, messages),
      await consume(client, topic, messages),
      await consumeEach(client, topic, messages),
      await roundTrip(() => client.healthCheck(), requests / 50, samples.client),
      await roundTrip(bareAsk(bare), requests / 50, samples.bare),
    ]
    await client.deleteTopic(topic)
    if (round < 0) continue
    for (const [at, list] of columns.entries()) list.push(figures[at]!)
    say(`client ${round + 1}/${rounds}: ${figures.map(figure => figure.toFixed(3)).join(' ')}`)
  }
  bare.destroy()
  const ratios = ours!.map((time, round) => time / theirs![round]!)
  const batches = `sends of ${sendMessages}`
  return [
    rate('client: HealthCheck, one connection', `${inFlight}`, health!, requestLimit),
    rate('client: Produce of one message of 100 B, committed, one connection', `${inFlight}`, single!, requestLimit),
    rate('producer: sends of one message of 100 B, committed, gathered by tick', `${inFlight}`, sent!, requestLimit),
    rate('producer: messages of 100 B, committed', batches, produced!, messageLimit),
    rate('consumer: messages of 100 B, batch by batch', '1 fetch', consumed!, messageLimit),
    rate('the same, message by message', '1 fetch', consumedEach!, messageLimit),
    {
      work: 'client: HealthCheck there and back, p50',
      inFlight: '1',
      figure: `${median(ours!).toFixed(0)} us`,
      baseline: `a bare socket: ${median(theirs!).toFixed(0)} us`,
      budget: roundTripLimit.text,
      pass: roundTripLimit.holds(median(ratios)),
      distribution: {
        title: 'Round trip of a health check',
        unit: 'us',
        series: [
          { label: 'log client', values: samples.client },
          { label: 'bare socket', values: samples.bare },
        ],
      },
      ...spread(ratios),
    },
  ]
}

function rate(work: string, inFlight: string, rates: number[], limit: Limit): Figure {
  const value = spread(rates)
  const figure = `${median(rates).toFixed(2)}M/s`
  return { work, inFlight, figure, budget: limit.text, pass: limit.holds(value.value), ...value }
}
