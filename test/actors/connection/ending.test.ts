/** How connections end: by the peer, by a deadline, by a limit, by a drain. Real sockets, virtual time. */
import t from 'tap'
import { drainConnection } from '../../../src/actors/connection/io.ts'
import { encodeEventRequest } from '../../../src/messages/index.ts'
import type { EventCall, LateAnswer } from '../../../src/protocols/event/event-call.ts'
import { startEventShard, until } from './event-shard.ts'

const hello = encodeEventRequest({ sessionId: 7, body: Buffer.from('hello') })

t.test('a FIN discards no whole request: all are answered, then the server ends too', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect()
  client.write(...Array.from({ length: 500 }, () => hello))
  client.socket.end()
  for (let index = 0; index < 500; index++) t.equal((await client.response()).status, 0)
  t.equal((await client.ended()).length, 0)
  t.equal(await client.closed(), 'end')
  await shard.states()
})

t.test('a FIN waits for answers that were put off', async t => {
  const late: LateAnswer[] = []
  const commands = new Map([[100, (call: EventCall) => void late.push(call.later())]])
  const shard = await startEventShard(t, { commands })
  const client = await shard.connect()
  client.write(encodeEventRequest({ command: 100 }))
  client.socket.end()
  await shard.states('finishing')
  late[0]!.answer(Buffer.from('at last'))
  t.equal(String((await client.response()).body), 'at last')
  t.equal(await client.closed(), 'end')
})

t.test('a FIN behind requests that wait for room in flight discards none of them', async t => {
  const late: LateAnswer[] = []
  const commands = new Map([[100, (call: EventCall) => void late.push(call.later())]])
  const shard = await startEventShard(t, { commands, limits: { inFlightRequestsMax: 2 } })
  const client = await shard.connect()
  const frame = encodeEventRequest({ command: 100 })
  client.write(frame, frame, frame, frame, frame.subarray(0, 9))
  client.socket.end()
  await shard.states('processing.full')
  const [connection] = shard.connections.values()
  await until(() => connection!.peerEnded)
  for (let index = 0; index < 4; index++) {
    await until(() => late.length > index)
    late[index]!.answer(Buffer.from([index]))
    t.same((await client.response()).body, Buffer.from([index]))
  }
  t.equal((await client.ended()).length, 0)
})

t.test('a FIN behind requests whose answers wait for the reader discards none of them', async t => {
  const large = Buffer.alloc(60_000, 1)
  const commands = new Map([[100, (call: EventCall) => call.answer(large)]])
  const shard = await startEventShard(t, { commands })
  const client = await shard.connect()
  client.socket.pause()
  client.write(...Array.from({ length: 500 }, () => encodeEventRequest({ command: 100 })))
  client.socket.end()
  await shard.states('wantWrite')
  const [connection] = shard.connections.values()
  t.ok(connection!.waitingOutputBytes < 300_000, 'one chunk of requests does not fill the memory with answers')
  await until(() => connection!.peerEnded)
  await shard.states('wantWrite')
  client.socket.resume()
  for (let index = 0; index < 500; index++) await client.response()
  t.equal((await client.ended()).length, 0)
})

t.test('a FIN in a header gets no answer, in a body status 7, in a refused body nothing more', async t => {
  const shard = await startEventShard(t)
  const cut = async (frame: Buffer, at: number): Promise<Buffer> => {
    const client = await shard.connect()
    client.write(frame.subarray(0, at))
    client.socket.end()
    return client.ended()
  }
  for (let at = 1; at < 16; at++) t.equal((await cut(hello, at)).length, 0, `header cut at ${at}`)
  for (let at = 16; at < hello.length; at++) {
    const answer = await cut(hello, at)
    t.same([answer.length, answer[1], answer[7]], [16, 7, 7], `body cut at ${at}`)
  }
  const unknown = await cut(encodeEventRequest({ command: 9, body: Buffer.alloc(10) }), 20)
  t.same([unknown.length, unknown[1]], [16, 5], 'one request has one answer')
  await shard.states()
  t.equal(shard.figures.heldBytes, 0)
})

