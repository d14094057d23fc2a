/** What a connection does with requests, over real sockets and virtual time. */
import t from 'tap'
import { encodeEventRequest, encodeEventResponse } from '../../../src/messages/index.ts'
import type { EventCall, EventCommand, LateAnswer } from '../../../src/protocols/event/event-call.ts'
import { startEventShard, startMs, until } from './event-shard.ts'
import { ScriptedSocket } from './scripted-socket.ts'

const hello = encodeEventRequest({ sessionId: 7, body: Buffer.from('hello') })
const header = (bytes: Partial<Record<number, number>>): Buffer => {
  const frame = encodeEventRequest({ sessionId: 9 })
  for (const [at, byte] of Object.entries(bytes)) frame[Number(at)] = byte!
  return frame
}

t.test('echo answers the body, ping the time of the clock, to the byte', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect()
  client.write(hello, encodeEventRequest({ command: 1, sessionId: 8, reserved: 5, body: Buffer.from('ignored') }))
  t.same(await client.response(), { status: 0, command: 0, sessionId: 7, body: Buffer.from('hello') })
  const time = Buffer.alloc(8)
  time.writeBigUInt64BE(BigInt(startMs))
  t.same(await client.response(), { status: 0, command: 1, sessionId: 8, body: time })
  t.equal(shard.figures.requests, 2)
})

t.test('a stream of requests cut at any byte gives the same answers in order', async t => {
  const shard = await startEventShard(t)
  const stream = Buffer.concat([
    hello,
    header({ 3: 9 }),
    encodeEventRequest({ sessionId: 2, body: Buffer.alloc(100, 1) }),
  ])
  for (let cut = 1; cut < stream.length; cut++) {
    const client = await shard.connect()
    client.write(stream.subarray(0, cut))
    await shard.states(
      cut < 16 || (cut > 21 && cut < 37) || (cut > 37 && cut < 53) ? 'wantReadHeader.begun' : between(cut),
    )
    client.write(stream.subarray(cut))
    t.equal((await client.response()).body.toString(), 'hello', `cut at ${cut}`)
    t.equal((await client.response()).status, 5)
    t.equal((await client.response()).body.length, 100)
    client.socket.destroy()
    await shard.states()
  }
})

function between(cut: number): string {
  return cut === 21 || cut === 37 ? 'wantReadHeader.idle' : 'wantReadBody'
}

t.test('one byte at a time is enough', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect()
  for (const byte of hello) {
    client.write(Buffer.from([byte]))
    await new Promise(resolve => setImmediate(resolve))
  }
  t.equal((await client.response()).body.toString(), 'hello')
})

t.test('ten thousand pipelined requests of changing size come back in order', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect()
  const count = 10_000
  const bodyOf = (index: number) => Buffer.alloc((index * 7919) % 300, index)
  const frames = Array.from({ length: count }, (_, index) =>
    encodeEventRequest({ sessionId: index, body: bodyOf(index) }),
  )
  client.write(...frames)
  let wrong = 0
  for (let index = 0; index < count; index++) {
    const response = await client.response()
    if (response.sessionId !== index || !bodyOf(index).equals(response.body)) wrong++
  }
  t.equal(wrong, 0)
  t.equal(shard.figures.requests, count)
})

t.test('the first fault answers, in the order version, raidaId, length, command', async t => {
  const shard = await startEventShard(t, { raidaId: 3 })
  const cases: [string, Buffer, number, boolean][] = [
    ['version before all', header({ 0: 2, 1: 4, 3: 9, 8: 255 }), 3, true],
    ['raidaId before length and command', header({ 1: 4, 3: 9 }), 3, false],
    ['raidaId with a length that ends the connection', header({ 1: 4, 8: 255 }), 3, true],
    ['length before command', header({ 1: 3, 3: 9, 8: 255 }), 4, true],
    ['command last', header({ 1: 3, 3: 9 }), 5, false],
  ]
  for (const [name, frame, status, ends] of cases) {
    const client = await shard.connect()
    client.write(frame, header({ 1: 3 }))
    const answer = await client.response()
    t.same([answer.status, answer.command, answer.sessionId, answer.body.length], [status, frame[3], 9, 0], name)
    if (ends) t.equal((await client.ended()).length, 0, `${name}: nothing follows`)
    else t.equal((await client.response()).status, 0, `${name}: the connection lives on`)
    client.socket.destroy()
    await shard.states()
  }
})

t.test('the largest body is served, one byte more ends the connection before it is read', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect()
  client.write(encodeEventRequest({ body: Buffer.alloc(65_536, 5) }))
  t.equal((await client.response()).body.length, 65_536)
  client.write(encodeEventRequest({ body: Buffer.alloc(65_537) }).subarray(0, 16))
  t.equal((await client.response()).status, 4)
  t.equal((await client.ended()).length, 0)
})

