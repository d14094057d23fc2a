/** What the log client takes and gives, checked by tsc: an error that is expected and does not come is an error. */
import t from 'tap'
import {
  type ConsumedBatch,
  type ConsumedMessage,
  createLogClient,
  type FetchResult,
  type LogClient,
  type SentMessage,
} from '../../src/index.ts'

/** True when the two are the very same type; `any` equals nothing but itself. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

function holds<T extends true>(_proof: T): void {}

/** Compiled, and refused there; it is not run. */
function never(_work: () => unknown): void {}

t.test('a client is told its brokers', async t => {
  never(() => createLogClient('127.0.0.1:7401'))
  never(() => createLogClient({ brokers: '127.0.0.1:7401' }))
  never(() => createLogClient({ brokers: ['10.0.0.1:7401', { port: 7_401 }], tls: { ca: 'pem' }, retry: { maxMs: 5 } }))
  // @ts-expect-error no brokers
  never(() => createLogClient({}))
  // @ts-expect-error a misspelt option
  never(() => createLogClient({ brokers: 'a:1', timeout: 5 }))
  // @ts-expect-error a server without a port
  never(() => createLogClient({ brokers: { host: 'a' } }))
  t.pass('it compiles')
})

t.test('requests, producers and consumers have types', async t => {
  const proof = async (client: LogClient) => {
    const fetched = await client.fetch(1, 0, 100, { longPoll: { maxWaitMs: 5, minBytes: 1 } })
    holds<Same<typeof fetched, FetchResult>>(true)
    const offset = await client.getOffset(1, { signal: AbortSignal.timeout(1) })
    holds<Same<typeof offset, number>>(true)
    await using producer = client.producer({ acknowledgement: 'flushed', lingerMs: 5 })
    const sent = await producer.send({ topic: 't', messages: [{ key: null, value: new Uint8Array(1), partition: 3 }] })
    holds<Same<typeof sent, readonly SentMessage[]>>(true)
    // @ts-expect-error a message has a value
    await producer.send({ topic: 't', messages: [{ key: 'k' }] })
    // @ts-expect-error a number is no value
    await producer.send({ topic: 't', messages: [{ value: 5 }] })
    // @ts-expect-error there is no such acknowledgement
    client.producer({ acknowledgement: 'all' })
    await using consumer = client.consumer({ topic: 't', from: { 1: 5 }, outOfRange: 'start' })
    for await (const message of consumer) holds<Same<typeof message, ConsumedMessage>>(true)
    await consumer.eachBatch(batch => holds<Same<typeof batch, ConsumedBatch>>(true))
    // @ts-expect-error a topic is needed
    client.consumer({ from: 'end' })
    // @ts-expect-error there is no such place
    client.consumer({ topic: 't', from: 'middle' })
  }
  t.type(proof, 'function')
})
