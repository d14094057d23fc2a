/** The event protocol over UDP, on one shard: what each datagram is answered, and how much at most. */
import { createHmac } from 'node:crypto'
import { createSocket } from 'node:dgram'
import t from 'tap'
import type { EventDialect } from '../../../src/index.ts'
import { aesGcmBodies, dialectV1 } from '../../../src/index.ts'
import type { EventRequest } from '../../../src/messages/index.ts'
import { openBody, sealBody } from '../../protocols/event/sealing.ts'
import { until } from '../connection/event-shard.ts'
import { startDatagramShard, startMs } from './datagram-shard.ts'
import {
  bringing,
  bytesNow,
  bytesSoon,
  commands,
  declaring,
  fails,
  ok,
  read,
  request,
  sized,
  where,
} from './requests.ts'

t.test('a request is answered in one datagram, by the same commands as over TCP', async t => {
  const shard = await startDatagramShard(t, { table: commands().table, protocol: { raidaId: 3 } })
  const sender = await shard.sender()
  t.match(read(await sender.ask(request({ raidaId: 3 }))), { ...ok, sessionId: 7, command: 0, body: Buffer.from('hi') })
  const pong = read(await sender.ask(request({ raidaId: 3, command: 1 })))
  t.match(pong, { ...ok, command: 1 })
  t.equal(Buffer.from(pong.body).readBigUInt64BE(), BigInt(startMs))
  const told = read(await sender.ask(request({ raidaId: 3, command: where, body: Buffer.from('a body') })))
  t.equal(Buffer.from(told.body).toString(), 'udp 127.0.0.1 3 a body')
  t.match(read(await sender.ask(request({ raidaId: 3, command: 99 }))), { status: 5, command: 99, sessionId: 7 })
  t.match(read(await sender.ask(request({ raidaId: 3, command: fails }))), { status: 7 })
  t.match(read(await sender.ask(request({ raidaId: 3, command: fails, body: Buffer.alloc(0) }))), { status: 9 })
  t.match(shard.figures, {
    received: 6,
    requests: 5,
    commandsUnknown: 1,
    sent: 6,
    malformed: 0,
    inFlight: 0,
    inFlightBytes: 0,
  })
})

t.test('a datagram that is shorter than a header is answered 1, as far as three times its bytes go', async t => {
  const shard = await startDatagramShard(t)
  const sender = await shard.sender()
  const whole = request({ command: 0x0102, sessionId: 0x0304_0506 })
  for (let bytes = 0; bytes < 16; bytes++) {
    const cut = whole.subarray(0, bytes)
    if (bytes < 6) t.equal(await sender.isSilent(cut), true, `${bytes} bytes`)
    else {
      const answer = await sender.ask(cut)
      t.match(read(answer), { version: 1, status: 1, command: 0x0102 }, `${bytes} bytes`)
      t.equal(answer.length, 16)
      t.equal(answer.readUInt32BE(4), bytes < 8 ? (0x0304_0506 & (-1 << ((8 - bytes) * 8))) >>> 0 : 0x0304_0506)
    }
  }
  t.match(shard.figures, { malformed: 16, silent: 6 })
})

t.test('what is no whole request is answered with its status, in the order of the checks', async t => {
  const shard = await startDatagramShard(t)
  const sender = await shard.sender()
  const otherVersion = (bytes: Buffer): Buffer => {
    bytes[0] = 2
    return bytes
  }
  const faults: readonly [number, string, Buffer][] = [
    [3, 'version', otherVersion(request())],
    [3, 'version before all others', otherVersion(declaring(0xffff_ffff, request({ raidaId: 1, command: 99 })))],
    [3, 'raidaId', request({ raidaId: 1 })],
    [3, 'raidaId before length', declaring(0xffff_ffff, request({ raidaId: 1 }))],
    [4, 'declared too long', declaring(1_217, request())],
    [4, 'declared 4 GiB', declaring(0xffff_ffff, request())],
    [4, 'too long', request({ body: Buffer.alloc(1_217) })],
    [4, 'too long, and says less', declaring(2, request({ body: Buffer.alloc(1_217) }))],
    [1, 'says one more', declaring(3, request())],
    [1, 'says one less', declaring(1, request())],
    [1, 'length before command', declaring(1, request({ command: 99 }))],
    [1, 'a header alone that says more', declaring(1, request({ body: Buffer.alloc(0) }))],
    [1, 'no room for the cookie that it should bring', request({ reserved: 1, body: Buffer.alloc(15) })],
    [5, 'command', request({ command: 99 })],
    [5, 'command before the cookie', bringing(Buffer.alloc(16), { command: 99 })],
  ]
  for (const [status, name, bytes] of faults) {
    const answer = await sender.ask(bytes)
    t.match(read(answer), { version: 1, status, sessionId: 7, reserved: 0 }, name)
    t.equal(answer.length, 16)
  }
  t.match(read(await sender.ask(request({ body: Buffer.alloc(1_216) }))), ok, 'as long as it may be')
  t.match(shard.figures, { malformed: faults.length - 2, sent: faults.length + 1 })
})

