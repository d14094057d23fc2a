/** Commands of a live event server, on its shards and in its task pool, over real sockets. */
import { pathToFileURL } from 'node:url'
import { threadId } from 'node:worker_threads'
import fc from 'fast-check'
import t from 'tap'
import {
  aesGcmProtocol,
  type CommandsDefinition,
  createEventClient,
  createEventServer,
  createSystem,
  defineCommands,
  type EventServerOptions,
} from '../../src/index.ts'
import { encodeEventRequest, eventStatus } from '../../src/messages/index.ts'
import { quiet } from '../supervisor/fixtures/local-system.ts'
import { commands, number } from './fixtures/commands.ts'
import { ask, eventually, serveCommands } from './fixtures/served.ts'

/** Each datagram counts: none is sent again. */
const never = { initialMs: 600_000, maxMs: 600_000 }

for (const shards of [0, 2]) {
  t.test(`${shards} shards: commands run on the shard of the connection, and in the pool`, async t => {
    const { server, connect, request, gate, lines } = await serveCommands(t, shards)
    for (const command of [number.reverse, number.reverseInPool]) {
      t.same(await request(command, 'starfish'), { status: 0, command, sessionId: 0, body: Buffer.from('hsifrats') })
    }
    const [here, pool] = await Promise.all(
      [number.where, number.whereInPool].map(async command => JSON.parse(String((await request(command)).body))),
    )
    t.match(here, { command: number.where, sessionId: 0, raidaId: 0, peerAddress: '127.0.0.1', transport: 'tcp' })
    t.match(pool, { command: number.whereInPool, sessionId: 0, raidaId: 0, peerAddress: '127.0.0.1', transport: 'tcp' })
    t.equal(here.threadId === threadId, shards === 0)
    t.ok(pool.threadId !== threadId && pool.threadId !== here.threadId)

    t.equal(String((await request(number.send, 'from the shard')).body), 'sent')
    t.equal(String((await request(number.sendInPool, 'from the pool')).body), 'sent')
    await eventually(() => lines.filter(({ msg }) => String(msg).startsWith('sent ')).length === 2)
    t.match(
      lines.find(({ msg }) => msg === 'sent in the pool'),
      { level: 30, actor: 'events/pool', command: number.sendInPool },
    )
    const { notes } = await gate.ask({ type: 'gate.look' }, { timeoutMs: 5_000 })
    // Two senders: whose message comes first is not promised.
    t.same(notes.toSorted(), ['from the pool', 'from the shard'])

    const client = await connect()
    client.write(ask(number.wait, 'a', 1), ask(number.waitInPool, 'b', 2))
    gate.send({ type: 'gate.open', later: 2 })
    t.match(await client.response(), { sessionId: 1, status: 0, body: Buffer.from('a') })
    t.match(await client.response(), { sessionId: 2, status: 0, body: Buffer.from('b') })
    for (let round = 0; round < 3; round++) t.equal(String((await request(number.constant)).body), 'always')
    t.match(server.stats().pool, { active: 0, queued: 0, completed: 7, refused: 0, cancelled: 0, lost: 0 })
  })
}

t.test('what a handler in the pool throws is answered as what one on a shard throws', async t => {
  const { request, server, lines } = await serveCommands(t, 0, { replyBytesMax: 16 })
  for (const command of [number.fail, number.failInPool]) {
    t.equal((await request(command, 'decryptFailed')).status, eventStatus.decryptFailed)
    t.same(lines, [])
    t.equal((await request(command)).status, eventStatus.handlerFailed)
    await eventually(() => lines.length === 1)
    t.match(lines.splice(0), [{ msg: 'event command failed', command, err: { type: 'RangeError', message: 'broken' } }])
  }
  t.equal((await request(number.reverseInPool, 'x'.repeat(16))).status, eventStatus.ok)
  t.equal((await request(number.reverseInPool, 'x'.repeat(17))).status, eventStatus.handlerFailed)
  t.match(server.stats().pool, { completed: 4, lost: 0 })
})

