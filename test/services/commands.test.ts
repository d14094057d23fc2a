/** Commands of a live event server, on its shards and in its task pool, over real sockets. */
import { pathToFileURL } from 'node:url'
import { threadId } from 'node:worker_threads'
import fc from 'fast-check'
import t from 'tap'
import {
  type CommandsDefinition,
  createEventServer,
  createSystem,
  defineCommands,
  type EventServerOptions,
} from '../../src/index.ts'
import { encodeEventRequest, eventStatus } from '../../src/messages/index.ts'
import { quiet } from '../supervisor/fixtures/local-system.ts'
import { commands, number } from './fixtures/commands.ts'
import { ask, eventually, serveCommands } from './fixtures/served.ts'

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
    t.same(notes, ['from the shard', 'from the pool'])

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

t.test('what there is no room for in the pool is answered 6, and what waits is done in its turn', async t => {
  const { request, server, gate, untilWaiting } = await serveCommands(t, 0, { pool: { threads: 1, queueMax: 3 } })
  const first = request(number.waitInPool, 'first')
  await untilWaiting(1)
  const names = ['a', 'b', 'c']
  const waiting: Promise<unknown>[] = []
  for (const name of names) {
    waiting.push(request(number.waitInPool, name))
    await eventually(() => server.stats().pool!.queued === waiting.length)
  }
  for (let refused = 1; refused <= 2; refused++) {
    t.match(await request(number.waitInPool, 'no room'), { status: eventStatus.overloaded, body: Buffer.alloc(0) })
    t.match(server.stats().pool, { active: 1, queued: 3, completed: 0, refused })
  }
  t.equal((await request(number.reverse, 'abc')).status, 0, 'the shard goes on meanwhile')
  gate.send({ type: 'gate.open', later: 3 })
  t.equal(String((await first).body), 'first')
  t.match(
    await Promise.all(waiting),
    names.map(name => ({ status: 0, body: Buffer.from(name) })),
  )
  t.match(server.stats().pool, { active: 0, queued: 0, completed: 4, refused: 2, cancelled: 0, lost: 0 })
})

t.test('at its deadline a task is answered 7, whether it runs or waits, and the pool goes on', async t => {
  const { request, server } = await serveCommands(t, 0, { commandTimeoutMs: 1_000, pool: { threads: 1 } })
  const spinning = request(number.spin)
  await eventually(() => server.stats().pool!.active === 1)
  const waiting = request(number.reverseInPool, 'waits')
  t.equal((await spinning).status, eventStatus.timeout)
  t.ok([eventStatus.timeout, eventStatus.ok].includes((await waiting).status as 0 | 7))
  await eventually(() => server.stats().pool!.active === 0)
  t.ok(server.stats().pool!.cancelled >= 1)
  let status: number = eventStatus.timeout
  // The worker that takes the place of the one that was ended has to load first.
  while (status === eventStatus.timeout) status = (await request(number.reverseInPool, 'again')).status
  t.equal(status, eventStatus.ok)
})

t.test('a worker that ends under a task costs that task, and the pool goes on', async t => {
  const { request, server, lines } = await serveCommands(t, 0, { pool: { threads: 2, heapMb: 32 } })
  const ends = [number.exit, number.hoard, number.stray]
  for (const [index, command] of ends.entries()) {
    t.equal((await request(command)).status, eventStatus.handlerFailed, `command ${command}`)
    t.match(server.stats().pool, { active: 0, queued: 0, completed: index, lost: index + 1 })
    t.equal(String((await request(number.reverseInPool, 'abc')).body), 'cba')
  }
  // Each end is told once or twice: under its task, and by the worker that was found gone.
  t.ok(lines.length >= 1 && lines.length <= 6, `${lines.length} lines`)
  t.match(lines[0], { msg: /^a worker of a task pool ended/, actor: 'events/pool' })
})