t.test('bits of reserved other than the first mean nothing', async t => {
  const sender = await (await startDatagramShard(t)).sender()
  t.match(read(await sender.ask(request({ reserved: 0xffff_fffe }))), { ...ok, body: Buffer.from('hi') })
})

t.test('with `malformed: silence` what is no whole request gets no answer, and what is one does', async t => {
  const shard = await startDatagramShard(t, { udp: { malformed: 'silence' } })
  const sender = await shard.sender()
  const malformed = [
    request().subarray(0, 10),
    request({ raidaId: 1 }),
    declaring(3, request()),
    declaring(70_000, request()),
    request({ body: Buffer.alloc(1_217) }),
  ]
  for (const bytes of malformed) t.equal(await sender.isSilent(bytes), true)
  t.match(read(await sender.ask(request({ command: 99 }))), { status: 5 })
  t.match(read(await sender.ask(bringing(Buffer.alloc(16)))), { status: 10 })
  t.match(shard.figures, { malformed: 5, silent: 5 })
})

t.test('an answer of three times its request goes out at once, a longer one after a cookie', async t => {
  const { table } = commands()
  for (const command of [bytesNow, bytesSoon]) {
    const shard = await startDatagramShard(t, { table })
    const sender = await shard.sender()
    // 20 bytes came.
    const fits = await sender.ask(request({ command, body: sized(60 - 16) }))
    t.equal(fits.length, 60)
    t.match(read(fits), { ...ok, sessionId: 7, command })
    const asked = await sender.ask(request({ command, body: sized(61 - 16) }))
    t.equal(asked.length, 32)
    t.match(read(asked), { version: 1, status: 10, sessionId: 7, command, reserved: 0 })
    const cookie = asked.subarray(16)
    const answer = await sender.ask(bringing(cookie, { command, body: sized(61 - 16) }))
    t.match(read(answer), { ...ok, sessionId: 7, command })
    t.equal(answer.length, 61)
    t.equal((await sender.ask(bringing(cookie, { command, body: sized(1_216) }))).length, 1_232)
    t.match(
      read(await sender.ask(bringing(cookie))),
      { ...ok, body: Buffer.from('hi') },
      'the cookie is no part of a body',
    )
    t.match(shard.figures, { challenged: 1, unproven: 0, malformed: 0 })
  }
})

t.test('a cookie proves the address it was given to, for as long as it lives', async t => {
  const shard = await startDatagramShard(t)
  const sender = await shard.sender()
  const first = read(await sender.ask(bringing(Buffer.alloc(16))))
  t.match(first, { status: 10, command: 0, sessionId: 7 }, 'a forged one is answered with a good one')
  const { body: cookie } = first
  t.match(read(await sender.ask(bringing(cookie))), ok)
  for (const other of [await shard.sender(), await shard.sender('127.0.0.2')]) {
    t.match(read(await other.ask(bringing(cookie))), { status: 10 }, 'another port, another address')
  }
  // The clock began in the middle of a period.
  await shard.clock.advance(89_999)
  t.match(read(await sender.ask(bringing(cookie))), ok)
  await shard.clock.advance(1)
  const renewed = read(await sender.ask(bringing(cookie)))
  t.match(renewed, { status: 10 })
  t.match(read(await sender.ask(bringing(renewed.body))), ok)
  t.match(shard.figures, { unproven: 4, challenged: 4, requests: 3 })
})