t.test(
  'each status that a command answers counts where its table says, over TCP and UDP, and lateness is logged',
  async t => {
    const { server, lines, request } = await serveCommands(t, 0, {
      commandTimeoutMs: 20,
      pool: { threads: 1, queueMax: 0 },
    })
    const datagrams = createEventClient({
      ...server.address!,
      transport: 'udp',
      resend: never,
      retry: { savedMax: 0, perSecond: 0, ratio: 0 },
    })
    t.teardown(() => datagrams.close())
    const cases = [
      [1, number.fail, 'invalidPacketLength', 'bodiesInvalid', 'bodiesInvalid'],
      [2, number.fail, 'memoryAlloc', 'requestsWithoutMemory', 'requestsWithoutMemory'],
      [3, number.fail, 'invalidHeader', 'headersInvalid', 'malformed'],
      [4, number.fail, 'bodyTooLarge', 'bodiesTooLarge', 'malformed'],
      [5, number.fail, 'unknownCommand', 'commandsUnknown', 'commandsUnknown'],
      [6, number.fail, 'overloaded', 'requestsOverload', 'overloaded'],
      [7, number.wait, 'late', 'commandsLate', 'commandsLate'],
      [8, number.fail, 'decryptFailed', 'bodiesInvalid', 'bodiesInvalid'],
      [9, number.fail, '', 'commandsFailed', 'commandsFailed'],
    ] as const
    const expected: Record<string, number> = {}
    const expectedByUdp: Record<string, number> = {}
    const counted = (figures: object, names: object) =>
      Object.fromEntries(Object.entries(figures).filter(([name]) => name in names))
    for (const [status, command, body, kind, figure] of cases) {
      t.equal((await request(command, body)).status, status)
      await t.rejects(datagrams.request(command, body), { message: new RegExp(`status ${status} `) })
      expected[kind] = (expected[kind] ?? 0) + 1
      expectedByUdp[figure] = (expectedByUdp[figure] ?? 0) + 1
      const { refusals, udp } = server.stats()
      t.same(counted(refusals, expected), expected, `${status} over TCP`)
      t.same(counted(udp!, expectedByUdp), expectedByUdp, `${status} over UDP`)
    }
    const late = lines.filter(({ msg }) => msg === 'event command was not done in time')
    t.match(late, [
      { command: number.wait, timeoutMs: 20, leftOut: 0 },
      { command: number.wait, timeoutMs: 20 },
    ])
  },
)

t.test('an answer that is too long names the limit of its transport', async t => {
  const { server, lines, request } = await serveCommands(t, 0, { replyBytesMax: 2_000 })
  t.equal((await request(number.reverse, 'x'.repeat(2_001))).status, eventStatus.handlerFailed)
  const client = createEventClient({ ...server.address!, transport: 'udp', resend: never, datagramBytesMax: 2_000 })
  t.teardown(() => client.close())
  await t.rejects(client.request(number.repeat, '700'), { code: 'REQUEST_FAILED' })
  t.match(lines, [
    {
      command: number.reverse,
      err: { message: 'an answer of 2001 bytes is over the 2000 that replyBytesMax leaves for it' },
    },
    {
      command: number.repeat,
      err: { message: 'an answer of 1400 bytes is over the 1216 that udp.payloadBytesMax leaves for it' },
    },
  ])
})

t.test('what the full pool refuses counts as overloaded over UDP', async t => {
  const { server, gate, untilWaiting } = await serveCommands(t, 0, { pool: { threads: 1, queueMax: 0 } })
  const client = createEventClient({
    ...server.address!,
    transport: 'udp',
    resend: never,
    retry: { savedMax: 0, perSecond: 0, ratio: 0 },
  })
  t.teardown(() => client.close())
  const first = client.request(number.waitInPool, 'first', { timeoutMs: 30_000 })
  await untilWaiting(1)
  await t.rejects(client.request(number.reverseInPool, 'second'), { code: 'SERVER_OVERLOADED' })
  t.match(server.stats(), { udp: { overloaded: 1 }, refusals: { requestsOverload: 0 }, pool: { refused: 1 } })
  gate.send({ type: 'gate.open', later: 0 })
  t.equal(String((await first).body), 'first')
})

