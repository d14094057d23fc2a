/** Protocols of a user with mistakes: found when the server is created, or told in its log, and never by what they leak. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { createEventServer, createSystem, dialectV1 } from '../../src/index.ts'
import { createLogger } from '../../src/logger.ts'
import { encodeEventRequest, eventStatus } from '../../src/messages/index.ts'
import type { BoundEventProtocol, EventDialect } from '../../src/protocols/event/dialect.ts'
import { buildDialect } from '../../src/protocols/event/foreign-dialect.ts'
import { connectClient } from '../actors/acceptor/event-client.ts'
import { commands } from './fixtures/commands.ts'
import * as dialects from './fixtures/dialects.ts'
import { serveCommands } from './fixtures/served.ts'

const echo = (sessionId: number, body: Buffer): Buffer => encodeEventRequest({ sessionId, body })
const ones = (bytes: number): Buffer => Buffer.alloc(bytes, 0xff)

async function answerTo(port: number, ...requests: Buffer[]): Promise<Buffer> {
  const client = await connectClient(port)
  client.write(...requests)
  client.socket.end()
  return client.ended()
}

async function answerByUdp(t: Test, port: number, request: Buffer): Promise<Buffer> {
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  socket.send(request, port, '127.0.0.1')
  const [answer] = (await once(socket, 'message')) as [Buffer]
  return answer
}

t.test('what a protocol leaves unwritten of a header is zero, over TCP and UDP', async t => {
  const { server } = await serveCommands(t, 0, { protocol: dialects.briefHeader.with() })
  const { port } = server.address!
  for (let sessionId = 1; sessionId < 20; sessionId++) {
    // What the next answer is written over.
    await answerTo(port, echo(0, ones(2_000)))
    const streamed = await answerTo(port, echo(sessionId, ones(8)))
    t.same(streamed.subarray(16), Buffer.concat([Buffer.alloc(32), ones(8)]))
    const datagram = await answerByUdp(t, port, echo(sessionId, ones(100)))
    t.same(datagram.subarray(16), Buffer.concat([Buffer.alloc(32), ones(100)]))
  }
})

t.test('what a seal leaves unwritten of a body is zero', async t => {
  const { server } = await serveCommands(t, 0, { protocol: dialects.briefSeal.with() })
  for (let sessionId = 1; sessionId < 50; sessionId++) {
    ones(1_000)
    const answer = await answerTo(server.address!.port, echo(sessionId, ones(8)))
    t.same(answer.subarray(16), Buffer.concat([ones(8), Buffer.alloc(64)]))
  }
})

for (const [protocol, found] of [
  [dialects.opensLater, 'an object'],
  [dialects.opensText, '"text"'],
] as const) {
  t.test(
    `${protocol.exportName}: what is no body is answered 9 over TCP and UDP, and logged once a second`,
    async t => {
      const { server, lines } = await serveCommands(t, 0, { protocol: protocol.with() })
      const { port } = server.address!
      const answers = await answerTo(port, echo(7, ones(8)), echo(8, ones(8)))
      t.same([answers.length, answers[1], answers[17]], [32, eventStatus.handlerFailed, eventStatus.handlerFailed])
      t.equal((await answerByUdp(t, port, echo(9, ones(8))))[1], eventStatus.handlerFailed)
      const told = lines.filter(({ msg }) => msg === 'event command failed')
      t.equal(told.length, 2, 'once for each transport')
      t.match(told[0], { command: 0, err: { message: `validateDecryptBody answered ${found}, no Uint8Array` } })
      t.equal(server.stats().refusals.bodiesInvalid, 0, 'it is not the fault of the sender')
    },
  )
}

t.test('a length that is none makes its header invalid, and is logged', async t => {
  for (const bytes of [Number.NaN, -20, 1.5]) {
    const { server, lines, system } = await serveCommands(t, 0, { protocol: dialects.counts.with(bytes) })
    const { port } = server.address!
    const answer = await answerTo(port, echo(7, ones(8)))
    t.same([answer.length, answer[1]], [16, eventStatus.invalidHeader])
    t.equal((await answerByUdp(t, port, echo(9, ones(8))))[1], eventStatus.invalidHeader)
    t.match(
      lines.find(({ msg }) => msg === 'event protocol at fault'),
      {
        protocol: 'counts',
        err: { message: `bodyBytes answered ${bytes}, not a number of bytes` },
      },
    )
    await system.stop()
  }
})

t.test('a dialect that is none is told as it is built, all that is wrong at once', async t => {
  const fail = (): never => {
    throw new Error('broken')
  }
  const cases: [dialect: unknown, ...paths: string[]][] = [
    [{ ...dialectV1, headerBytes: 0, replyHeaderBytes: 1.5 }, 'headerBytes', 'replyHeaderBytes'],
    [{ ...dialectV1, writeReplyHeader: undefined, hasCookie: 1 }, 'hasCookie', 'writeReplyHeader'],
    [{ ...dialectV1, validateBody: fail }, 'validateBody'],
    [{ ...dialectV1, validateDecryptBody: async () => new Uint8Array() }, 'validateDecryptBody'],
    [{ ...dialectV1, seal: { sealedBytes: 4, sealBdy: fail } }, 'seal.sealBdy', 'seal.sealedBytes', 'seal.sealBody'],
    [{ ...dialectV1, seal: { sealedBytes: () => Number.NaN, sealBody: fail } }, 'seal.sealedBytes'],
    [{ ...dialectV1, writeReplyHeader: fail }, 'writeReplyHeader'],
    [Promise.resolve(dialectV1), ''],
    [undefined, ''],
  ]
  for (const [dialect, ...paths] of cases) {
    const build = () => buildDialect({ exportName: 'mine', create: () => dialect as EventDialect }, undefined)
    t.throws(build, {
      code: 'BAD_CONFIG',
      message: /^the protocol mine: /,
      details: { reasons: paths.map(path => ({ path })) },
    })
  }
  const errors = { ...dialectV1, errorBody: (status: number) => (status === 3 ? fail() : (String(status) as never)) }
  t.throws(() => buildDialect({ exportName: 'mine', create: () => errors }, undefined), {
    message: /errorBody of invalidPacketLength is "1", no Uint8Array; .* of invalidHeader throws: .*broken/,
  })
  class Own implements EventDialect {
    readonly kept = 'of its own'
    readonly headerBytes = 16
    readonly replyHeaderBytes = 16
    validateHeader = dialectV1.validateHeader
    raidaId = dialectV1.raidaId
    bodyBytes = dialectV1.bodyBytes
    command = dialectV1.command
    sessionId = dialectV1.sessionId
    writeReplyHeader = dialectV1.writeReplyHeader
  }
  t.equal(buildDialect({ exportName: 'mine', create: () => new Own() }, undefined).headerBytes, 16)
})

t.test('creating a server names the protocol that is wrong', async t => {
  const system = await createSystem({ shards: 0, logger: createLogger({ level: 'silent' }) })
  t.teardown(() => system.stop())
  const cases: [protocol: unknown, message: RegExp][] = [
    [dialects.built, /protocol is the definition built: built\.with\(…\) is what a server takes/],
    [dialects.built.with({ fails: 1 }), /the protocol built cannot be built: .*it fails/],
    [dialects.built.with({ headerBytes: 0 }), /the protocol built: headerBytes is 0/],
    [dialects.built.with({ f: () => 1 }), /those of the protocol built: .*could not be cloned/],
  ]
  for (const [protocol, message] of cases) {
    const create = () => createEventServer(system, { port: 0, protocol: protocol as BoundEventProtocol })
    t.throws(create, { code: 'BAD_CONFIG', message }, String(message))
  }
})

t.test('headers that no datagram has room for are told by `start`, also where a command runs in the pool', async t => {
  for (const shards of [0, 2]) {
    const system = await createSystem({ shards, logger: createLogger({ level: 'silent' }) })
    t.teardown(() => system.stop())
    const options = { port: 0, protocol: dialects.built.with({ replyHeaderBytes: 5_000 }) }
    for (const more of [{}, { commands, pool: { threads: 1 } }]) {
      const server = createEventServer(system, { ...options, ...more })
      await t.rejects(server.start(), { code: 'BAD_CONFIG', details: { option: 'udp.payloadBytesMax' } })
    }
    t.same(await system.tree(), [])
  }
})
