/** What a producer sends again, when, and under which sequence: seen by a peer that fails by script. */
import t, { type Test } from 'tap'
import {
  createLogClient,
  type LogClient,
  type LogProducer,
  type ProducerOptions,
  type SentMessage,
} from '../../../../src/index.ts'
import { logError } from '../../../../src/messages/index.ts'
import { type LogPeer, type Produced, startLogPeer } from './log-peer.ts'

t.setTimeout(60_000)

/** Each message is a batch of its own. */
const single: ProducerOptions = { batchBytesMax: 1, inFlightMax: 64 }

function clientOf(t: Test, { port }: LogPeer): LogClient {
  const client = createLogClient({ brokers: { port }, pool: { backoffInitialMs: 1 } })
  t.teardown(() => client.close({ timeoutMs: 0 }))
  return client
}

function producerOf(t: Test, peer: LogPeer, options: ProducerOptions = single): LogProducer {
  return clientOf(t, peer).producer(options)
}

function send(producer: LogProducer, ...values: readonly string[]): Promise<readonly SentMessage[]> {
  return producer.send({ topic: 't', messages: values.map(value => ({ value })) })
}

const seen = ({ sequence, values }: Produced) => `${sequence}:${values.join()}`

t.test('after a lost connection all that was in flight comes again, in order, as it was', async t => {
  const peer = await startLogPeer(t, {
    onProduce: (produced, index) => {
      // Three answers of five are lost: one was sent, the others never.
      if (index === 0) produced.stored(0)
      else if (index === 4) produced.socket.end()
      else if (index > 4) produced.stored(produced.sequence)
    },
  })
  const producer = producerOf(t, peer)
  const [first, second] = await Promise.all([send(producer, 'a', 'b', 'c', 'd', 'e'), send(producer, 'f')])
  t.same(
    [...first, ...second].map(({ offset }) => offset),
    [0, 1, 2, 3, 4, 5],
  )
  const [before, after] = [peer.produced.slice(0, 6), peer.produced.slice(6)]
  t.same(before.slice(0, 5).map(seen), ['0:a', '1:b', '2:c', '3:d', '4:e'])
  const again = before.length === 6 && before[5]!.socket === before[0]!.socket ? after : [before[5]!, ...after]
  t.same(again.map(seen), ['1:b', '2:c', '3:d', '4:e', '5:f'])
  t.equal(new Set(peer.produced.map(({ producerId }) => producerId)).size, 1)
})

t.test('what failed comes again in order, once all that was in flight has ended, and before anything else', async t => {
  const peer = await startLogPeer(t, {
    onProduce: (produced, index) => {
      if (index === 0 || index === 2) produced.failed(logError.storageError)
      else if (index > 3) produced.stored(index)
    },
  })
  const client = clientOf(t, peer)
  const producer = client.producer({ ...single, inFlightMax: 4 })
  const sends = ['a', 'b', 'c', 'd', 'e', 'f'].map(value => send(producer, value))
  await peer.came(4)
  // Answers of both failures are here when this one is: it came behind them.
  peer.produced[1]!.stored(100)
  t.same(await sends[1], [{ partition: 1, offset: 100 }])
  // What was sent before it on the connection has come when this is answered.
  await client.healthCheck()
  t.equal(peer.produced.length, 4, 'the lane waits for the last in flight')
  peer.produced[3]!.stored(101)
  await Promise.all(sends)
  t.same(peer.produced.map(seen), ['0:a', '1:b', '2:c', '3:d', '0:a', '2:c', '4:e', '5:f'])
})

t.test('the rest of a batch that was stored in part goes under the next sequence', async t => {
  const peer = await startLogPeer(t, {
    onProduce: (produced, index) => {
      if (index === 0) produced.partly(10, 2, logError.storageError)
      else if (index === 1) produced.partly(20, 1, logError.storageError)
      else produced.stored(30)
    },
  })
  const producer = producerOf(t, peer, {})
  const [first, second] = await Promise.all([send(producer, 'a', 'b', 'c'), send(producer, 'd', 'e')])
  t.same(
    first.map(({ offset }) => offset),
    [10, 11, 20],
  )
  t.same(
    second.map(({ offset }) => offset),
    [30, 31],
  )
  t.same(peer.produced.map(seen), ['0:a,b,c,d,e', '1:c,d,e', '2:d,e'])
  t.same(producer.stats(), { bufferedBytes: 0, sendsWaiting: 0, inFlight: 0 })
})