t.test('a handler that sends what is no event, or to no address, costs its own request, in the pool too', async t => {
  const { request, server, lines } = await serveCommands(t, 1, { pool: { threads: 1 } })
  for (const command of [number.sendAmiss, number.sendAmissInPool]) {
    for (const fault of ['address', 'event', 'type']) {
      t.equal((await request(command, fault)).status, eventStatus.handlerFailed, `${fault} of command ${command}`)
    }
    await eventually(() => lines.some(line => line['command'] === command))
    const err = { code: 'BAD_CONFIG', details: { call: 'send', option: 'to' } }
    t.match(
      lines.find(line => line['command'] === command),
      { msg: 'event command failed', err },
    )
  }
  t.equal((await request(number.sendAmissInPool, 'class')).status, eventStatus.ok)
  const lost = 'an event of a worker cannot be sent'
  await eventually(() => lines.some(({ msg }) => msg === lost))
  t.match(
    lines.find(({ msg }) => msg === lost),
    { to: 'gate', err: { code: 'BAD_CONFIG' } },
  )
  t.equal((await request(number.sendAmissInPool, 'parent')).status, eventStatus.ok)
  t.equal((await request(number.reverseInPool, 'abc')).status, eventStatus.ok)
  t.match(server.stats().pool, { completed: 6, lost: 0 })
})

t.test('options of commands and pool that cannot be used are told at once', async t => {
  const system = await createSystem({ shards: 0, logger: quiet })
  t.teardown(() => system.stop())
  const faults: readonly [string, object][] = [
    ['commandTimeoutMs', { commandTimeoutMs: 0 }],
    ['replyBytesMax', { replyBytesMax: 1.5 }],
    ['oneRequestPerConnection', { oneRequestPerConnection: 'yes' }],
    ['commands', { commands: { 2: { handle: () => '' } } }],
    ['protocol', { protocol: {} }],
    ['keys.7', { protocol: aesGcmProtocol.with({ keys: { 7: 'short' } }) }],
    ['pool', { pool: { threads: 2 } }],
    ['pool.threads', { commands, pool: { threads: 0 } }],
    ['pool.queueMax', { commands, pool: { queueMax: -1 } }],
    ['pool.niceIncrement', { commands, pool: { niceIncrement: 20 } }],
    ['pool.heapMb', { commands, pool: { heapMb: 1 } }],
    ['pool.workers', { commands, pool: { workers: 1 } }],
  ]
  for (const [option, options] of faults) {
    const create = () => createEventServer(system, { port: 0, ...options } as EventServerOptions)
    t.throws(create, { code: 'BAD_CONFIG', details: { option } }, option)
  }
})

t.test('answers leave in the order of the requests, wherever and however long each takes', async t => {
  const { connect } = await serveCommands(t, 1)
  const client = await connect()
  const command = fc.constantFrom(number.reverse, number.turns, number.turnsInPool, number.reverseInPool, number.fail)
  const request = fc.record({ command, turns: fc.nat(40), size: fc.nat(300) })
  await fc.assert(
    fc.asyncProperty(
      fc.array(request, { minLength: 1, maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 4_000 }), { maxLength: 6 }),
      async (requests, cuts) => {
        const bodies = requests.map(({ turns, size }, index) => Buffer.alloc(size + 1, index).fill(turns, 0, 1))
        const bytes = Buffer.concat(
          requests.map(({ command }, sessionId) =>
            encodeEventRequest({ command, sessionId, body: bodies[sessionId]! }),
          ),
        )
        let from = 0
        for (const cut of [...cuts, bytes.length]) {
          client.write(bytes.subarray(from, from + cut))
          from += cut
          await new Promise(resolve => setImmediate(resolve))
        }
        for (const [sessionId, { command }] of requests.entries()) {
          const answer = await client.response()
          const body = bodies[sessionId]!
          const reverses = command === number.reverse || command === number.reverseInPool
          const expected = command === number.fail ? Buffer.alloc(0) : reverses ? body.toReversed() : body
          if (answer.sessionId !== sessionId || answer.command !== command) return false
          if (Buffer.compare(answer.body, expected) !== 0) return false
        }
        return true
      },
    ),
    { seed: 7400, numRuns: 80 },
  )
  t.pass('80 pipelines')
})