t.test('after a fatal answer input is read and thrown away for 500 ms, then the socket is gone', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect()
  const wrong = Buffer.concat([Buffer.from([9]), hello.subarray(1)])
  client.write(wrong, Buffer.alloc(200_000, 1))
  t.equal((await client.response()).status, 3)
  t.equal((await client.ended()).length, 0, 'the answer was not lost to a reset, and is the last')
  await shard.states('closing.lingering')
  client.write(Buffer.alloc(200_000, 1))
  await shard.clock.advance(490)
  await shard.states('closing.lingering')
  await shard.clock.advance(20)
  await shard.states()
})

t.test('a peer that ends its side after a fatal answer is not lingered for', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect(false)
  client.write(Buffer.alloc(16))
  t.equal((await client.response()).status, 3)
  t.equal(await client.closed(), 'end')
  await shard.states()
})

t.test('a fatal answer waits its turn behind answers that were put off', async t => {
  const late: LateAnswer[] = []
  const commands = new Map([[100, (call: EventCall) => void late.push(call.later())]])
  const shard = await startEventShard(t, { commands })
  const client = await shard.connect()
  client.write(encodeEventRequest({ command: 100 }), Buffer.alloc(16))
  await shard.states('finishing')
  late[0]!.answer(Buffer.from('first'))
  t.equal((await client.response()).status, 0)
  t.equal((await client.response()).status, 3)
  t.equal((await client.ended()).length, 0)
})

t.test('idle connections are closed after 60 s from their last byte', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect(false)
  await shard.states('wantReadHeader.idle')
  await shard.clock.advance(50_000)
  client.write(hello)
  await client.response()
  await shard.clock.advance(59_900)
  await shard.states('wantReadHeader.idle')
  await shard.clock.advance(200)
  t.equal(await client.closed(), 'end')
  await shard.states()
})

t.test('a connection with a request in flight is not idle', async t => {
  const late: LateAnswer[] = []
  const commands = new Map([[100, (call: EventCall) => void late.push(call.later())]])
  const shard = await startEventShard(t, { commands, limits: { handlerTimeoutMs: 200_000 } })
  const client = await shard.connect()
  client.write(encodeEventRequest({ command: 100 }))
  await shard.states('processing.reading')
  await shard.clock.advance(100_000)
  late[0]!.answer(Buffer.alloc(0))
  t.equal((await client.response()).status, 0)
  await shard.states('wantReadHeader.idle')
})

t.test('the header deadline begins with the first byte of each header and ends without an answer', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect()
  await shard.states('wantReadHeader.idle')
  await shard.clock.advance(30_000)
  client.write(hello.subarray(0, 1))
  await shard.states('wantReadHeader.begun')
  await shard.clock.advance(1_900)
  client.write(hello.subarray(1), hello.subarray(0, 15))
  await client.response()
  await shard.states('wantReadHeader.begun')
  await shard.clock.advance(1_900)
  await shard.states('wantReadHeader.begun')
  await shard.clock.advance(200)
  t.equal((await client.ended()).length, 0)
})

t.test('a body must keep 1 KiB/s over every 4 s; else it is answered 7 and the connection ends', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect()
  const frame = encodeEventRequest({ sessionId: 5, body: Buffer.alloc(20_000) })
  client.write(frame.subarray(0, 4_096))
  await shard.states('wantReadBody')
  const [connection] = shard.connections.values()
  let sentBytes = 4_096
  /** Sends in four parts, a second apart. */
  const sendIn4s = async (bytes: number): Promise<void> => {
    for (const part of [bytes - 3, 1, 1, 1]) {
      client.write(frame.subarray(sentBytes, sentBytes + part))
      sentBytes += part
      await until(() => connection?.partial?.arrivedBytes === sentBytes)
      await shard.clock.advance(1_000)
    }
  }
  await sendIn4s(3)
  await sendIn4s(4_096)
  await shard.states('wantReadBody')
  await sendIn4s(4_095)
  await shard.clock.advance(20)
  t.equal(shard.figures.refusals.bodiesLate, 1)
  const answer = await client.response()
  t.same([answer.status, answer.sessionId], [7, 5])
  t.equal((await client.ended()).length, 0)
  t.equal(shard.figures.heldBytes, 0)
})