t.test('the body of a refused request is skipped, whatever it contains', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect()
  const refused = encodeEventRequest({ command: 77, body: Buffer.alloc(50_000, 2) })
  client.write(refused.subarray(0, 20_000))
  t.equal((await client.response()).status, 5, 'answered before the body is there')
  await shard.states('wantReadBody')
  t.equal(shard.figures.heldBytes, 0, 'and kept nothing of it')
  client.write(refused.subarray(20_000), hello)
  t.equal((await client.response()).body.toString(), 'hello')
})

t.test('a command that throws or says nothing answers 9, and the connection lives on', async t => {
  const commands = new Map<number, EventCommand>([
    [
      100,
      () => {
        throw new Error('broken')
      },
    ],
    [101, () => {}],
    [
      102,
      (call: EventCall) => {
        call.later()
        throw new Error('broken later')
      },
    ],
  ])
  const shard = await startEventShard(t, { commands })
  const client = await shard.connect()
  for (const command of commands.keys()) {
    client.write(encodeEventRequest({ command }))
    t.equal((await client.response()).status, 9)
  }
  client.write(hello)
  t.equal((await client.response()).status, 0)
  t.match(shard.runtime.lines, [
    { message: 'event command failed', fields: { err: new Error('broken'), command: 100, leftOut: 0 } },
    { message: 'event command failed', fields: { err: new Error('broken later'), command: 102, leftOut: 0 } },
  ])
  t.equal(shard.runtime.lines.length, 2)
})

t.test('late answers keep the order of the requests; at the limit the socket is not read', async t => {
  const late: LateAnswer[] = []
  const commands = new Map([[100, (call: EventCall) => void late.push(call.later())]])
  const shard = await startEventShard(t, { commands, limits: { inFlightRequestsMax: 3 } })
  const client = await shard.connect()
  const held = (sessionId: number) => encodeEventRequest({ command: 100, sessionId })
  client.write(held(1), held(2), hello, held(3), held(4))
  await shard.states('processing.full')
  t.equal(late.length, 2, 'two in flight and one answer that waits are three')
  late[1]!.answer(Buffer.from('second'))
  t.equal(late[1]!.answer(Buffer.from('again')), false, 'a second answer is refused')
  late[0]!.answer(Buffer.from('first'))
  t.same([(await client.response()).body, (await client.response()).body, (await client.response()).body].map(String), [
    'first',
    'second',
    'hello',
  ])
  await shard.states('processing.reading')
  t.equal(late.length, 4, 'reading went on')
  late[2]!.answer(Buffer.from('third'))
  client.socket.resetAndDestroy()
  await shard.states()
  t.equal(late[3]!.answer(Buffer.from('fourth')), false, 'the connection is gone')
})

t.test('bytes in flight are limited as requests are', async t => {
  const late: LateAnswer[] = []
  const commands = new Map([[100, (call: EventCall) => void late.push(call.later())]])
  const shard = await startEventShard(t, { commands, limits: { inFlightBytesMax: 1_000 } })
  const client = await shard.connect()
  const frame = encodeEventRequest({ command: 100, body: Buffer.alloc(484) })
  client.write(frame, frame, frame)
  await shard.states('processing.full')
  t.equal(late.length, 2)
  late[0]!.fail(9)
  t.equal((await client.response()).status, 9)
  await shard.states('processing.full')
  t.equal(late.length, 3)
  late[1]!.fail(9)
  late[2]!.fail(9)
  t.same([(await client.response()).status, (await client.response()).status], [9, 9])
  await shard.states('wantReadHeader.idle')
})

t.test('the answer is the response of the codec', async t => {
  const shard = await startEventShard(t)
  const client = await shard.connect()
  client.write(hello)
  client.socket.end()
  const expected = encodeEventResponse({ status: 0, command: 0, sessionId: 7, body: Buffer.from('hello') })
  t.same(await client.ended(), expected)
})

t.test('the memory of what came is given back once all of it was looked at', async t => {
  const late: LateAnswer[] = []
  const commands = new Map([[100, (call: EventCall) => void late.push(call.later())]])
  const shard = await startEventShard(t, { commands, limits: { inFlightRequestsMax: 1 } })
  const socket = new ScriptedSocket()
  shard.server.accept(socket.asSocket)
  const frame = encodeEventRequest({ command: 100, body: Buffer.from('body') })
  socket.receive(frame.subarray(0, 18))
  t.equal(socket.lastChunk.length, 0, 'what was not over was copied')
  socket.receive(Buffer.concat([frame.subarray(18), frame]))
  t.equal(late.length, 1)
  t.not(socket.lastChunk.length, 0, 'the second request waits in it')
  late[0]!.answer(Buffer.from('first'))
  await until(() => late.length === 2)
  t.equal(socket.lastChunk.length, 0)
  late[1]!.answer(Buffer.from('second'))
  await shard.states('wantReadHeader.idle')
  socket.receive(hello)
  t.equal(socket.lastChunk.length, 0)
  socket.close()
})
