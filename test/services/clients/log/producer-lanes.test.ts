/** Which lanes a producer holds, and whose sequences they go on with. */
import t, { type Test } from 'tap'
import { createLogClient } from '../../../../src/index.ts'
import { logError } from '../../../../src/messages/index.ts'
import { resolveLogClient } from '../../../../src/services/clients/log/log-client-options.ts'
import { LogRequests } from '../../../../src/services/clients/log/log-requests.ts'
import { Delivery } from '../../../../src/services/clients/log/producer/delivery.ts'
import { Lane } from '../../../../src/services/clients/log/producer/lane.ts'
import { ProducerLanes } from '../../../../src/services/clients/log/producer/producer-lanes.ts'
import { resolveProducer } from '../../../../src/services/clients/log/producer/producer-options.ts'
import { SendDesk } from '../../../../src/services/clients/log/producer/send-desk.ts'
import { TopicDirectory } from '../../../../src/services/clients/log/topic-directory.ts'
import { type Produced, startLogPeer } from './log-peer.ts'

t.setTimeout(30_000)

/** Lanes to a peer that answers what it is sent when it is told to. */
async function world(t: Test) {
  const produced: Produced[] = []
  const peer = await startLogPeer(t, { onProduce: one => void produced.push(one) })
  const config = resolveLogClient({ brokers: { port: peer.port } })
  const requests = new LogRequests(config)
  t.teardown(() => requests.pool.close(0))
  const desk = new SendDesk(requests, new TopicDirectory(requests), resolveProducer({}, config.frameBytesMax))
  const lanes = new ProducerLanes({
    random: config.random,
    create: (topic, partition) => new Lane(topic, partition, desk),
  })
  return { peer, produced, lanes, held: () => [...lanes].map(({ partition }) => partition) }
}

t.test('lanes of partitions that are no more are freed, those that are listed again are the same', async t => {
  const { lanes, held } = await world(t)
  const before = lanes.open('t', [1, 2]).lanes
  lanes.open('u', [3])
  lanes.forget('t')
  t.equal(lanes.of('t'), undefined)
  t.same(held(), [1, 2, 3], 'kept until the topic is known again')
  t.equal(lanes.open('t', [2, 4]).lanes[0], before[1])
  t.same(held(), [2, 4, 3])
  lanes.keep(topic => (topic === 't' ? [2, 4] : undefined))
  t.same(held(), [2, 4], 'topic u is no more')
  t.ok(lanes.of('t'))
  lanes.keep(() => [5])
  t.same(held(), [])
  t.equal(lanes.of('t'), undefined, 'another topic of that name is looked up')
})

t.test('a lane that holds messages is freed once they are settled', async t => {
  const { lanes, held, peer, produced } = await world(t)
  const [lane] = lanes.open('t', [1]).lanes
  const stored = new Promise((resolve, reject) => {
    const value = Buffer.from('x')
    lane!.add({ timestampMs: 1, key: null, value }, 17, new Delivery(1, undefined, resolve, reject), 0)
  })
  lanes.keep(() => undefined)
  t.same(held(), [1])
  lanes.settled(lane!)
  t.same(held(), [1], 'it holds them still')
  await peer.came(1)
  produced[0]!.stored(0)
  t.same(await stored, [{ partition: 1, offset: 0 }])
  lanes.settled(lane!)
  t.same(held(), [])
})

t.test('a send that names a wrong partition ends no lane', async t => {
  const peer = await startLogPeer(t, { onProduce: (one, index) => one.stored(index) })
  await using client = createLogClient({ brokers: { port: peer.port } })
  await using producer = client.producer()
  const send = (value: string, partition = 1) => producer.send({ topic: 't', messages: [{ value, partition }] })
  t.same(await send('a'), [{ partition: 1, offset: 0 }])
  await t.rejects(send('b', 9), { code: 'PARTITION_NOT_FOUND', handled: /^no$/ })
  t.same(await send('c'), [{ partition: 1, offset: 1 }])
  const [first, second] = peer.produced
  t.equal(second!.producerId, first!.producerId)
  t.same([first!.sequence, second!.sequence], [0, 1])
})

t.test('of much that is sent in one tick the first batches leave at 60 KiB, the rest is gathered', async t => {
  const { peer, produced, lanes } = await world(t)
  const [lane] = lanes.open('t', [1]).lanes
  const values = Array.from({ length: 21 }, (_, at) => String.fromCharCode(97 + at).repeat(10_000))
  const messages = values.map(value => ({ value: Buffer.from(value) }))
  const stored = new Promise((resolve, reject) => {
    const delivery = new Delivery(messages.length, undefined, resolve, reject)
    for (const [at, { value }] of messages.entries()) {
      lane!.add({ timestampMs: 1, key: null, value }, 10_016, delivery, at)
    }
  })
  lane!.due()
  await peer.came(3)
  t.same(
    produced.map(batch => batch.values.length),
    [7, 7, 7],
  )
  const more = new Promise((resolve, reject) => {
    const value = Buffer.alloc(70_000, 'x')
    lane!.add({ timestampMs: 1, key: null, value }, 70_016, new Delivery(1, undefined, resolve, reject), 0)
    t.equal(lane!.inFlight, 3, 'as many are in flight already')
    lane!.due()
    t.equal(lane!.inFlight, 4)
  })
  await peer.came(4)
  for (const [at, batch] of produced.entries()) batch.stored(at * 7)
  await Promise.all([stored, more])
  t.same(
    produced.slice(0, 3).flatMap(batch => batch.values),
    values,
  )
})

t.test(
  'what waits in line stays behind what is moved to new lanes, also where a batch before it makes room',
  async t => {
    const peer = await startLogPeer(t, {
      partitions: [1, 2],
      onProduce: (one, index) => index > 1 && one.stored(index),
    })
    await using client = createLogClient({ brokers: { port: peer.port } })
    await using producer = client.producer({ batchBytesMax: 1, inFlightMax: 1, bufferBytesMax: 3 * 17 })
    const send = (value: string, partition: number) => producer.send({ topic: 't', messages: [{ value, partition }] })
    const unknown = t.rejects(send('a', 1), { code: 'STORAGE_FAILED', handled: /^unknown$/ })
    const lost = t.rejects(send('b', 2), { code: 'PARTITION_NOT_FOUND' })
    const [moved, inLine] = [send('c', 1), send('d', 1)]
    await peer.came(2)
    t.equal(producer.stats().sendsWaiting, 1)
    const [ofOne, ofTwo] = peer.produced.toSorted((one, other) => one.partition - other.partition)
    ofTwo!.failed(logError.partitionNotFound)
    ofOne!.failed(logError.storageError)
    await Promise.all([unknown, lost, moved, inLine])
    t.same(
      peer.produced.slice(2).map(({ values }) => values),
      [['c'], ['d']],
    )
  },
)
