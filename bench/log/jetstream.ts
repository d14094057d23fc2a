/**
 * The peer of our batched produce: messages of 100 B published to NATS JetStream through its own client, each acknowledged, at the
 * settings that are fastest here. Alone: `node bench/log/jetstream.ts`.
 *
 * One nats-server, a stream in a file, the client on this thread: it has so many publishes in flight and starts the next when one is
 * acknowledged. Beside it, round by round, our producer with a log server in a process of its own and SQLite in a file, and the
 * same messages through our engine behind JetStream, in batches of 1,000, which is what a log server does with them.
 */
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { createLogClient } from '../../src/index.ts'
import { encodeLogBatch } from '../../src/messages/log/batch-v1.ts'
import { openNode } from '../../test/protocols/message-log/jetstream-world.ts'
import { startNats } from '../../test/protocols/message-log/nats-server.ts'
import { median, spread } from '../statistics.ts'
import { atLeast, type Figure, type SuiteOptions } from '../suite.ts'
import { produce, sendMessages } from './client.ts'
import { ServedLog } from './served-log.ts'

const payload = Buffer.alloc(100, 'x')
/** More in flight is not faster, and the best of these differs from machine to machine. */
const windows = [256, 1_024, 4_096]
const batchMessages = 1_000
const batchesInFlight = 8
/** Our producer is that much faster than JetStream: a round lasts as long with so many messages more. */
const producerMessagesFactor = 20
const producerLimit = atLeast(10, 'x')

/** Acknowledged messages a second, of each round. */
export interface JetstreamRates {
  /** Through its own client, with the best of the windows. */
  readonly own: readonly number[]
  /** Publishes in flight that were best. */
  readonly window: number
  /** Through our producer, to a log server with a store on this machine. */
  readonly producer: readonly number[]
  /** Through our engine. */
  readonly engine: readonly number[]
}

/** Measures both, round by round. */
export async function measureJetstream({ quick, say }: SuiteOptions): Promise<JetstreamRates> {
  const messages = quick ? 20_000 : 100_000
  const rounds = quick ? 1 : 3
  const nats = await startNats()
  try {
    await using served = await ServedLog.start('two')
    await using client = createLogClient(`127.0.0.1:${served.port}`)
    await client.createTopic('peer')
    const ofWindow = new Map(windows.map(window => [window, [] as number[]]))
    const producer: number[] = []
    const engine: number[] = []
    for (let round = 0; round < rounds; round++) {
      for (const [window, rates] of ofWindow) {
        rates.push(await publishRate(nats.address, window, messages))
        say(`JetStream's client, ${window} in flight: ${Math.round(rates.at(-1)!)} messages/s`)
      }
      producer.push((await produce(client, 'peer', messages * producerMessagesFactor)) * 1_000_000)
      say(`our producer: ${Math.round(producer.at(-1)!)} messages/s`)
      engine.push(await engineRate(nats.address, `round${round}`, messages))
      say(`our engine behind JetStream: ${Math.round(engine.at(-1)!)} messages/s`)
    }
    const [[window, own] = [0, []]] = [...ofWindow].sort(([, a], [, b]) => median(b) - median(a))
    return { own, window, producer, engine }
  } finally {
    await nats.close()
  }
}

/** The figures of it. */
export async function jetstreamFigures(options: SuiteOptions): Promise<Figure[]> {
  const { own, window, producer, engine } = await measureJetstream(options)
  const perSecond = (rates: readonly number[]): string => `${Math.round(median(rates)).toLocaleString('en')}/s`
  const times = (rates: readonly number[]): number[] => rates.map((rate, round) => rate / own[round]!)
  const baseline = `its own client, a message each: ${perSecond(own)}`
  return [
    {
      work: 'messages of 100 B to JetStream through its own client, each acknowledged',
      inFlight: `${window} messages`,
      figure: perSecond(own),
      ...spread(own),
    },
    {
      work: 'the same messages through our producer to a log server, each send acknowledged',
      inFlight: `sends of ${sendMessages}`,
      figure: perSecond(producer),
      baseline,
      budget: producerLimit.text,
      pass: producerLimit.holds(median(times(producer))),
      ...spread(times(producer)),
    },
    {
      work: 'the same through our engine, in batches of 1,000, each acknowledged',
      inFlight: `${batchesInFlight} batches`,
      figure: perSecond(engine),
      baseline,
      ...spread(times(engine)),
    },
  ]
}

async function publishRate(servers: string, window: number, messages: number): Promise<number> {
  // Without this the client keeps a stack for every request.
  const connection = await connect({ servers, noAsyncTraces: true })
  const manager = await jetstreamManager(connection)
  const stream = `peer-${window}`
  await manager.streams.add({ name: stream, subjects: [stream], storage: 'file' })
  const client = jetstream(connection)
  let next = 0
  let lastSequence = 0
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: window }, async () => {
      while (next++ < messages) lastSequence = Math.max(lastSequence, (await client.publish(stream, payload)).seq)
    }),
  )
  const seconds = (performance.now() - startedAt) / 1_000
  if (lastSequence !== messages) throw new Error(`${lastSequence} of ${messages} messages are stored`)
  await manager.streams.delete(stream)
  await connection.close()
  return messages / seconds
}

async function engineRate(servers: string, store: string, messages: number): Promise<number> {
  const engine = await openNode({ servers, store })
  const [partitionId = 0] = (await engine.createTopic('bench', 1)).partitionIds
  const batch = encodeLogBatch(
    Array.from({ length: batchMessages }, () => ({ timestampMs: 0, key: null, value: payload })),
  )
  const append = {
    partitionId,
    count: batchMessages,
    messages: batch.bytes.subarray(4),
    acknowledgement: 'committed',
  } as const
  let left = messages / batchMessages
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: batchesInFlight }, async () => {
      while (left-- > 0) await engine.append(append)
    }),
  )
  const seconds = (performance.now() - startedAt) / 1_000
  const stored = await engine.highWaterMark(partitionId)
  if (stored !== messages) throw new Error(`${stored} of ${messages} messages are stored`)
  await engine.deleteTopic('bench')
  await engine.close()
  return messages / seconds
}

if (import.meta.main) {
  const options = { quick: process.argv.includes('--quick'), only: undefined, say: (line: string) => console.log(line) }
  for (const { work, figure } of await jetstreamFigures(options)) console.log(`${work}: ${figure}`)
}