t.test('the tasks of a client that is gone are not begun', async t => {
  const { connect, request, server, gate, untilWaiting } = await serveCommands(t, 0, { pool: { threads: 1 } })
  const running = await connect()
  running.write(ask(number.waitInPool, 'runs'))
  await untilWaiting(1)
  const gone = await connect()
  gone.write(...Array.from({ length: 10 }, (_, index) => ask(number.sendInPool, `gone ${index}`)))
  await eventually(() => server.stats().pool!.queued === 10)
  gone.socket.resetAndDestroy()
  running.socket.resetAndDestroy()
  await eventually(() => server.stats().pool!.queued === 0)
  t.match(server.stats().pool, { active: 1, queued: 0, cancelled: 10 }, 'what had begun goes on')
  gate.send({ type: 'gate.open', later: 0 })
  t.equal(String((await request(number.reverseInPool, 'abc')).body), 'cba')
  t.same((await gate.ask({ type: 'gate.look' }, { timeoutMs: 5_000 })).notes, [])
})

t.test('the tasks of a shard that is killed are not begun', async t => {
  const { system, connect, server, untilWaiting } = await serveCommands(t, 0, { pool: { threads: 1 } })
  const client = await connect()
  client.write(ask(number.waitInPool, 'runs'))
  await untilWaiting(1)
  client.write(...Array.from({ length: 10 }, () => ask(number.reverseInPool)))
  await eventually(() => server.stats().pool!.queued === 10)
  t.equal(await system.kill('events/s0'), true)
  await eventually(() => server.stats().pool!.queued === 0)
  t.match(server.stats().pool, { active: 1, queued: 0, cancelled: 10 })
})

t.test('a pool that is killed under load fails what it had in hand, and comes back', async t => {
  const { system, connect, request, server, untilWaiting } = await serveCommands(t, 2)
  const clients = await Promise.all(Array.from({ length: 8 }, connect))
  const count = 30
  const requests = Array.from({ length: count }, (_, sessionId) => ask(number.waitInPool, 'x', sessionId))
  for (const client of clients) client.write(...requests)
  await untilWaiting(2)
  await eventually(() => server.stats().pool!.queued === clients.length * count - 2)
  t.equal(await system.kill('events/pool'), true)
  for (const client of clients) {
    for (let sessionId = 0; sessionId < count; sessionId++) {
      const answer = await client.response()
      t.match(answer, { sessionId, status: eventStatus.handlerFailed }, { diagnostic: false })
    }
  }
  t.match(server.stats().pool, { active: 0, queued: 0 })
  let status: number = eventStatus.overloaded
  while (status === eventStatus.overloaded) status = (await request(number.reverseInPool, 'again')).status
  t.equal(status, eventStatus.ok)
})

t.test('a drain answers all that was accepted, also what is in the pool', async t => {
  const { connect, server, gate, untilWaiting } = await serveCommands(t, 2, { pool: { threads: 1 } })
  const clients = await Promise.all(Array.from({ length: 4 }, connect))
  for (const client of clients) {
    client.write(
      ask(number.wait, 'on the shard', 1),
      ask(number.waitInPool, 'in the pool', 2),
      ask(number.reverse, 'abc', 3),
    )
  }
  await untilWaiting(5)
  await eventually(() => server.stats().pool!.queued === 3)
  const stopped = server.stop()
  gate.send({ type: 'gate.open', later: 3 })
  for (const client of clients) {
    t.match(await client.response(), { sessionId: 1, status: 0, body: Buffer.from('on the shard') })
    t.match(await client.response(), { sessionId: 2, status: 0, body: Buffer.from('in the pool') })
    t.match(await client.response(), { sessionId: 3, status: 0, body: Buffer.from('cba') })
    t.equal((await client.ended()).length, 0)
  }
  await stopped
  t.match(server.stats().pool, { active: 0, queued: 0, completed: 4, cancelled: 0, lost: 0 })
})

t.test('a server starts again with a pool of its own', async t => {
  const system = await createSystem({ shards: 0, logger: quiet })
  t.teardown(() => system.stop())
  const server = createEventServer(system, { port: 0, commands, pool: { threads: 1 } })
  for (let round = 1; round <= 2; round++) {
    await server.start()
    t.match(await system.tree({ under: 'events/pool' }), [
      { address: 'events/pool', shard: -1, value: { serving: 'idle' } },
    ])
    await server.stop()
    t.same(await system.tree({ under: 'events/pool' }), [])
  }
})

t.test('a server without commands in the pool has none', async t => {
  const { system } = await serveCommands(t, 0)
  const server = createEventServer(system, { id: 'other', port: 0 })
  await server.start()
  t.equal(server.stats().pool, undefined)
  t.same(await system.tree({ under: 'other/pool' }), [])
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