t.test('a reader that does not read is reset at the deadline, and its output stays bounded', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect()
  client.socket.pause()
  const frame = encodeEventRequest({ body: Buffer.alloc(60_000) })
  for (let index = 0; index < 300; index++) client.write(frame)
  await shard.states('wantWrite')
  const [connection] = shard.connections.values()
  t.ok(connection!.waitingOutputBytes > 65_536)
  t.ok(connection!.waitingOutputBytes < 65_536 * 5, `${connection!.waitingOutputBytes} bytes wait`)
  await shard.clock.advance(1_900)
  await shard.states('wantWrite')
  await shard.clock.advance(700)
  await shard.states()
  t.equal(shard.figures.refusals.readersLate, 1)
  client.socket.resume()
  t.equal(await client.closed(), 'reset')
})

t.test('a reader that comes back in time gets every answer', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect()
  client.socket.pause()
  const frame = encodeEventRequest({ body: Buffer.alloc(60_000) })
  for (let index = 0; index < 300; index++) client.write(frame)
  client.socket.end()
  await shard.states('wantWrite')
  await shard.clock.advance(1_400)
  client.socket.resume()
  for (let index = 0; index < 300; index++) await client.response()
  t.equal(await client.closed(), 'end')
  await shard.states()
})

t.test('late answers beyond the output limit reset the connection', async t => {
  const late: LateAnswer[] = []
  const commands = new Map([[100, (call: EventCall) => void late.push(call.later())]])
  const shard = await startEventShard(t, { commands, limits: { outputBytesMax: 100_000 } })
  const client = await shard.connect()
  client.write(
    encodeEventRequest({ command: 100 }),
    encodeEventRequest({ command: 100 }),
    encodeEventRequest({ command: 100 }),
  )
  await until(() => late.length === 3)
  late[1]!.answer(Buffer.alloc(60_000))
  late[2]!.answer(Buffer.alloc(60_000))
  t.equal(await client.closed(), 'reset')
  await shard.states()
})

t.test('a reset in the middle of a frame leaves nothing behind', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect()
  client.write(encodeEventRequest({ body: Buffer.alloc(20_000) }).subarray(0, 9_000))
  await shard.states('wantReadBody')
  t.ok(shard.figures.heldBytes >= 9_000)
  client.socket.resetAndDestroy()
  await shard.states()
  t.match(shard.figures, { connections: 0, heldBytes: 0 })
  t.equal(shard.clock.pending, 1, 'only the descriptor watch')
})

t.test('bodies beyond the memory of the server are answered 2 and skipped', async t => {
  const shard = await startEventShard(t, { limits: { partialBytesMax: 30_000 } })
  const greedy = await shard.connect()
  const frame = encodeEventRequest({ body: Buffer.alloc(50_000) })
  greedy.write(frame.subarray(0, 14_000))
  await shard.states('wantReadBody')
  const other = await shard.connect()
  other.write(frame.subarray(0, 14_000))
  t.equal((await other.response()).status, 2)
  other.write(frame.subarray(14_000), hello)
  t.equal((await other.response()).status, 0)
  greedy.write(frame.subarray(14_000, 40_000))
  t.equal((await greedy.response()).status, 2, 'growth counts too')
  t.equal(shard.figures.heldBytes, 0)
})

t.test('the connection over the limit of its address is answered 6 with its request, and closed', async t => {
  const shard = await startEventShard(t, { limits: { connectionsPerAddressMax: 2 } })
  const first = await shard.connect(false)
  await shard.connect()
  const third = await shard.connect()
  third.write(hello, hello)
  const answer = await third.response()
  t.same([answer.status, answer.sessionId, answer.command], [6, 7, 0])
  t.equal((await third.ended()).length, 0, 'once')
  t.match(shard.figures, { connections: 2, accepted: 2, refused: 1 })
  first.socket.destroy()
  await shard.states('wantReadHeader.idle', 'closing.lingering')
  const fourth = await shard.connect()
  fourth.write(hello)
  t.equal((await fourth.response()).status, 0, 'there is room again')
})

