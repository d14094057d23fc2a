/** Peers that mean harm: what each attack costs them, what they are told, and where it is counted. Virtual time. */
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import t from 'tap'
import type { RefusalKind } from '../../../src/actors/serving/refusals.ts'
import { encodeEventRequest, eventStatus } from '../../../src/messages/index.ts'
import { dialectV1 } from '../../../src/protocols/event/dialect-v1.ts'
import type { EventCall, EventCommand, LateAnswer } from '../../../src/protocols/event/event-call.ts'
import { wrapClient } from '../acceptor/event-client.ts'
import { certificate, privateKey } from '../acceptor/test-certificate.ts'
import { type EventShard, startEventShard, until } from './event-shard.ts'
import { ScriptedSocket } from './scripted-socket.ts'

const hello = encodeEventRequest({ sessionId: 7, body: Buffer.from('hello') })

/** A header alone, with this length. */
function declaring(bodyBytes: number, request: Parameters<typeof encodeEventRequest>[0] = {}): Buffer {
  const header = encodeEventRequest({ sessionId: 7, ...request })
  header.writeUInt32BE(bodyBytes, 8)
  return header
}

/** The counters that are not 0. */
function counted({ figures }: EventShard): Partial<Record<RefusalKind, number>> {
  return Object.fromEntries(Object.entries(figures.refusals).filter(([, count]) => count > 0))
}

t.test('slow header: one byte every half second is cut off 2 s after the first, without an answer', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect()
  for (let at = 0; at < 4; at++) {
    client.write(hello.subarray(at, at + 1))
    const [connection] = shard.connections.values()
    await until(() => connection?.partial?.arrivedBytes === at + 1)
    await shard.clock.advance(490)
  }
  await shard.states('wantReadHeader.begun')
  await shard.clock.advance(60)
  t.equal((await client.ended()).length, 0)
  t.same(counted(shard), { headersLate: 1 })
})

t.test('slow body: one that stands still for 2 s is answered 7 and cut off', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect()
  client.write(declaring(60_000), Buffer.alloc(50_000))
  const [connection] = await until(() => shard.connections.size === 1).then(() => [...shard.connections.values()])
  await until(() => connection?.partial?.arrivedBytes === 50_016)
  await shard.clock.advance(1_990)
  await shard.states('wantReadBody')
  await shard.clock.advance(20)
  t.match(await client.response(), { status: eventStatus.timeout, sessionId: 7 })
  t.equal((await client.ended()).length, 0)
  t.same(counted(shard), { bodiesLate: 1 })
  t.equal(shard.figures.heldBytes, 0)
})

t.test(
  'slow body: a drip below 1 KiB/s is answered 7 after 4 s, refused bodies are cut off without an answer',
  async t => {
    for (const command of [0, 99]) {
      const shard = await startEventShard(t)
      const client = await shard.connect()
      client.write(declaring(60_000, { command }))
      await shard.states('wantReadBody')
      const [connection] = shard.connections.values()
      for (let drips = 1; drips <= 3; drips++) {
        client.write(Buffer.alloc(1_000))
        await until(() => connection?.partial?.arrivedBytes === 16 + drips * 1_000)
        await shard.clock.advance(1_300)
      }
      await shard.states('wantReadBody')
      await shard.clock.advance(120)
      t.equal((await client.response()).status, command === 0 ? eventStatus.timeout : eventStatus.unknownCommand)
      t.equal((await client.ended()).length, 0)
      t.match(counted(shard), { bodiesLate: 1 })
    }
  },
)