t.test('shards that share the secret take each other’s cookies', async t => {
  const secret = Buffer.alloc(32, 'one')
  const [one, same, other] = await Promise.all([
    startDatagramShard(t, { secret }),
    startDatagramShard(t, { secret }),
    startDatagramShard(t, { secret: Buffer.alloc(32, 'other') }),
  ])
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  const answers: Buffer[] = []
  socket.on('message', bytes => answers.push(bytes))
  const ask = async (port: number, bytes: Buffer) => {
    socket.send(bytes, port, '127.0.0.1')
    await until(() => answers.length > 0)
    return read(answers.shift()!)
  }
  const { body: cookie } = await ask(one.port, bringing(Buffer.alloc(16)))
  t.match(await ask(one.port, bringing(cookie)), ok)
  t.match(await ask(same.port, bringing(cookie)), ok)
  t.match(await ask(other.port, bringing(cookie)), { status: 10 })
})

t.test('an answer that does not fit a datagram is status 9, whoever asks', async t => {
  const { table } = commands()
  const shard = await startDatagramShard(t, { table })
  const sender = await shard.sender()
  const { body: cookie } = read(await sender.ask(bringing(Buffer.alloc(16))))
  for (const command of [bytesNow, bytesSoon]) {
    for (const ask of [request, bringing.bind(undefined, cookie)]) {
      t.match(read(await sender.ask(ask({ command, body: sized(1_217) }))), { status: 9, command })
    }
  }
})

t.test('datagrams from the port of the server itself, and from none, are not answered', async t => {
  const shard = await startDatagramShard(t)
  // Two servers that were made to answer each other would never stop.
  const mirror = createSocket('udp4')
  t.teardown(() => mirror.close())
  await new Promise<void>(bound => mirror.bind(shard.port, '127.0.0.2', bound))
  let answers = 0
  mirror.on('message', () => answers++)
  mirror.send(request(), shard.port, '127.0.0.1')
  await until(() => shard.figures.received === 1)
  shard.socket.emit('message', request(), { address: '127.0.0.1', family: 'IPv4', port: 0, size: 18 })
  const sender = await shard.sender()
  t.match(read(await sender.ask(request())), ok)
  t.equal(answers, 0)
  t.match(shard.figures, { received: 3, silent: 2, sent: 1, failed: 0 })
})

t.test('a dialect that throws costs the datagram, and is told once in a while', async t => {
  const dialect: EventDialect = {
    ...dialectV1,
    raidaId(bytes, at) {
      if (bytes[at + 15] === 0xff) throw new RangeError('not a number')
      return 0
    },
  }
  const shard = await startDatagramShard(t, { dialect })
  const sender = await shard.sender()
  for (let count = 0; count < 3; count++) t.equal(await sender.isSilent(request({ reserved: 0xff })), true)
  t.match(read(await sender.ask(request())), ok)
  t.match(shard.figures, { malformed: 3, silent: 3 })
  t.equal(shard.runtime.lines.length, 1)
})

t.test('where requests have no place for a cookie, an answer over three times its request is 9', async t => {
  const { hasCookie: _, ...dialect } = dialectV1
  const shard = await startDatagramShard(t, { dialect, table: commands().table })
  const sender = await shard.sender()
  t.match(read(await sender.ask(request({ command: bytesNow, body: sized(44) }))), ok)
  const answer = await sender.ask(request({ command: bytesNow, body: sized(45) }))
  t.equal(answer.length, 16)
  t.match(read(answer), { status: 9 })
  t.match(read(await sender.ask(request({ reserved: 1, body: Buffer.alloc(16, 'b') }))), {
    ...ok,
    body: Buffer.alloc(16, 'b'),
  })
})