t.test('a refused connection that says nothing is told so after a moment', async t => {
  const shard = await startEventShard(t, { limits: { connectionsMax: 1, refusalsMax: 1 } })
  await shard.connect()
  const second = await shard.connect()
  await shard.states('wantReadHeader.idle', 'refusing')
  const third = await shard.connect()
  t.equal(await third.closed(), 'reset', 'as many as may be are being told already')
  await shard.clock.advance(120)
  const answer = await second.response()
  t.same([answer.status, answer.sessionId, answer.command], [6, 0, 0])
  t.equal((await second.ended()).length, 0)
})

t.test('draining: what is in flight is answered, what arrives is answered 6, then the connections end', async t => {
  const late: LateAnswer[] = []
  const commands = new Map([[100, (call: EventCall) => void late.push(call.later())]])
  const shard = await startEventShard(t, { commands })
  const idle = await shard.connect(false)
  const busy = await shard.connect(false)
  const cut = await shard.connect(false)
  const never = await shard.connect(false)
  busy.write(encodeEventRequest({ command: 100 }))
  never.write(hello.subarray(0, 18))
  cut.write(hello.subarray(0, 18))
  await until(() => late.length === 1)
  await shard.states('wantReadHeader.idle', 'processing.reading', 'wantReadBody', 'wantReadBody')
  let drained = false
  void shard.server.drain().then(() => {
    drained = true
  })
  await shard.states('draining.reading', 'draining.answering', 'draining.reading', 'draining.reading')
  cut.write(hello.subarray(18), encodeEventRequest({ command: 9 }))
  t.same([(await cut.response()).status, (await cut.response()).status], [6, 5])
  await shard.clock.advance(300)
  for (const client of [idle, cut]) {
    t.match(await client.response(), { status: 6, command: 0, sessionId: 0 }, 'what crosses the end is not handled')
    t.equal(await client.closed(), 'end')
  }
  t.equal((await never.response()).status, 7, 'its body was not whole in time')
  t.equal(await never.closed(), 'end')
  await shard.states('draining.answering')
  t.equal(drained, false)
  late[0]!.answer(Buffer.from('done'))
  t.equal(String((await busy.response()).body), 'done')
  await shard.states('draining.reading')
  await shard.clock.advance(300)
  t.equal(await busy.closed(), 'end')
  await until(() => drained)
})

t.test('draining: who has an answer in flight is told 6 after it, however late it leaves', async t => {
  const late: LateAnswer[] = []
  const commands = new Map([[100, (call: EventCall) => void late.push(call.later())]])
  const shard = await startEventShard(t, { commands })
  const client = await shard.connect(false)
  client.write(encodeEventRequest({ command: 100 }))
  await until(() => late.length === 1)
  void shard.server.drain()
  await shard.states('draining.answering')
  await shard.clock.advance(5_000)
  late[0]!.answer(Buffer.from('late'))
  t.equal(String((await client.response()).body), 'late')
  await shard.clock.advance(200)
  client.write(hello)
  t.equal((await client.response()).status, 6, 'the next request is refused, not lost')
  await shard.states('draining.reading')
  await shard.clock.advance(200)
  await shard.states('draining.reading')
  await shard.clock.advance(100)
  t.equal(await client.closed(), 'end')
})

t.test('draining: who sends without waiting is read for a second after its last answer', async t => {
  const late: LateAnswer[] = []
  const commands = new Map([[100, (call: EventCall) => void late.push(call.later())]])
  const shard = await startEventShard(t, { commands })
  const client = await shard.connect(false)
  client.write(encodeEventRequest({ command: 100 }), encodeEventRequest({ command: 100 }))
  await until(() => late.length === 2)
  void shard.server.drain()
  await shard.states('draining.answering')
  let sent = 0
  const sendFor = async (times: number): Promise<void> => {
    for (const last = sent + times; sent < last; sent++) {
      client.write(hello)
      await until(() => shard.figures.refusals.requestsOverload > sent)
      await shard.clock.advance(100)
    }
  }
  await shard.clock.advance(100)
  await sendFor(20)
  late[1]!.answer(Buffer.from('2'))
  await sendFor(5)
  late[0]!.answer(Buffer.from('1'))
  for (const body of ['1', '2']) t.equal(String((await client.response()).body), body)
  for (let refused = 0; refused < 25; refused++) t.equal((await client.response()).status, 6)
  await shard.states('draining.reading')
  await sendFor(9)
  await shard.states('draining.reading')
  for (let refused = 0; refused < 9; refused++) t.equal((await client.response()).status, 6)
  await shard.clock.advance(100)
  client.write(hello)
  t.equal((await client.response()).status, 6)
  t.equal(await client.closed(), 'end')
})