t.test('the sequences that are undecided are fewer than the answers that are kept', async t => {
  const peer = await startLogPeer(t, { onProduce: (produced, index) => void (index > 0 && produced.stored(index)) })
  const producer = producerOf(t, peer)
  const sends = Array.from({ length: 200 }, (_, n) => send(producer, `${n}`))
  await Promise.all(sends.slice(1, 64))
  await new Promise(resolve => setImmediate(resolve))
  t.equal(peer.produced.length, 64)
  peer.produced[0]!.stored(0)
  await Promise.all(sends)
  t.same(
    peer.produced.map(({ sequence }) => sequence),
    Array.from({ length: 200 }, (_, n) => n),
  )
})

t.test('a batch that is given up in doubt takes its sequence with it', async t => {
  const peer = await startLogPeer(t, { onProduce: produced => void (produced.sequence > 0 && produced.stored(7)) })
  const producer = producerOf(t, peer, { ...single, timeoutMs: 300 })
  await t.rejects(send(producer, 'a'), {
    code: 'REQUEST_TIMEOUT',
    handled: 'unknown',
    details: { partition: 1, attempts: 1, messages: 1, stored: 0, sent: [null] },
  })
  t.same(await send(producer, 'a'), [{ partition: 1, offset: 7 }])
  t.same(peer.produced.map(seen), ['0:a', '1:a'])
})

t.test('a store that fails until the deadline: the failure is told, and that it is not known', async t => {
  const peer = await startLogPeer(t, { onProduce: produced => produced.failed(logError.storageError) })
  const producer = producerOf(t, peer, { ...single, timeoutMs: 300 })
  const error = await send(producer, 'a').catch(error => error)
  t.match(error, { code: /STORAGE_FAILED|REQUEST_TIMEOUT/, handled: 'unknown', message: /storageError.*by script/ })
  t.ok(peer.produced.length > 1)
  t.same([...new Set(peer.produced.map(seen))], ['0:a'])
})

t.test('without a server nothing was handled', async t => {
  const client = createLogClient({ brokers: '127.0.0.1:1', timeoutMs: 200 })
  t.teardown(() => client.close({ timeoutMs: 0 }))
  await t.rejects(send(client.producer(), 'a'), { code: 'CONNECT_FAILED', handled: /^no$/ })
})

t.test('of a send to several partitions it is told which messages are stored', async t => {
  const peer = await startLogPeer(t, {
    partitions: [1, 2],
    onProduce: produced =>
      produced.partition === 1 ? produced.stored(5) : produced.failed(logError.partitionNotFound),
  })
  const producer = producerOf(t, peer, {})
  const messages = [1, 2, 1].map(partition => ({ value: 'x', partition }))
  await t.rejects(producer.send({ topic: 't', messages }), {
    code: 'PARTITION_NOT_FOUND',
    handled: 'unknown',
    message: /2 of 3 messages were stored/,
    details: { stored: 2, sent: [{ partition: 1, offset: 5 }, null, { partition: 1, offset: 6 }] },
  })
})

t.test('close rejects what is open: in doubt if it was sent', async t => {
  const peer = await startLogPeer(t, { onProduce: () => {} })
  const producer = producerOf(t, peer, { ...single, inFlightMax: 1 })
  const [sent, waits] = [send(producer, 'a'), send(producer, 'b')]
  await peer.came(1)
  const told = Promise.all([
    t.rejects(sent, { code: 'CLIENT_CLOSED', handled: 'unknown' }),
    t.rejects(waits, { code: 'CLIENT_CLOSED', handled: /^no$/ }),
  ])
  await producer.close({ timeoutMs: 0 })
  await told
  await t.rejects(send(producer, 'c'), { code: 'CLIENT_CLOSED', handled: /^no$/ })
})