t.test('every status that a stream can have', async t => {
  const { connect } = await serveCommands(t, 0, {
    raidaId: 5,
    commandTimeoutMs: 300,
    limits: { partialBytesMax: 1_500, bodyRateWindowMs: 300 },
    pool: { threads: 1, queueMax: 0 },
  })
  const mine = (command: number, body = '') => encodeEventRequest({ raidaId: 5, command, body: Buffer.from(body) })
  const statusOf = async (...bytes: Uint8Array[]) => {
    const client = await connect()
    client.write(...bytes)
    const { status } = await client.response()
    client.socket.destroy()
    return status
  }
  const tooLong = mine(number.reverse)
  tooLong.writeUInt32BE(65_537, 8)
  const badVersion = mine(number.reverse)
  badVersion[0] = 2
  t.equal(await statusOf(mine(number.reverse)), eventStatus.ok)
  t.equal(await statusOf(mine(number.fail, 'invalidPacketLength')), eventStatus.invalidPacketLength)
  t.equal(await statusOf(mine(number.reverse, 'x'.repeat(9_000)).subarray(0, 1_000)), eventStatus.memoryAlloc)
  t.equal(await statusOf(badVersion), eventStatus.invalidHeader)
  t.equal(await statusOf(ask(number.reverse)), eventStatus.invalidHeader, 'for another raidaId')
  t.equal(await statusOf(tooLong), eventStatus.bodyTooLarge)
  t.equal(await statusOf(mine(0x7f)), eventStatus.unknownCommand)
  t.equal(await statusOf(mine(number.wait)), eventStatus.timeout, 'a command')
  t.equal(await statusOf(mine(number.reverse, 'slow').subarray(0, 18)), eventStatus.timeout, 'a body')
  const busy = statusOf(mine(number.spin))
  t.equal(await statusOf(mine(number.spin)), eventStatus.overloaded)
  t.equal(await busy, eventStatus.timeout)
  t.equal(await statusOf(mine(number.fail, 'decryptFailed')), eventStatus.decryptFailed)
  t.equal(await statusOf(mine(number.fail)), eventStatus.handlerFailed)
})

t.test('definitions that shards cannot load are told before anything listens', async t => {
  const { system, server } = await serveCommands(t, 0)
  const { port } = server.address!
  const here = import.meta.url
  const table = commands.table
  const faults: readonly [RegExp, CommandsDefinition][] = [
    [/cannot be loaded/, defineCommands(new URL('nowhere.ts', here).href, 'commands', table)],
    [/has no export missing/, defineCommands(commands.moduleUrl, 'missing', table)],
    [/the export gate of .* is not a definition of commands/, defineCommands(commands.moduleUrl, 'gate', table)],
    [/is another definition/, defineCommands(commands.moduleUrl, 'commands', table)],
  ]
  for (const [message, wrong] of faults) {
    // The port is taken, which would be found next.
    const other = createEventServer(system, { id: 'other', port, commands: wrong })
    await t.rejects(other.start(), { code: 'DEFINITION_NOT_FOUND', message, details: { moduleUrl: wrong.moduleUrl } })
  }
  const entry = pathToFileURL(process.argv[1]!).href
  const own = createEventServer(system, { id: 'other', port, commands: defineCommands(entry, 'commands', table) })
  await t.rejects(own.start(), { code: 'DEFINITION_IN_ENTRY', message: /commands is in the entry module .*test\.ts/ })
  t.same(await system.tree({ under: 'other' }), [])
})