t.test('slow header, slow body: what was accepted before is answered first', async t => {
  const late: LateAnswer[] = []
  const commands = new Map([[100, (call: EventCall) => void late.push(call.later())]])
  for (const [cut, ...statuses] of [
    [5, eventStatus.ok],
    [18, eventStatus.ok, eventStatus.timeout],
  ] as const) {
    late.length = 0
    const shard = await startEventShard(t, { commands })
    const client = await shard.connect()
    client.write(encodeEventRequest({ command: 100 }), hello.subarray(0, cut))
    await until(() => late.length === 1)
    await shard.clock.advance(2_100)
    await shard.states('finishing')
    // Too late: neither is what comes now a request.
    client.write(hello.subarray(cut), hello)
    await until(() => client.socket.writableLength === 0)
    late[0]!.answer(Buffer.from('in time'))
    for (const status of statuses) t.equal((await client.response()).status, status)
    t.equal((await client.ended()).length, 0)
    t.same(counted(shard), cut === 5 ? { headersLate: 1 } : { bodiesLate: 1 })
  }
})

t.test('slow reader: one that takes nothing is reset after 2 s, however much it asked for', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect()
  client.socket.pause()
  const large = encodeEventRequest({ body: Buffer.alloc(60_000) })
  for (let index = 0; index < 300; index++) client.write(large)
  await shard.states('wantWrite')
  const [connection] = shard.connections.values()
  t.ok(connection!.waitingOutputBytes < 5 * 65_536, 'the socket is not read meanwhile')
  await shard.clock.advance(2_600)
  await shard.states()
  client.socket.resume()
  t.equal(await client.closed(), 'reset')
  t.same(counted(shard), { readersLate: 1 })
})

t.test(
  'slow reader: one that takes a little all the time is reset at its deadline, a faster one has its time anew',
  async t => {
    const late: LateAnswer[] = []
    const commands = new Map([[100, (call: EventCall) => void late.push(call.later())]])
    const limits = { outputHighWaterBytes: 196_608, writeTimeoutMs: 4_000 }
    for (const [everyMs, ends] of [
      [1_500, true],
      [1_300, false],
    ] as const) {
      late.length = 0
      const shard = await startEventShard(t, { commands, limits })
      const socket = new ScriptedSocket()
      shard.server.accept(socket.asSocket)
      socket.receive(Buffer.concat(Array.from({ length: 20 }, () => encodeEventRequest({ command: 100 }))))
      // So large that each is a write of its own.
      for (const each of late) each.answer(Buffer.alloc(66_000))
      await shard.states('wantWrite')
      for (let atMs = everyMs; atMs < 4_000; atMs += everyMs) {
        await shard.clock.advance(everyMs)
        socket.take(1)
      }
      t.equal(socket.wasReset, false)
      await shard.clock.advance(1_020)
      t.equal(socket.wasReset, ends, `66,000 bytes every ${everyMs} ms`)
      t.same(counted(shard), ends ? { readersLate: 1 } : {})
      socket.close()
    }
  },
)

t.test('slow reader: what the kernel takes of a large answer counts, behind TLS too', async t => {
  const late: LateAnswer[] = []
  const commands = new Map([[100, (call: EventCall) => void late.push(call.later())]])
  for (const tls of [undefined, { cert: certificate, key: privateKey }]) {
    late.length = 0
    const limits = { outputBytesMax: 67_108_864 }
    const shard = await startEventShard(t, { commands, limits, ...(tls === undefined ? {} : { tls }) })
    const where = { port: shard.port, host: '127.0.0.1', ca: certificate }
    const socket = tls === undefined ? connect(where) : connectTls(where)
    t.teardown(() => socket.destroy())
    let error: NodeJS.ErrnoException | undefined
    socket.on('error', cause => {
      error = cause
    })
    socket.write(encodeEventRequest({ command: 100 }))
    await until(() => late.length === 1)
    late[0]!.answer(Buffer.alloc(33_554_432))
    await shard.states('wantWrite')
    let takenBytes = 0
    socket.on('data', ({ length }: Buffer) => {
      takenBytes += length
      if (takenBytes > 8_000_000) socket.pause()
    })
    await shard.clock.advance(1_400)
    await until(() => takenBytes > 8_000_000)
    await shard.clock.advance(1_900)
    await shard.states('wantWrite')
    await shard.clock.advance(3_000)
    await shard.states()
    t.same(counted(shard), { readersLate: 1 })
    socket.removeAllListeners('data').resume()
    await until(() => error !== undefined)
    t.equal(error!.code, 'ECONNRESET')
    t.same(shard.runtime.lines, [])
  }
})

