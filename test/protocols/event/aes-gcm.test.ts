/** Sealed bodies, against a client written with the crypto of Node alone. */
import t from 'tap'
import { encodeEventRequest, eventStatus } from '../../../src/messages/index.ts'
import { type AesGcmOptions, aesGcmBodies, aesGcmProtocol } from '../../../src/protocols/event/aes-gcm.ts'
import { dialectV1 } from '../../../src/protocols/event/dialect-v1.ts'
import { startEventShard } from '../../actors/connection/event-shard.ts'
import { openBody, sealBody } from './sealing.ts'

const keys = { 7: Buffer.alloc(32, 7), 8: Buffer.alloc(32, 8).toString('hex') }
const headerBytes = 16

/** A request of command 2 whose body is sealed with the key of session 7, unless told otherwise. */
function sealed(text: string, { sessionId = 7, key = keys[7] as Uint8Array, command = 2 } = {}): Buffer {
  const frame = encodeEventRequest({ command, sessionId, body: Buffer.alloc(12 + Buffer.byteLength(text) + 16) })
  frame.set(sealBody(frame.subarray(0, headerBytes), text, key), headerBytes)
  return frame
}

function replyHeader(command: number, sessionId: number, bodyBytes: number): Buffer {
  const header = Buffer.alloc(headerBytes)
  header.writeUInt8(1, 0)
  header.writeUInt16BE(command, 2)
  header.writeUInt32BE(sessionId, 4)
  header.writeUInt32BE(bodyBytes, 8)
  return header
}

t.test('bodies are opened for their command, and sealed on their way back', async t => {
  const dialect = aesGcmProtocol.with({ keys }).definition.create({ keys } as never)
  const seen: string[] = []
  const shard = await startEventShard(t, {
    dialect,
    table: {
      2: {
        handle({ body }) {
          seen.push(String(Buffer.from(body)))
          return body.toReversed()
        },
      },
    },
  })
  const client = await shard.connect()
  const exchange = async (frame: Buffer) => {
    client.write(frame)
    return client.response()
  }
  const texts: readonly (readonly [string, number, Buffer])[] = [
    ['hello', 7, keys[7]],
    ['', 7, keys[7]],
    ['x'.repeat(60_000), 8, Buffer.from(keys[8], 'hex')],
  ]
  const nonces = new Set<string>()
  for (const [text, sessionId, key] of texts) {
    const { status, body } = await exchange(sealed(text, { sessionId, key }))
    t.equal(status, eventStatus.ok)
    t.equal(seen.pop(), text)
    t.equal(openBody(replyHeader(2, sessionId, body.length), Buffer.from(body), key), [...text].reverse().join(''))
    nonces.add(Buffer.from(body.subarray(0, 12)).toString('hex'))
  }
  t.equal(nonces.size, texts.length, 'no nonce came twice')
})

t.test('the answers of echo, and those that come late, are sealed too', async t => {
  const shard = await startEventShard(t, {
    dialect: { ...dialectV1, ...aesGcmBodies(dialectV1, { keys }) },
    table: { 2: { handle: async ({ body }) => body } },
  })
  const client = await shard.connect()
  for (const command of [0, 2]) {
    client.write(sealed('the same', { command }))
    const { status, body } = await client.response()
    t.equal(status, eventStatus.ok)
    t.equal(openBody(replyHeader(command, 7, body.length), Buffer.from(body), keys[7]), 'the same')
  }
})

t.test('a request that comes back is no answer, and an answer that is sent as a request is answered 8', async t => {
  const shard = await startEventShard(t, { dialect: { ...dialectV1, ...aesGcmBodies(dialectV1, { keys }) } })
  const client = await shard.connect()
  const asked = sealed('message', { command: 0 })
  t.throws(
    () => openBody(asked.subarray(0, headerBytes), asked.subarray(headerBytes), keys[7]),
    'not with the key of both',
  )
  client.write(asked)
  const { body } = await client.response()
  client.write(replyHeader(0, 7, body.length), body)
  t.equal((await client.response()).status, eventStatus.decryptFailed)
})

t.test('whatever was changed on the way is answered 8, and the connection lives on', async t => {
  let calls = 0
  const shard = await startEventShard(t, {
    dialect: { ...dialectV1, ...aesGcmBodies(dialectV1, { keys }) },
    table: {
      2: {
        handle() {
          calls++
        },
      },
    },
  })
  const client = await shard.connect()
  const statusOf = async (frame: Buffer) => {
    client.write(frame)
    const { status, body } = await client.response()
    if (status !== eventStatus.ok) t.equal(body.length, 0)
    return status
  }
  const good = sealed('message')
  // Behind the fields that the server itself judges: reserved bytes of the header, nonce, text, tag.
  for (let at = 12; at < good.length; at++) {
    const tampered = Buffer.from(good)
    tampered[at]! ^= 1
    if ((await statusOf(tampered)) !== eventStatus.decryptFailed) t.fail(`byte ${at} was changed unnoticed`)
  }
  t.equal(await statusOf(sealed('message', { sessionId: 9 })), eventStatus.decryptFailed, 'a session without a key')
  const redirected = sealed('message', { command: 0 })
  redirected.writeUInt16BE(2, 2)
  t.equal(await statusOf(redirected), eventStatus.decryptFailed, 'sealed for another command')
  t.equal(await statusOf(sealed('message', { key: Buffer.alloc(32, 8) })), eventStatus.decryptFailed, 'another key')
  for (const bodyBytes of [0, 1, 27]) {
    const short = encodeEventRequest({ command: 2, sessionId: 7, body: Buffer.alloc(bodyBytes) })
    t.equal(await statusOf(short), eventStatus.decryptFailed, `${bodyBytes} bytes`)
  }
  t.equal(calls, 0)
  t.equal(await statusOf(good), eventStatus.ok)
  t.equal(calls, 1)
  t.same(shard.runtime.lines, [])
})

t.test('keys that are none are told when the dialect is built', t => {
  for (const key of [Buffer.alloc(31), 'ab'.repeat(31), 'zz'.repeat(32), '']) {
    const create = () => aesGcmBodies(dialectV1, { keys: { 5: key } })
    t.throws(create, { code: 'BAD_CONFIG', details: { option: 'keys.5' } })
  }
  const wrong: readonly [object, readonly string[]][] = [
    [{ key: keys[7] }, ['key', 'keys']],
    [{ keys: { seven: keys[7], '-1': keys[7], 7: 7, 8: keys[8] } }, ['keys.7', 'keys.seven', 'keys.-1']],
  ]
  for (const [options, paths] of wrong) {
    const reasons = paths.map(path => ({ path }))
    t.throws(() => aesGcmBodies(dialectV1, options as AesGcmOptions), { code: 'BAD_CONFIG', details: { reasons } })
  }
  t.end()
})
