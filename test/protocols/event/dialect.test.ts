/** A protocol with a layout of its own: 32-byte little-endian headers with a checksum, errors that say what they are. */
import { crc32 } from 'node:zlib'
import t from 'tap'
import { eventStatus } from '../../../src/messages/index.ts'
import type { EventDialect } from '../../../src/protocols/event/dialect.ts'
import { eventFailure } from '../../../src/protocols/event/event-failure.ts'
import { startEventShard, until } from '../../actors/connection/event-shard.ts'

/**
 * Request: `magic u32 | crc32 u32 of what follows | server u8 | pad u8 | command u16 | body u32 | session u64 | pad u64`;
 * answer: `magic u32 | status u8 | pad u8 | command u16 | body u32 | session u64`. All little-endian.
 */
const magic = 0x31_4d_4f_43
const headerBytes = 32
const replyHeaderBytes = 20

const coinDialect: EventDialect = {
  headerBytes,
  replyHeaderBytes,
  validateHeader: (bytes, at) =>
    bytes.readUInt32LE(at) === magic && bytes.readUInt32LE(at + 4) === crc32(bytes.subarray(at + 8, at + headerBytes)),
  raidaId: (bytes, at) => bytes[at + 8]!,
  command: (bytes, at) => bytes.readUInt16LE(at + 10),
  bodyBytes: (bytes, at) => bytes.readUInt32LE(at + 12),
  sessionId: (bytes, at) => Number(bytes.readBigUInt64LE(at + 16)),
  validateDecryptBody(frame, sessionId) {
    const body = frame.subarray(headerBytes).map(byte => byte ^ (sessionId & 0xff))
    if (body[0] === 0x21) throw eventFailure('overloaded')
    if (body[0] === 0x3f) throw new Error('a body must not begin so')
    return body
  },
  errorBody: status => Buffer.from(`status ${status}`),
  writeReplyHeader(target, at, status, request, requestAt, bodyBytes) {
    target.writeUInt32LE(magic, at)
    target[at + 4] = status
    target[at + 5] = 0
    request.copy(target, at + 6, requestAt + 10, requestAt + 12)
    target.writeUInt32LE(bodyBytes, at + 8)
    request.copy(target, at + 12, requestAt + 16, requestAt + 24)
  },
}

function request(command: number, sessionId: number, text: string, server = 9): Buffer {
  const body = Buffer.from(text).map(byte => byte ^ (sessionId & 0xff))
  const header = Buffer.alloc(headerBytes)
  header.writeUInt32LE(magic, 0)
  header[8] = server
  header.writeUInt16LE(command, 10)
  header.writeUInt32LE(body.length, 12)
  header.writeBigUInt64LE(BigInt(sessionId), 16)
  header.writeUInt32LE(crc32(header.subarray(8)), 4)
  return Buffer.concat([header, body])
}

interface Answer {
  readonly status: number
  readonly command: number
  readonly sessionId: number
  readonly text: string
}

function answersIn(bytes: Buffer): Answer[] {
  const answers: Answer[] = []
  for (let at = 0; at < bytes.length; ) {
    if (bytes.readUInt32LE(at) !== magic) throw new Error(`no answer begins at ${at}`)
    const end = at + replyHeaderBytes + bytes.readUInt32LE(at + 8)
    answers.push({
      status: bytes[at + 4]!,
      command: bytes.readUInt16LE(at + 6),
      sessionId: Number(bytes.readBigUInt64LE(at + 12)),
      text: bytes.subarray(at + replyHeaderBytes, end).toString(),
    })
    at = end
  }
  return answers
}

t.test('a layout of its own goes through the same checks, in the same order', async t => {
  const shard = await startEventShard(t, {
    dialect: coinDialect,
    raidaId: 9,
    table: {
      300: { handle: ({ body, sessionId }) => `${sessionId}: ${Buffer.from(body)}` },
      301: { handle: async () => 'late' },
    },
  })
  const big = 2 ** 40 + 5
  const client = await shard.connect()
  const foreign = request(300, 2, 'for another server', 8)
  const whole = Buffer.concat([
    request(300, big, 'first'),
    request(0, 1, 'echo'),
    foreign,
    request(299, 3, 'nobody knows it'),
    request(301, 4, ''),
    request(300, 5, '!'),
    request(300, 6, '?'),
    request(300, 7, 'last'),
  ])
  for (let at = 0; at < whole.length; at += 13) client.write(whole.subarray(at, at + 13))
  client.socket.end()
  t.same(answersIn(await client.ended()), [
    { status: eventStatus.ok, command: 300, sessionId: big, text: `${big}: first` },
    { status: eventStatus.ok, command: 0, sessionId: 1, text: 'echo' },
    { status: eventStatus.invalidHeader, command: 300, sessionId: 2, text: 'status 3' },
    { status: eventStatus.unknownCommand, command: 299, sessionId: 3, text: 'status 5' },
    { status: eventStatus.ok, command: 301, sessionId: 4, text: 'late' },
    { status: eventStatus.overloaded, command: 300, sessionId: 5, text: 'status 6' },
    { status: eventStatus.decryptFailed, command: 300, sessionId: 6, text: 'status 8' },
    { status: eventStatus.ok, command: 300, sessionId: 7, text: '7: last' },
  ])
})

t.test('a header that cannot be trusted ends the connection after its answer', async t => {
  const shard = await startEventShard(t, { dialect: coinDialect, raidaId: 9 })
  const spoilt = request(300, 1, 'text')
  spoilt[20]! ^= 1
  const client = await shard.connect()
  client.write(request(0, 1, 'echo'), spoilt, request(0, 2, 'never looked at'))
  const answers = answersIn(await client.ended())
  t.match(answers, [
    { status: 0, sessionId: 1 },
    { status: eventStatus.invalidHeader, text: 'status 3' },
  ])
  t.equal(answers.length, 2)
})

t.test('a dialect that throws costs the connection, and no other', async t => {
  const dialect: EventDialect = {
    ...coinDialect,
    command(bytes, at) {
      const command = coinDialect.command(bytes, at)
      if (command === 666) throw new Error('broken dialect')
      return command
    },
  }
  const shard = await startEventShard(t, { dialect, raidaId: 9 })
  const [broken, other] = [await shard.connect(), await shard.connect()]
  broken.write(request(666, 1, ''))
  await until(() => shard.connections.size === 1)
  other.write(request(0, 1, 'echo'))
  other.socket.end()
  t.match(answersIn(await other.ended()), [{ text: 'echo' }])
  t.match(shard.runtime.lines, [
    { level: 'error', message: 'connection failed', fields: { err: { message: 'broken dialect' } } },
  ])
})

t.test('who is refused before a header came is told so in the layout of the server', async t => {
  const shard = await startEventShard(t, { dialect: coinDialect, raidaId: 9, limits: { connectionsMax: 1 } })
  await shard.connect()
  await until(() => shard.connections.size === 1)
  const refused = await shard.connect()
  const told = refused.ended()
  await until(() => shard.connections.size === 2)
  await shard.clock.advance(100)
  t.same(answersIn(await told), [{ status: eventStatus.overloaded, command: 0, sessionId: 0, text: 'status 6' }])
})