t.test('slow reader: a last answer that is not taken resets the connection', async t => {
  const shard = await startEventShard(t)
  const socket = new ScriptedSocket()
  shard.server.accept(socket.asSocket)
  socket.receive(Buffer.alloc(16, 9))
  await shard.states('closing.flushing')
  await shard.clock.advance(2_100)
  t.ok(socket.wasReset)
  t.same(counted(shard), { headersInvalid: 1, readersLate: 1 })
})

t.test(
  'half-open: a peer that went away without a word is ended after 60 s, one that only closed its side at once',
  async t => {
    const shard = await startEventShard(t)
    const silent = await shard.connect()
    silent.write(hello)
    t.equal((await silent.response()).status, eventStatus.ok)
    const halfClosed = await shard.connect()
    halfClosed.write(hello)
    halfClosed.socket.end()
    t.equal((await halfClosed.response()).status, eventStatus.ok)
    t.equal(await halfClosed.closed(), 'end')
    await shard.states('wantReadHeader.idle')
    await shard.clock.advance(60_100)
    t.equal((await silent.ended()).length, 0)
    await shard.clock.advance(600)
    await shard.states()
    t.same(counted(shard), { connectionsIdle: 1 })
  },
)

t.test('half-open: a TLS handshake that never comes is ended after 10 s', async t => {
  const shard = await startEventShard(t, { tls: { cert: certificate, key: privateKey } })
  const client = await shard.connect()
  await shard.states('handshaking')
  await shard.clock.advance(10_100)
  t.equal((await client.ended()).length, 0)
  await shard.states()
  t.same(counted(shard), { handshakesLate: 1 })
})

t.test('RST mid-frame: header, body, skipped body and a request in hand leave nothing behind', async t => {
  let abandoned = 0
  const later = (call: EventCall): void => void call.later({ abandoned: () => void abandoned++ })
  const shard = await startEventShard(t, { commands: new Map([[100, later]]) })
  const cases: [string, Buffer][] = [
    ['wantReadHeader.begun', hello.subarray(0, 9)],
    ['wantReadBody', Buffer.concat([declaring(20_000), Buffer.alloc(9_000)])],
    ['wantReadBody', Buffer.concat([declaring(20_000, { command: 99 }), Buffer.alloc(9_000)])],
    ['processing.reading', encodeEventRequest({ command: 100 })],
  ]
  for (const [state, bytes] of cases) {
    const client = await shard.connect()
    client.write(bytes)
    await shard.states(state)
    client.socket.resetAndDestroy()
    await shard.states()
    t.match(shard.figures, { connections: 0, heldBytes: 0 }, state)
  }
  t.equal(abandoned, 1)
  t.equal(shard.clock.pending, 1, 'only the descriptor watch')
})

t.test('connection flood from one address: those over its limit are answered 6, those over that dropped', async t => {
  const shard = await startEventShard(t, { limits: { connectionsPerAddressMax: 20, refusalsMax: 30 } })
  const served = []
  for (let index = 0; index < 20; index++) served.push(await shard.connect(false))
  const refused = []
  for (let index = 0; index < 30; index++) refused.push(await shard.connect(false))
  const dropped = []
  for (let index = 0; index < 10; index++) dropped.push(await shard.connect(false))
  for (const client of dropped) t.equal(await client.closed(), 'reset')
  for (const client of refused) client.write(hello, hello)
  for (const client of refused) {
    t.match(await client.response(), { status: eventStatus.overloaded, sessionId: 7 })
    t.equal((await client.ended()).length, 0)
  }
  for (const client of served) client.write(hello)
  for (const client of served) t.equal((await client.response()).status, eventStatus.ok)
  t.match(shard.figures, { connections: 20, accepted: 20, refused: 40 })
  t.same(counted(shard), { connectionsDropped: 10 })
})