t.test('a challenge that would be more than three times the request is not sent either', async t => {
  // A header of 8 bytes, whose answers have 16: 32 with a cookie.
  const dialect: EventDialect = {
    headerBytes: 8,
    replyHeaderBytes: 16,
    validateHeader: () => true,
    raidaId: () => 0,
    command: (bytes, at) => bytes.readUInt16BE(at),
    bodyBytes: (bytes, at) => bytes.readUInt16BE(at + 2),
    sessionId: (bytes, at) => bytes.readUInt16BE(at + 4),
    hasCookie: (bytes, at) => bytes[at + 6] === 1,
    writeReplyHeader(target, at, status, from, fromAt, bodyBytes) {
      target.fill(0, at, at + 16)
      target[at] = status
      target.writeUInt16BE(from.readUInt16BE(fromAt + 4), at + 1)
      target.writeUInt32BE(bodyBytes, at + 4)
    },
  }
  const shard = await startDatagramShard(t, { dialect, table: commands().table })
  const sender = await shard.sender()
  const short = (command: number, body: Buffer, flag = 0) => {
    const bytes = Buffer.alloc(8 + body.length)
    bytes.writeUInt16BE(command)
    bytes.writeUInt16BE(body.length, 2)
    bytes[6] = flag
    body.copy(bytes, 8)
    return bytes
  }
  // Ping answers 24 bytes to 8, three times as many.
  t.equal((await sender.ask(short(1, Buffer.alloc(0)))).length, 24)
  await sender.send(short(where, Buffer.alloc(0)))
  t.match(shard.figures, { silent: 1, challenged: 0 })
  // 11 bytes are enough for 32.
  const challenge = await sender.ask(short(where, Buffer.alloc(3)))
  t.equal(challenge.length, 32)
  const cookie = challenge.subarray(16)
  const answer = await sender.ask(short(where, Buffer.concat([cookie, Buffer.from('a longer body')]), 1))
  t.equal(answer.subarray(16).toString(), 'udp 127.0.0.1 0 a longer body')
})

t.test('faults that do not fit a datagram are told when the protocol is made', async t => {
  const dialect: EventDialect = { ...dialectV1, errorBody: () => new Uint8Array(1_217) }
  await t.rejects(startDatagramShard(t, { dialect }), {
    code: 'BAD_CONFIG',
    details: { option: 'udp.payloadBytesMax', needed: 1_233 },
  })
})

t.test('a sealed body comes after the cookie, and is opened with the header that it came with', async t => {
  const key = Buffer.alloc(32, 'k')
  const bodies = aesGcmBodies(dialectV1, { keys: { 7: key } })
  const shard = await startDatagramShard(t, { dialect: { ...dialectV1, ...bodies }, table: commands().table })
  const sender = await shard.sender()
  const sealed = (text: string, cookie: Uint8Array, fields: Partial<EventRequest>): Buffer => {
    const bodyBytes = cookie.length + 12 + text.length + 16
    const header = request({ ...fields, body: Buffer.alloc(bodyBytes) }).subarray(0, 16)
    return Buffer.concat([header, cookie, sealBody(header, text, key)])
  }
  const opened = (answer: Buffer) => openBody(answer.subarray(0, 16), answer.subarray(16), key)
  t.equal(opened(await sender.ask(sealed('secret', Buffer.alloc(0), {}))), 'secret')
  const challenge = read(await sender.ask(sealed('secret', Buffer.alloc(16), { reserved: 1 })))
  t.match(challenge, { status: 10 })
  t.equal(opened(await sender.ask(sealed('secret', challenge.body, { reserved: 1 }))), 'secret')
  const changed = sealed('secret', challenge.body, { reserved: 1 })
  changed[changed.length - 1]! ^= 1
  t.match(read(await sender.ask(changed)), { status: 8 })
  t.match(shard.figures, { bodiesInvalid: 1, malformed: 0 })
})

t.test('a cookie is what the design says: HMACs over period, address and port', async t => {
  const secret = Buffer.alloc(32, 'g')
  const sender = await (await startDatagramShard(t, { secret })).sender()
  const { body } = read(await sender.ask(bringing(Buffer.alloc(16))))
  const period = Buffer.alloc(8)
  period.writeBigUInt64BE(BigInt(startMs) / 60_000n)
  const hmac = (key: Buffer, text: Buffer | string) => createHmac('sha256', key).update(text).digest()
  t.same(Buffer.from(body), hmac(hmac(secret, period), `127.0.0.1|${sender.port}`).subarray(0, 16))
})