t.test('draining: neither quiet nor reading time passes before the peer has taken its last answer', async t => {
  const large = Buffer.alloc(60_000, 1)
  const commands = new Map([[100, (call: EventCall) => call.answer(large)]])
  const shard = await startEventShard(t, {
    commands,
    limits: { outputHighWaterBytes: 10_000_000, outputBytesMax: 20_000_000 },
  })
  const client = await shard.connect(false)
  client.socket.pause()
  const asked = Buffer.concat(Array.from({ length: 150 }, () => encodeEventRequest({ command: 100 })))
  client.write(asked)
  await until(() => shard.figures.requests === 150)
  await shard.states('wantReadHeader.idle')
  void shard.server.drain()
  await shard.states('draining.flushing')
  await shard.clock.advance(1_500)
  await shard.states('draining.flushing')
  client.socket.resume()
  for (let answers = 0; answers < 150; answers++) t.equal((await client.response()).status, 0)
  await shard.states('draining.reading')
  await shard.clock.advance(200)
  client.write(hello)
  t.equal((await client.response()).status, 6)
  await shard.clock.advance(300)
  t.equal(await client.closed(), 'end')
})

t.test('draining: a peer that does not take its last answer is reset', async t => {
  const commands = new Map([[100, (call: EventCall) => call.answer(Buffer.alloc(8_000_000))]])
  const shard = await startEventShard(t, {
    commands,
    limits: { outputHighWaterBytes: 10_000_000, outputBytesMax: 20_000_000 },
  })
  const client = await shard.connect(false)
  client.socket.pause()
  client.write(encodeEventRequest({ command: 100 }))
  await until(() => shard.figures.requests === 1)
  void shard.server.drain()
  await shard.states('draining.flushing')
  await shard.clock.advance(1_900)
  await shard.states('draining.flushing')
  await shard.clock.advance(700)
  await shard.states()
  t.equal(shard.figures.refusals.readersLate, 1)
  client.socket.resume()
  t.equal(await client.closed(), 'reset')
})

t.test('draining: requests that the kernel had before the drain are served', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect(false)
  await shard.states('wantReadHeader.idle')
  client.write(...Array.from({ length: 1_000 }, () => hello))
  void shard.server.drain()
  for (let index = 0; index < 1_000; index++) t.equal((await client.response()).status, 0)
})

t.test('draining: a peer that never falls silent is ended after a second', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect(false)
  await shard.states('wantReadHeader.idle')
  void shard.server.drain()
  await shard.states('draining.reading')
  let answers = 0
  for (; shard.connections.size > 0 && answers < 20; answers++) {
    client.write(hello)
    const answer = await client.response().catch(() => undefined)
    if (answer === undefined) break
    t.equal(answer.status, 6)
    await shard.clock.advance(100)
  }
  t.ok(answers > 8 && answers < 13, `${answers} answers`)
  t.equal(await client.closed(), 'end')
})

t.test('draining: telling other connections to close gives a peer that never falls silent no more time', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect(false)
  for (let others = 0; others < 4; others++) await shard.connect()
  await shard.states(...Array(5).fill('wantReadHeader.idle'))
  const [first, ...others] = shard.connections.values()
  drainConnection(first!)
  let answers = 0
  for (; answers < 20; answers++) {
    const other = others[answers / 3]
    if (other !== undefined) drainConnection(other)
    client.write(hello)
    const answer = await client.response().catch(() => undefined)
    if (answer === undefined) break
    await shard.clock.advance(100)
  }
  t.ok(answers > 8 && answers < 13, `${answers} answers`)
  t.equal(await client.closed(), 'end')
})