t.test('zero-length declared: a stream of bare headers is answered one by one and keeps nothing', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect()
  const count = 20_000
  const headers = Buffer.concat(
    Array.from({ length: count }, (_, index) => declaring(0, { command: index % 3 === 2 ? 99 : 0 })),
  )
  for (let at = 0; at < headers.length; at += 9_999) client.write(headers.subarray(at, at + 9_999))
  let wrong = 0
  for (let index = 0; index < count; index++) {
    const { status, body } = await client.response()
    if (status !== (index % 3 === 2 ? eventStatus.unknownCommand : eventStatus.ok) || body.length !== 0) wrong++
  }
  t.equal(wrong, 0)
  await shard.states('wantReadHeader.idle')
  t.equal(shard.figures.heldBytes, 0)
  t.same(counted(shard), { commandsUnknown: Math.floor(count / 3) })
})

t.test(
  '4 GiB declared: answered 4, or 3 for another server, before a byte is kept, and the connection ends',
  async t => {
    const shard = await startEventShard(t)
    const cases: [number, Parameters<typeof encodeEventRequest>[0]][] = [
      [eventStatus.bodyTooLarge, {}],
      [eventStatus.bodyTooLarge, { command: 99 }],
      [eventStatus.invalidHeader, { raidaId: 1 }],
    ]
    for (const [status, request] of cases) {
      for (const bodyBytes of [2 ** 32 - 1, 2 ** 31, 65_537]) {
        const client = await shard.connect()
        client.write(declaring(bodyBytes, request), Buffer.alloc(100_000, 1))
        t.match(await client.response(), { status, sessionId: 7 })
        t.equal((await client.ended()).length, 0)
        t.equal(shard.figures.heldBytes, 0)
        client.socket.destroy()
        await shard.states()
      }
    }
    t.same(counted(shard), { bodiesTooLarge: 6, headersInvalid: 3 })
  },
)

t.test('too many requests in hand on a shard: one more is answered 6, in its turn, on whatever connection', async t => {
  const late: LateAnswer[] = []
  const commands = new Map([[100, (call: EventCall) => void late.push(call.later())]])
  const held = encodeEventRequest({ command: 100, body: Buffer.alloc(84) })
  for (const limits of [{ shardInFlightRequestsMax: 3 }, { shardInFlightBytesMax: 300 }]) {
    late.length = 0
    const shard = await startEventShard(t, { commands, limits })
    const greedy = await shard.connect()
    const other = await shard.connect()
    greedy.write(held, held, held, held)
    await until(() => late.length === 3)
    other.write(hello)
    t.equal((await other.response()).status, eventStatus.overloaded)
    for (const each of late) each.answer(Buffer.alloc(0))
    const statuses = []
    for (let index = 0; index < 4; index++) statuses.push((await greedy.response()).status)
    t.same(statuses, [eventStatus.ok, eventStatus.ok, eventStatus.ok, eventStatus.overloaded])
    other.write(hello)
    t.equal((await other.response()).status, eventStatus.ok, 'there is room again')
    t.same(counted(shard), { requestsOverload: 2 })
    greedy.write(held, held)
    await until(() => late.length === 5)
    greedy.socket.resetAndDestroy()
    await until(() => shard.connections.size === 1)
    other.write(held)
    await until(() => late.length === 6)
    t.same(counted(shard), { requestsOverload: 2 }, 'what is in hand of a connection that is gone does not count')
  }
})

t.test('requests that are never answered: reset after 30 s without an answer, not before', async t => {
  const late: LateAnswer[] = []
  const commands = new Map([[100, (call: EventCall) => void late.push(call.later())]])
  for (const limits of [{}, { inFlightRequestsMax: 2 }]) {
    late.length = 0
    const shard = await startEventShard(t, { commands, limits })
    const client = await shard.connect()
    const held = encodeEventRequest({ command: 100 })
    client.write(held, held, held)
    await shard.states('inFlightRequestsMax' in limits ? 'processing.full' : 'processing.reading')
    await shard.clock.advance(29_000)
    late[0]!.answer(Buffer.alloc(0))
    t.equal((await client.response()).status, eventStatus.ok)
    await shard.clock.advance(29_000)
    t.equal(shard.connections.size, 1, 'one that was answered has its time anew')
    await shard.clock.advance(31_000)
    t.equal(await client.closed(), 'reset')
    t.same(counted(shard), { handlersLate: 1 })
  }
})

