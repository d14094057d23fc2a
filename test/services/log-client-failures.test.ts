/** What a log client tells of servers that are not there, or are others than it thinks. */
import { createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { createEventServer, createLogClient, memoryLogEngine } from '../../src/index.ts'
import { logError } from '../../src/messages/index.ts'
import { until } from '../actors/connection/event-shard.ts'
import { startLogPeer } from './clients/log/log-peer.ts'
import { serveLog } from './fixtures/served-log.ts'

t.setTimeout(60_000)

function clientOf(t: Test, port: number) {
  const pool = { backoffInitialMs: 5, backoffMaxMs: 20 }
  const client = createLogClient({ brokers: { port }, pool, retry: { initialMs: 1, maxMs: 5 } })
  t.teardown(() => client.close({ timeoutMs: 0 }))
  return client
}

/** A peer of another protocol; answers its port. */
async function startStranger(t: Test, meet: (socket: Socket) => void): Promise<number> {
  const server = createServer(socket => {
    socket.on('error', () => {})
    t.teardown(() => socket.destroy())
    meet(socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('it does not listen')
  return address.port
}

t.test('while there is no server its figures say why, and when that was', async t => {
  const { port, server } = await serveLog(t, 0)
  await server.stop()
  const client = clientOf(t, port)
  const reader = client.consumer({ topic: 't' })
  const reading = reader[Symbol.asyncIterator]().next()
  const startMs = Date.now()
  await until(() => client.stats().servers[0]!.failures >= 2)
  const { lastError } = client.stats().servers[0]!
  t.match(lastError, { code: 'CONNECT_FAILED', message: /^no connection to .* came up: .*ECONNREFUSED/ })
  const { atMs } = lastError!
  t.ok(atMs >= startMs - 1_000 && atMs <= Date.now() + 1_000)
  await reader.close()
  await reading
})

t.test('what was lost stays told when the server is well again', async t => {
  const { port } = await startLogPeer(t, {
    onProduce({ socket, stored }, index) {
      if (index === 0) socket.destroy()
      else stored(0)
    },
  })
  const client = clientOf(t, port)
  t.equal(client.stats().servers[0]!.lastError, undefined)
  await client.producer().send({ topic: 't', messages: [{ value: 'a' }] })
  t.match(client.stats().servers, [{ failures: 0, connections: 1, lastError: { code: 'CONNECTION_LOST' } }])
})

t.test('a peer that speaks something else is asked about', async t => {
  const guess = /; does it speak the message log's protocol\?/
  const strangers: Readonly<Record<string, (socket: Socket) => void>> = {
    'answers something else': socket => socket.on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')),
    'ends it': socket => socket.on('data', () => socket.end()),
  }
  const { system } = await serveLog(t, 0)
  const events = createEventServer(system, { port: 0 })
  const ports = { events: (await events.start()).port }
  for (const [name, meet] of Object.entries(strangers)) Object.assign(ports, { [name]: await startStranger(t, meet) })
  for (const [name, port] of Object.entries(ports)) {
    const client = clientOf(t, port)
    // One that answers in another protocol is given up long before the deadline.
    const timeoutMs = name === 'ends it' ? 500 : 1_000_000
    await t.rejects(client.healthCheck({ timeoutMs }), { code: 'CONNECT_FAILED', message: guess }, name)
    t.match(client.stats().servers, [{ lastError: { code: 'CONNECT_FAILED', message: guess } }])
  }
})

t.test('a send that waited for a server says what was wrong with it', async t => {
  const { port, server } = await serveLog(t, 0)
  await server.stop()
  const client = clientOf(t, port)
  const producer = client.producer({ timeoutMs: 300 })
  await t.rejects(producer.send({ topic: 't', messages: [{ value: 'a' }] }), {
    code: 'REQUEST_TIMEOUT',
    handled: 'no',
    message: /^the send waited 300 ms to learn what partitions t has: no connection to .*ECONNREFUSED/,
    cause: { code: 'CONNECT_FAILED' },
  })
})

t.test('a partition that cannot be read says why, until it can be', async t => {
  let isBroken = true
  const { port } = await startLogPeer(t, {
    onProduce: ({ stored }) => stored(0),
    onFetch: ({ failed, answer }) => (isBroken ? failed(logError.storageError) : answer('a')),
  })
  const reader = clientOf(t, port).consumer({ topic: 't' })
  t.teardown(() => reader.close())
  const reading = reader[Symbol.asyncIterator]().next()
  await until(() => (reader.stats()[0]?.failures ?? 0) >= 2)
  t.match(reader.stats(), [{ lastError: { code: 'STORAGE_FAILED', message: /by script/ } }])
  isBroken = false
  t.match(await reading, { value: { partition: 1, offset: 0 } })
  t.match(reader.stats(), [{ failures: 0, lastError: { code: 'STORAGE_FAILED' } }])
})

t.test('a send whose topic could not be looked up says why', async t => {
  const { port } = await startLogPeer(t, { topicsFault: 'the answer would be too long' })
  const client = clientOf(t, port)
  const producer = client.producer({ timeoutMs: 300 })
  await t.rejects(producer.send({ topic: 't', messages: [{ value: 'a' }] }), {
    code: 'REQUEST_TIMEOUT',
    handled: /^no$/,
    message: /to learn what partitions t has: .*the answer would be too long/,
    cause: { code: 'STORAGE_FAILED' },
  })
})

t.test('nobody waits on close for a topic that was looked up for a send which is over', async t => {
  const { port, server } = await serveLog(t, 0)
  await server.stop()
  const client = clientOf(t, port)
  await t.rejects(client.producer({ timeoutMs: 100 }).send({ topic: 't', messages: [{ value: 'a' }] }))
  t.equal(client.stats().open, 1)
  // Longer than this test may take.
  await client.close({ timeoutMs: 600_000 })
  t.equal(client.stats().open, 0)
})

t.test('an answer that is longer than the client takes says so, and what fits is fetched', async t => {
  const { port } = await serveLog(t, 0, { engine: memoryLogEngine.with(undefined) })
  const large = clientOf(t, port)
  const client = createLogClient({ brokers: { port }, frameBytesMax: 1_024 })
  t.teardown(() => client.close({ timeoutMs: 0 }))
  const [p = -1] = (await client.createTopic('t')).partitions
  const values = Array.from({ length: 100 }, (_, n) => `${n}`)
  await large.produce(
    p,
    values.map(value => ({ value })),
  )
  await large.produce(p, [{ value: 'x'.repeat(2_000) }])
  const refused = { code: 'REQUEST_REFUSED', message: /more than this client takes: frameBytesMax is 1024/ }
  const reader = client.consumer({ topic: 't' })
  const seen: string[] = []
  const reading = reader.eachBatch(({ messages }) => void seen.push(...messages.map(({ value }) => String(value))))
  await t.rejects(reading, refused)
  t.same(seen, values)
  t.ok((await client.fetch(p, 0, 1_000_000)).messages.length > 1)
  await t.rejects(client.fetch(p, 100, 1_000_000), refused)
  await client.healthCheck()
})

t.test('a server that does not take up TLS is asked about, one that cannot be reached is not', async t => {
  const plain = await serveLog(t, 0)
  const guess = /; does it speak TLS\?/
  const tls = {}
  for (const port of [plain.port, await startStranger(t, socket => socket.write('220 ready\r\n'))]) {
    const client = createLogClient({ brokers: { port }, tls })
    t.teardown(() => client.close({ timeoutMs: 0 }))
    await t.rejects(client.healthCheck({ timeoutMs: 500 }), { code: 'CONNECT_FAILED', message: guess })
  }
  await plain.server.stop()
  const client = createLogClient({ brokers: { port: plain.port }, tls })
  t.teardown(() => client.close({ timeoutMs: 0 }))
  const refused = await client.healthCheck({ timeoutMs: 300 }).catch(error => error)
  t.match(refused.message, /ECONNREFUSED/)
  t.notMatch(refused.message, guess)
})

t.test('a connection that ends at a large request raises the question of its size', async t => {
  const { port } = await serveLog(t, 0, { engine: memoryLogEngine.with(undefined), frameBytesMax: 1_048_576 })
  const client = clientOf(t, port)
  const [p = -1] = (await client.createTopic('t')).partitions
  const doubt = /; the request has 2\d{6} bytes: is that more than frameBytesMax of the server\?/
  await t.rejects(client.produce(p, [{ value: 'x'.repeat(2_000_000) }]), { code: 'CONNECTION_LOST', message: doubt })
})

t.test('a request that ends one connection after another, as no smaller one does, is given up', async t => {
  const { port } = await serveLog(t, 0, { engine: memoryLogEngine.with(undefined), frameBytesMax: 1_048_576 })
  const client = clientOf(t, port)
  const [p = -1] = (await client.createTopic('t')).partitions
  const value = 'x'.repeat(2_000_000)
  const tooLarge = {
    code: 'REQUEST_REFUSED',
    handled: /^unknown$/,
    message: /given up: .*; the request has 2\d{6} bytes: is that more than frameBytesMax of the server\?/,
  }
  const messages = [{ value }]
  await t.rejects(client.produce(p, messages, { producer: { producerId: 1n, sequence: 0 } }), {
    ...tooLarge,
    details: { server: `127.0.0.1:${port}`, attempts: 2 },
  })
  const producer = client.producer()
  const large = producer.send({ topic: 't', messages: [{ value, partition: p }] })
  const small = producer.send({ topic: 't', messages: [{ value: 'small', partition: p }] })
  await t.rejects(large, tooLarge)
  t.same(await small, [{ partition: p, offset: 0 }], 'those that share its connections are stored')
  t.ok(client.stats().retries < 10)
})
