/** The task pool of a live event server: its bounds, and what becomes of requests when workers, clients and the pool end. */
import t from 'tap'
import { createEventServer, createSystem } from '../../src/index.ts'
import { encodeEventRequest, eventStatus } from '../../src/messages/index.ts'
import { startSender } from '../actors/datagram/datagram-shard.ts'
import { quiet } from '../supervisor/fixtures/local-system.ts'
import { commands, number } from './fixtures/commands.ts'
import { ask, eventually, serveCommands } from './fixtures/served.ts'

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

t.test('requests over UDP that may be anybody’s have half of the queue, behind all others', async t => {
  const { request, server, gate, untilWaiting } = await serveCommands(t, 0, { pool: { threads: 1, queueMax: 4 } })
  const first = request(number.waitInPool, 'first')
  await untilWaiting(1)
  const sender = await startSender(t, server.address!.port, () => server.stats().udp!.received)
  for (const sessionId of [1, 2]) await sender.send(ask(number.waitInPool, `anybody ${sessionId}`, sessionId))
  await eventually(() => server.stats().pool!.queued === 2)
  const challenge = await sender.ask(ask(number.waitInPool, 'one more', 3))
  t.equal(challenge[1], eventStatus.cookieRequired)
  t.equal((await sender.ask(ask(number.reverse, 'abc', 4)))[1], eventStatus.ok, 'what needs no pool is served')
  const body = Buffer.concat([challenge.subarray(16), Buffer.from('proven')])
  await sender.send(encodeEventRequest({ command: number.waitInPool, sessionId: 5, reserved: 1, body }))
  await eventually(() => server.stats().pool!.queued === 3)
  const tcp = request(number.waitInPool, 'over TCP')
  await eventually(() => server.stats().pool!.queued === 4)
  const order: string[] = []
  for (let left = 5; left > 0; left--) {
    await untilWaiting(1)
    order.push(...(await gate.ask({ type: 'gate.look' }, { timeoutMs: 5_000 })).waiting)
    gate.send({ type: 'gate.open', later: 0 })
    await eventually(() => server.stats().pool!.completed === 6 - left)
  }
  t.same(order, ['first', 'proven', 'over TCP', 'anybody 1', 'anybody 2'])
  await Promise.all([first, tcp])
  t.match(server.stats(), { pool: { refused: 0, completed: 5 }, udp: { challenged: 1, overloaded: 0 } })
  // What is answered makes room again.
  for (let answers = 0; answers < 3; answers++) await sender.answer()
  const again = sender.ask(ask(number.reverseInPool, 'abc', 6))
  t.equal((await again)[1], eventStatus.ok)
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
  const { request, server, lines } = await serveCommands(t, 0, { pool: { threads: 2, heapMb: 64 } })
  const ends = [number.exit, number.hoard, number.stray]
  for (const [index, command] of ends.entries()) {
    t.equal((await request(command)).status, eventStatus.handlerFailed, `command ${command}`)
    t.match(server.stats().pool, { active: 0, queued: 0, completed: index, lost: index + 1 })
    t.equal(String((await request(number.reverseInPool, 'abc')).body), 'cba')
  }
  // Each end is told once or twice: under its task, and by the worker that was found gone.
  const told = lines.filter(({ actor }) => actor === 'events/pool')
  t.ok(told.length >= 1 && told.length <= 6, `${told.length} lines`)
  t.match(told[0], { msg: /^a worker of a task pool ended/ })
  t.match(
    lines.filter(({ msg }) => msg === 'event command failed').map(({ command }) => command),
    ends,
    'and with the number of its command',
  )
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
  const clients = await Promise.all(Array.from({ length: 4 }, connect))
  const count = 20
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
    t.match(await client.response(), { sessionId: 0, status: eventStatus.overloaded }, 'the last word of a drain')
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