t.test('answers that pile up: over the limit of a connection it is reset, and no other, behind TLS too', async t => {
  const late: LateAnswer[] = []
  const commands = new Map([[100, (call: EventCall) => void late.push(call.later())]])
  for (const tls of [undefined, { cert: certificate, key: privateKey }]) {
    late.length = 0
    const limits = { outputBytesMax: 100_000 }
    const shard = await startEventShard(t, { commands, limits, ...(tls === undefined ? {} : { tls }) })
    const where = { port: shard.port, host: '127.0.0.1', ca: certificate }
    const [client, neighbour] = [1, 2].map(() => wrapClient(tls === undefined ? connect(where) : connectTls(where)))
    t.teardown(() => neighbour!.socket.destroy())
    client!.write(...Array.from({ length: 3 }, () => encodeEventRequest({ command: 100 })))
    await until(() => late.length === 3)
    late[1]!.answer(Buffer.alloc(60_000))
    late[2]!.answer(Buffer.alloc(60_000))
    t.equal(await client!.closed(), 'reset')
    t.same(counted(shard), { outputOverflows: 1 })
    t.same(shard.runtime.lines, [])
    neighbour!.write(hello)
    t.equal((await neighbour!.response()).status, eventStatus.ok)
  }
})

t.test('bodies that cannot be opened: each is answered 8', async t => {
  const validateDecryptBody = (): never => {
    throw new Error('no key')
  }
  const shard = await startEventShard(t, { dialect: { ...dialectV1, validateDecryptBody } })
  const client = await shard.connect()
  client.write(hello, hello)
  t.same([(await client.response()).status, (await client.response()).status], [8, 8])
  t.same(counted(shard), { bodiesInvalid: 2 })
})

t.test('no memory: a body for which there is none is answered 2 and skipped, and the connection lives on', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect()
  const large = encodeEventRequest({ sessionId: 3, body: Buffer.alloc(60_000, 3) })
  const { allocUnsafeSlow } = Buffer
  const failing = t.capture(Buffer, 'allocUnsafeSlow', (size: number) => {
    // For output, and for headers, there is some left.
    if (size <= 16 || size >= 65_536) return allocUnsafeSlow(size)
    throw new RangeError('Array buffer allocation failed')
  })
  client.write(large.subarray(0, 30_000))
  t.match(await client.response(), { status: eventStatus.memoryAlloc, sessionId: 3 })
  t.equal(shard.figures.heldBytes, 0)
  failing.restore()
  client.write(large.subarray(30_000), large)
  t.match(await client.response(), { status: eventStatus.ok, sessionId: 3 })
  t.same(counted(shard), { requestsWithoutMemory: 1 })
})

t.test('no memory: a command that cannot get its own is answered 2', async t => {
  const commands = new Map<number, EventCommand>([[100, () => void new ArrayBuffer(2 ** 52)]])
  const table = { 16: { handle: async () => new Uint8Array(new ArrayBuffer(2 ** 52)) } }
  for (const [number, options] of [
    [100, { commands }],
    [0x10, { table }],
  ] as const) {
    const shard = await startEventShard(t, options)
    const client = await shard.connect()
    client.write(encodeEventRequest({ command: number }), hello)
    t.equal((await client.response()).status, eventStatus.memoryAlloc)
    t.equal((await client.response()).status, eventStatus.ok)
    t.same(shard.runtime.lines, [])
  }
})

t.test('requests while the server drains: answered 6', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect()
  await shard.states('wantReadHeader.idle')
  void shard.server.drain()
  await shard.states('draining.reading')
  client.write(hello, hello)
  t.same([(await client.response()).status, (await client.response()).status], [6, 6])
  t.same(counted(shard), { requestsOverload: 2 })
})
