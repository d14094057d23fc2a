/** The log client and real log servers: requests, their errors, their ends. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { crc32 } from 'node:zlib'
import t, { type Test } from 'tap'
import { createLogClient, isStarfishError, type LogClient } from '../../src/index.ts'
import { encodeLogError, encodeLogResponse, logError, logOperation } from '../../src/messages/index.ts'
import { keptAnswersMax } from '../../src/protocols/message-log/engine/contract.ts'
import { certificate, privateKey } from '../actors/acceptor/test-certificate.ts'
import { until } from '../actors/connection/event-shard.ts'
import { serveLog } from './fixtures/served-log.ts'

t.setTimeout(120_000)

function clientOf(t: Test, options: Parameters<typeof createLogClient>[0]): LogClient {
  const client = createLogClient(options)
  t.teardown(() => client.close({ timeoutMs: 0 }))
  return client
}

const soon = { timeoutMs: 20_000 }

for (const shards of [0, 2]) {
  t.test(`${shards} shards: everything that can be asked`, async t => {
    const { port } = await serveLog(t, shards)
    const client = createLogClient(`127.0.0.1:${port}`)
    t.teardown(() => client.close({ timeoutMs: 0 }))
    await client.healthCheck(soon)
    const orders = await client.createTopic('orders', 2)
    const { partitions } = await client.createTopic('bills')
    t.same(await client.listTopics(), [orders, { name: 'bills', partitions }])
    const [partition = -1] = orders.partitions
    const first = await client.produce(partition, [
      { key: 'k', value: 'a', timestamp: 5 },
      { key: null, value: null, timestamp: -6 },
    ])
    t.same(first, { partitionId: partition, baseOffset: 0 })
    t.same(await client.produce(partition, [{ value: Buffer.from('c') }]), { partitionId: partition, baseOffset: 2 })
    t.equal(await client.getOffset(partition), 3)
    const { messages, highWaterMark } = await client.fetch(partition, 0, 1_000)
    t.equal(highWaterMark, 3)
    t.match(messages, [
      { partition, offset: 0, timestamp: 5, key: Buffer.from('k'), value: Buffer.from('a') },
      { partition, offset: 1, timestamp: -6, key: null, value: null },
      { partition, offset: 2, key: null, value: Buffer.from('c') },
    ])
    t.ok(Math.abs(messages[2]!.timestamp - Date.now()) < 60_000)
    t.same(
      (await client.fetch(partition, 1, 0)).messages.map(({ offset }) => offset),
      [1],
      'one at least',
    )
    t.same(await client.fetch(partition, 3, 1_000), { messages: [], highWaterMark: 3 })
    await client.deleteTopic('orders')
    t.same(await client.listTopics(), [{ name: 'bills', partitions }])
  })
}

t.test('what a server refuses is rejected by its error code', async t => {
  const { port } = await serveLog(t, 0)
  const client = clientOf(t, { brokers: [{ port }] })
  const { partitions } = await client.createTopic('once')
  const [partition = -1] = partitions
  const cases: readonly (readonly [Promise<unknown>, object])[] = [
    [client.createTopic('once'), { code: 'TOPIC_EXISTS', handled: /^no$/, details: { errorName: 'topicExists' } }],
    [client.deleteTopic('never'), { code: 'TOPIC_NOT_FOUND', handled: /^no$/, details: { errorCode: 8 } }],
    [client.getOffset(4_711), { code: 'PARTITION_NOT_FOUND', handled: /^no$/ }],
    [client.produce(4_711, [{ value: 'x' }]), { code: 'PARTITION_NOT_FOUND', handled: /^no$/ }],
    [
      client.fetch(partition, 1, 100),
      { code: 'OFFSET_OUT_OF_RANGE', handled: /^no$/, details: { firstOffset: 0, highWaterMark: 0 } },
    ],
    [client.createTopic('x'.repeat(300)), { code: 'REQUEST_REFUSED', handled: /^no$/ }],
  ]
  for (const [asked, error] of cases) await t.rejects(asked, error as { code: string })
  t.match(client.stats(), { failed: 6, retries: 0 })
})

t.test('what cannot be sent is refused here, with every fault', async t => {
  const client = clientOf(t, { brokers: '127.0.0.1:1', frameBytesMax: 4_096 })
  const bad = (text: string) => ({ code: 'BAD_CONFIG', handled: /^no$/, message: new RegExp(text) })
  await t.rejects(client.createTopic('', 0), bad('name is "", .*; partitions is 0, not a whole number from 1 to 4096'))
  const unpaired = '\ud800'
  await t.rejects(client.createTopic(unpaired), bad('name is .*, which is not well-formed'))
  await t.rejects(client.deleteTopic(unpaired), bad('name is .*, which is not well-formed'))
  const sent = client.producer().send({ topic: unpaired, messages: [{ value: '' }] })
  await t.rejects(sent, bad('topic is .*, which is not well-formed'))
  const refused = { code: 'BAD_CONFIG', message: /topic is .*, which is not well-formed/ }
  t.throws(() => client.consumer({ topic: unpaired }), refused)
  await t.rejects(client.getOffset(-1), bad('partition is -1, not a whole number'))
  await t.rejects(client.fetch(0, 0.5, 2 ** 32), bad('offset is 0.5.*; bytesMax is 4294967296'))
  await t.rejects(client.produce(0, []), bad('messages is an empty list'))
  await t.rejects(
    client.produce(0, [{ value: 5 as never }]),
    bad(String.raw`messages\[0\].value is 5, not a Uint8Array`),
  )
  await t.rejects(client.produce(0, [{ value: '', timestamp: 0.5 }]), bad(String.raw`messages\[0\].timestamp is 0.5`))
  await t.rejects(client.listTopics({ timeout: 5 } as never), bad('timeout is not known: did you mean timeoutMs'))
  await t.rejects(client.listTopics({ timeoutMs: 0 }), bad('timeoutMs is 0, not above 0'))
  await t.rejects(client.produce(0, [{ value: 'x'.repeat(5_000) }]), {
    code: 'REQUEST_REFUSED',
    handled: /^no$/,
    message: /it has 50\d\d bytes, more than frameBytesMax of the client, \d+$/,
  })
  t.throws(() => createLogClient({ brokers: ['here'], timeout: 5 } as never), {
    code: 'BAD_CONFIG',
    message: /timeout is not known: .*; brokers\[0\] is "here", not host:port/,
  })
  t.throws(() => createLogClient('nowhere'), { code: 'BAD_CONFIG', message: /brokers is "nowhere"/ })
  t.throws(() => createLogClient({ brokers: [] }), { code: 'BAD_CONFIG', message: /brokers is empty: .*'host:port'/ })
  const wanted = /brokers is (undefined|5), not host:port, { host, port }, or a list of them/
  t.throws(() => createLogClient({} as never), { code: 'BAD_CONFIG', message: wanted })
  t.throws(() => createLogClient({ brokers: 5 } as never), { code: 'BAD_CONFIG', message: wanted })
  t.throws(() => createLogClient({ port: 0 }), { code: 'BAD_CONFIG', message: /brokers.port is 0/ })
  t.throws(() => client.consumer({ topic: 't', from: 5 as never }), { message: /from is 5, not start, end, or \{/ })
})

t.test('answers overtake each other on a connection, and find their request', async t => {
  const { port, server } = await serveLog(t, 2)
  const client = clientOf(t, { brokers: `127.0.0.1:${port}`, pool: { connectionsPerServer: 1 } })
  const { partitions } = await client.createTopic('t', 2)
  const [busy = -1, idle = -1] = partitions
  const order: string[] = []
  const longPoll = { maxWaitMs: 20_000, minBytes: 1 }
  const poll = client.fetch(idle, 0, 1_000, { longPoll })
  const polled = poll.then(({ messages }) => order.push(`poll ${messages.length}`))
  const rest = Array.from({ length: 500 }, (_, n) => client.produce(busy, [{ value: `${n}` }]))
  await Promise.all(rest)
  order.push('produced')
  order.push(`fetch ${(await client.fetch(busy, 0, 1, { longPoll })).messages.length}`)
  t.equal(server.stats().connections, 2, 'polls go by a connection of their own')
  await client.produce(idle, [{ value: 'at last' }])
  await polled
  t.same(order, ['produced', 'fetch 1', 'poll 1'])
  const offsets = (await Promise.all(rest)).map(({ baseOffset }) => baseOffset)
  t.same(offsets, [...offsets.keys()], 'produces of a connection are stored in the order sent')
  const { messages } = await client.fetch(busy, 0, 1_000_000)
  t.same(
    messages.map(({ value }) => String(value)),
    offsets.map(String),
  )
})

t.test('deadline, abort and close end a long poll at once', async t => {
  const { port, server } = await serveLog(t, 0)
  const client = createLogClient({ brokers: { port } })
  const [partition = -1] = (await client.createTopic('t')).partitions
  const longPoll = { maxWaitMs: 19_000, minBytes: 1 }
  const abort = new AbortController()
  const aborted = client.fetch(partition, 0, 1, { longPoll, signal: abort.signal })
  const closed = client.fetch(partition, 0, 1, { longPoll })
  abort.abort(new Error('enough'))
  await t.rejects(aborted, { code: 'REQUEST_ABORTED', cause: { message: 'enough' } })
  await t.rejects(client.healthCheck({ signal: AbortSignal.abort() }), { code: 'REQUEST_ABORTED', handled: /^no$/ })
  const rejected = t.rejects(closed, { code: 'CLIENT_CLOSED' })
  await client.close({ timeoutMs: 0 })
  await rejected
  await t.rejects(client.healthCheck(), { code: 'CLIENT_CLOSED', handled: /^no$/ })
  await until(() => server.stats().connections === 0)
})

t.test('close does not wait for what was aborted', async t => {
  const { port } = await serveLog(t, 0)
  const client = createLogClient({ brokers: { port } })
  const [partition = -1] = (await client.createTopic('t')).partitions
  const abort = new AbortController()
  const poll = client.fetch(partition, 0, 1, { longPoll: { maxWaitMs: 19_000, minBytes: 1 }, signal: abort.signal })
  await until(() => client.stats().queued === 0)
  abort.abort()
  await t.rejects(poll, { code: 'REQUEST_ABORTED', handled: 'unknown' })
  const fromMs = performance.now()
  await client.close()
  t.ok(performance.now() - fromMs < 900, 'a connection that drains has a second')
})

t.test('large answers come whole, and what was fetched stays as it is', async t => {
  const { port } = await serveLog(t, 0)
  const client = clientOf(t, { brokers: { port } })
  const [partition = -1] = (await client.createTopic('t')).partitions
  const values = [1, 70_000, 3_000_000, 0, 10].map((size, n) => Buffer.alloc(size, `${n}`))
  for (const value of values) await client.produce(partition, [{ value }])
  const first = await client.fetch(partition, 0, 10_000_000)
  const again = await Promise.all(values.map((_, offset) => client.fetch(partition, offset, 1)))
  for (const [offset, value] of values.entries()) {
    t.ok(value.equals(first.messages[offset]!.value!), `${value.length} bytes among others`)
    t.ok(value.equals(again[offset]!.messages[0]!.value!), `${value.length} bytes alone`)
  }
})

t.test('a produce with a sequence is stored once', async t => {
  const { port } = await serveLog(t, 0)
  const client = clientOf(t, { brokers: { port } })
  const [partition = -1] = (await client.createTopic('t')).partitions
  const producer = { producerId: 0xffff_ffff_ffff_fff1n, sequence: 0 }
  t.equal((await client.produce(partition, [{ value: 'a' }], { producer })).baseOffset, 0)
  t.equal((await client.produce(partition, [{ value: 'a' }], { producer })).baseOffset, 0)
  t.equal((await client.produce(partition, [{ value: 'a' }])).baseOffset, 1)
  t.equal(await client.getOffset(partition), 2)
  for (let sequence = 1; sequence <= keptAnswersMax; sequence++) {
    await client.produce(partition, [{ value: 'b' }], { producer: { ...producer, sequence } })
  }
  const tooLate = client.produce(partition, [{ value: 'a' }], { producer })
  await t.rejects(tooLate, { code: 'REQUEST_FAILED', handled: 'unknown', details: { errorName: 'storageError' } })
  t.equal(client.stats().retries, 0, 'no other try mends it')
})

t.test('over TLS', async t => {
  const { port } = await serveLog(t, 0, { tls: { cert: certificate, key: privateKey } })
  const client = clientOf(t, { brokers: { port }, tls: { ca: certificate, servername: 'localhost' } })
  const [partition = -1] = (await client.createTopic('t')).partitions
  const value = Buffer.alloc(200_000, 'sealed')
  await client.producer().send({ topic: 't', messages: [{ value }] })
  t.ok((await client.fetch(partition, 0, 1)).messages[0]?.value?.equals(value))
  const stranger = clientOf(t, { brokers: { port }, tls: { servername: 'localhost' } })
  await t.rejects(stranger.healthCheck({ timeoutMs: 500 }), { code: 'CONNECT_FAILED', handled: /^no$/ })
  t.throws(() => createLogClient({ brokers: { port }, tls: { ca: certificate, cert: 'nonsense' } }), {
    code: 'BAD_CONFIG',
    message: /tls cannot be used/,
  })
})

t.test('several brokers get requests in turn; one that is gone is passed over', async t => {
  const { port } = await serveLog(t, 0)
  const doors = await Promise.all([startDoor(t, port), startDoor(t, port)])
  const client = clientOf(t, { brokers: doors.map(door => ({ port: door.port })), pool: { backoffInitialMs: 5 } })
  const [partition = -1] = (await client.createTopic('t')).partitions
  await client.healthCheck()
  const inTurn = Array.from({ length: 20 }, () => client.getOffset(partition))
  t.same(new Set(client.stats().servers.map(({ inFlight }) => inFlight)), new Set([10]))
  await Promise.all(inTurn)
  const producer = client.producer({ batchBytesMax: 1 })
  const send = (value: string) => producer.send({ topic: 't', messages: [{ value }] })
  await Promise.all(['a', 'b', 'c'].map(send))
  const under = Array.from({ length: 40 }, (_, n) => send(`${n}`))
  doors[0]!.close()
  const places = (await Promise.all(under)).flat()
  t.same(
    places.map(({ offset }) => offset),
    places.map((_, n) => 3 + n),
    'in order and once, by whatever door',
  )
  for (let n = 0; n < 10; n++) t.equal(await client.getOffset(partition), 43)
})

t.test('a server that answers nonsense is not read any further', async t => {
  const good = encodeLogResponse(logOperation.healthCheck, 0, {})
  const nonsense: Readonly<Record<string, (asked: Buffer) => Buffer>> = {
    'a request that nobody sent': () => encodeLogResponse(logOperation.healthCheck, 4_711, {}),
    'an id above 2^53': () => Buffer.from(good).fill(0xff, 4, 12),
    'a length that cannot be': () => Buffer.from(good).fill(0xff, 0, 4),
    'a wrong checksum': asked => {
      const answer = answerTo(asked)
      answer[answer.length - 1]! ^= 1
      return answer
    },
    'a corrupt request': asked => {
      const answer = encodeLogError(0, logError.corruptMessage, 'the checksum of the request is wrong')
      return withId(answer, asked)
    },
  }
  for (const [name, answer] of Object.entries(nonsense)) {
    let asked = 0
    // The greeting is answered well.
    const port = await startPeer(t, frame => (asked++ % 2 === 0 ? answerTo(frame) : answer(frame)))
    const client = clientOf(t, { brokers: { port }, retry: { savedMax: 0, perSecond: 0, ratio: 0 } })
    await t.rejects(client.healthCheck(soon), { code: 'CONNECTION_LOST', handled: 'unknown' }, name)
  }
})

t.test('an error code of a newer server is a failure whose handling is not known', async t => {
  let asked = 0
  const port = await startPeer(t, frame =>
    asked++ === 0 ? answerTo(frame) : withId(encodeLogError(0, 99, 'how new'), frame),
  )
  const client = clientOf(t, { brokers: { port } })
  const error = await client.healthCheck(soon).catch(error => error)
  t.ok(isStarfishError(error, 'REQUEST_FAILED'))
  t.match(error, { handled: 'unknown', details: { errorCode: 99, errorName: 'unknown', text: 'how new' } })
})

/** Another way to a server, which can be closed. */
async function startDoor(t: Test, to: number): Promise<{ readonly port: number; close(): void }> {
  const sockets = new Set<Socket>()
  const door = createServer(inside => {
    const outside = connect(to, '127.0.0.1')
    for (const [from, into] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {}).on('close', () => into.destroy())
      from.pipe(into)
    }
  })
  await new Promise<void>(resolve => door.listen(0, '127.0.0.1', resolve))
  const close = () => {
    door.close()
    for (const socket of sockets) socket.destroy()
  }
  t.teardown(close)
  return { port: (door.address() as AddressInfo).port, close }
}

/** Any answer to the health check `asked`. */
function answerTo(asked: Buffer): Buffer {
  return withId(encodeLogResponse(logOperation.healthCheck, 0, {}), asked)
}

/** An answer with the id of the request, sealed. */
function withId(answer: Buffer, asked: Buffer): Buffer {
  asked.copy(answer, 4, 4, 12)
  answer.writeUInt32BE(crc32(answer.subarray(0, answer.length - 4)), answer.length - 4)
  return answer
}

/** A peer that gives each frame of a health check what `answer` makes of it. */
async function startPeer(t: Test, answer: (asked: Buffer) => Buffer): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    let bytes = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      for (; bytes.length >= 20; bytes = bytes.subarray(20)) socket.write(answer(bytes.subarray(0, 20)))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

t.test('what the start of a server answers is an address', async t => {
  const { port } = await serveLog(t, 0)
  const client = clientOf(t, { host: '127.0.0.1', port })
  await client.healthCheck(soon)
  t.match(client.stats().servers, [{ server: `127.0.0.1:${port}` }])
})
