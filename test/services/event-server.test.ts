/** Event servers on live systems, over real sockets of this machine. */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import t, { type Test } from 'tap'
import {
  createEventServer,
  createSystem,
  type EventServerOptions,
  type FrameServer,
  type System,
} from '../../src/index.ts'
import { createLogger } from '../../src/logger.ts'
import { encodeEventRequest, encodeEventResponse, eventCommand, eventStatus } from '../../src/messages/index.ts'
import { acceptor } from '../../src/services/acceptors.ts'
import { createFrameServer } from '../../src/services/frame-server.ts'
import { internalsOf } from '../../src/supervisor/system.ts'
import { connectClient, type EventClient } from '../actors/acceptor/event-client.ts'
import { until } from '../actors/connection/event-shard.ts'
import { untilBound } from './until-bound.ts'

interface Served {
  readonly system: System
  readonly server: FrameServer
  readonly port: number
}

async function createTestSystem(t: Test, shards: number): Promise<System> {
  const system = await createSystem({ shards, logger: createLogger({ level: 'silent' }) })
  t.teardown(() => system.stop())
  return system
}

async function serve(t: Test, shards: number, options: Partial<EventServerOptions> = {}): Promise<Served> {
  const system = await createTestSystem(t, shards)
  const server = createEventServer(system, { port: 0, ...options })
  const { port } = await server.start()
  return { system, server, port }
}

/** What a connection that drains hears last. */
const farewell = encodeEventResponse({
  status: eventStatus.overloaded,
  command: 0,
  sessionId: 0,
  body: Buffer.alloc(0),
})

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** A client that is gone when the test is over. */
async function connectTo(t: Test, port: number): Promise<EventClient> {
  // Its side ends with the server's: a drain need not wait for it.
  const client = await connectClient(port, false)
  t.teardown(() => client.socket.destroy())
  return client
}

function echoRequest(sessionId: number, body = `body ${sessionId}`): Buffer {
  return encodeEventRequest({ command: eventCommand.echo, sessionId, body: Buffer.from(body) })
}

/** Sends pipelined echoes and checks each answer. */
async function checkEchoes(t: Test, client: EventClient, count = 5): Promise<void> {
  client.write(...Array.from({ length: count }, (_, sessionId) => echoRequest(sessionId)))
  for (let sessionId = 0; sessionId < count; sessionId++) {
    const { status, body, ...rest } = await client.response()
    t.match({ status, text: String(body), ...rest }, { status: 0, sessionId, text: `body ${sessionId}` })
  }
}

/** Elsewhere the owner of a port is not known. */
const noProcfs = !existsSync('/proc/net/tcp') && 'needs /proc'

const worlds = [
  { shards: 0, accept: 'auto' },
  { shards: 1, accept: 'auto' },
  { shards: 2, accept: 'reusePort' },
  { shards: 2, accept: 'handoff' },
] as const

/** How a connect ends that nobody should take. */
async function connectAlone(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const [error] = await once(socket, 'error')
  return error.code
}

/** Kills somebody; of eight clients those it served are cut off, the others go on. Answers how many were cut off. */
async function killAmongClients(t: Test, { server, port }: Served, kill: () => Promise<void>): Promise<number> {
  const clients = await Promise.all(Array.from({ length: 8 }, () => connectTo(t, port)))
  await Promise.all(clients.map(client => checkEchoes(t, client)))
  const closed = new Set<EventClient>()
  for (const client of clients)
    client.socket.once('close', () => closed.add(client)).once('end', () => client.socket.end())
  await kill()
  const lost = clients.length - server.stats().connections
  await until(() => closed.size >= lost)
  await Promise.all(clients.filter(client => !closed.has(client)).map(client => checkEchoes(t, client)))
  t.equal(closed.size, lost, 'nobody else was cut off')
  for (const client of clients) client.socket.destroy()
  await until(() => server.stats().connections === 0)
  return lost
}

for (const { shards, accept } of worlds) {
  const name = `${shards} shards, ${accept}`

  t.test(`${name}: it serves from start to stop, and again`, async t => {
    const system = await createTestSystem(t, shards)
    const server = createEventServer(system, { port: 0, accept })
    t.equal(server.address, undefined)
    t.equal(server.ref, undefined)
    for (const round of [1, 2]) {
      const address = await server.start()
      t.same(server.address, address)
      t.equal(address.host, '127.0.0.1')
      const clients = await Promise.all(Array.from({ length: 6 }, () => connectTo(t, address.port)))
      await Promise.all(clients.map(client => checkEchoes(t, client)))
      t.match(server.stats(), { connections: 6, accepted: 6 * round, refused: 0, requests: 30 * round, heldBytes: 0 })
      const ended = clients.map(client => client.ended())
      await server.stop()
      for (const rest of await Promise.all(ended)) t.same(rest, farewell, 'the last word')
      t.equal(server.address, undefined)
      t.equal(server.ref, undefined)
      t.equal(server.stats().connections, 0)
      t.equal(await connectAlone(address.port), 'ECONNREFUSED')
    }
    await server.stop()
  })

  t.test(`${name}: an acceptor that is killed comes back, and nobody else's clients notice`, async t => {
    const served = await serve(t, shards, { accept })
    const lost = await killAmongClients(t, served, async () => {
      t.equal(await served.system.kill('events/s0'), true)
      await untilBound(served.system, 'events/s0')
    })
    t.ok(shards < 2 ? lost === 8 : lost >= 0 && lost <= 8, `${lost} of 8 were cut off`)
    await killAmongClients(t, served, async () => {})
  })

  t.test(`${name}: a stop answers what was received whole`, async t => {
    const { server, port } = await serve(t, shards, { accept })
    const client = await connectTo(t, port)
    await checkEchoes(t, client, 1)
    const cut = echoRequest(100).subarray(0, 10)
    client.write(...Array.from({ length: 50 }, (_, sessionId) => echoRequest(sessionId)), cut)
    const stopped = server.stop()
    for (let sessionId = 0; sessionId < 50; sessionId++) {
      const answer = await client.response()
      t.equal(answer.sessionId, sessionId)
      // What comes when the shard drains is refused, never left without an answer.
      t.ok(answer.status === eventStatus.ok || answer.status === eventStatus.overloaded, `status ${answer.status}`)
    }
    client.socket.end()
    await client.ended()
    await stopped
  })
}

t.test('a shard that is killed is replaced, and its clients alone notice', async t => {
  for (const accept of ['reusePort', 'handoff'] as const) {
    const served = await serve(t, 2, { accept })
    const { system } = served
    await killAmongClients(t, served, async () => {
      await internalsOf(system).shards!.worker(0)!.terminate({ type: 'killed' })
      await untilBound(system, 'events/s0')
    })
    await killAmongClients(t, served, async () => {})
  }
})

t.test('a listener that is killed comes back, and no connection notices', async t => {
  const served = await serve(t, 2, { accept: 'handoff' })
  const { system } = served
  const lost = await killAmongClients(t, served, async () => {
    t.equal(await system.kill('events/listener'), true)
    for (const actor of ['listener', 's0', 's1']) await untilBound(system, `events/${actor}`)
  })
  t.equal(lost, 0)
  await killAmongClients(t, served, async () => {})
})

t.test('a server starts once at a time', async t => {
  const system = await createTestSystem(t, 0)
  const server = createEventServer(system, { port: 0 })
  const first = server.start()
  await t.rejects(server.start(), { code: 'BAD_CONFIG', details: { id: 'events' } })
  const { port } = await first
  await t.rejects(server.start(), { code: 'BAD_CONFIG' })
  await checkEchoes(t, await connectTo(t, port))
})

t.test('a start in a system that has stopped says so', async t => {
  for (const shards of [0, 1]) {
    const system = await createTestSystem(t, shards)
    const server = createEventServer(system, { port: 0 })
    await server.start()
    await system.stop()
    const told = { code: 'SHUTTING_DOWN', message: 'the system is stopping, or has stopped' } as const
    await t.rejects(server.start(), told)
    await server.stop()
    await t.rejects(server.start(), told)
  }
})

t.test('a stop during the start stops what is being started, and both stops wait for the end', async t => {
  const system = await createTestSystem(t, 0)
  const server = createEventServer(system, { port: 0 })
  const starting = server.start()
  await Promise.all([server.stop(), server.stop()])
  t.equal(await connectAlone((await starting).port), 'ECONNREFUSED')
  t.equal(server.address, undefined)
})

t.test('all shards drain at once', async t => {
  const { system, server, port } = await serve(t, 2, { accept: 'handoff' })
  // Each shard has one: they take turns.
  const stuck = await Promise.all([connectTo(t, port), connectTo(t, port)])
  await Promise.all(stuck.map(client => checkEchoes(t, client)))
  // More than the sockets of both sides can hold.
  const requests = Array.from({ length: 300 }, () => encodeEventRequest({ body: Buffer.alloc(65_536) }))
  for (const client of stuck) {
    client.socket.pause()
    client.write(...requests)
  }
  const stopped = server.stop()
  const inState = async (shard: string) => (await system.ref(acceptor, `events/${shard}`).inspect())?.value
  while ((await inState('s0')) !== 'draining' || (await inState('s1')) !== 'draining') await turn()
  for (const client of stuck) client.socket.destroy()
  await stopped
})

t.test('a rolling restart of the shards leaves the server as it was', async t => {
  for (const accept of ['reusePort', 'handoff'] as const) {
    const { system, server, port } = await serve(t, 2, { accept })
    await system.rollingRestart()
    for (const shard of ['s0', 's1']) await untilBound(system, `events/${shard}`)
    t.match(await system.tree({ under: 'events' }), [
      { address: 'events' },
      ...(accept === 'handoff' ? [{ address: 'events/listener', incarnation: 1 }] : []),
      { address: 'events/s0', incarnation: 2 },
      { address: 'events/s1', incarnation: 2 },
      { address: 'events/u0', incarnation: 2 },
      { address: 'events/u1', incarnation: 2 },
    ])
    const clients = await Promise.all(Array.from({ length: 8 }, () => connectTo(t, port)))
    await Promise.all(clients.map(client => checkEchoes(t, client)))
    for (const client of clients) client.socket.destroy()
    await server.stop()
  }
})

t.test('a stop of what has been stopped already is none', async t => {
  const { system, server } = await serve(t, 1)
  await server.ref!.stop()
  await server.stop()
  await server.start()
  await system.stop()
  await server.stop()
})

t.test('await using stops it', async t => {
  const system = await createTestSystem(t, 0)
  let port: number
  {
    await using server = createEventServer(system, { port: 0 })
    port = (await server.start()).port
    await checkEchoes(t, await connectTo(t, port))
  }
  t.equal(await connectAlone(port), 'ECONNREFUSED')
})

t.test('an address that cannot be had is named, and another start may have it', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  for (const shards of [0, 2]) {
    const system = await createTestSystem(t, shards)
    const server = createEventServer(system, { port })
    const details = { host: '127.0.0.1', port }
    await t.rejects(server.start(), { code: 'PORT_IN_USE', message: `127.0.0.1:${port} is in use by `, details })
    const elsewhere = createEventServer(system, { id: 'elsewhere', host: '192.0.2.1', port })
    await t.rejects(elsewhere.start(), { code: 'LISTEN_FAILED', details: { host: '192.0.2.1', port } })
    if (shards === 0) continue
    taken.close()
    await once(taken, 'close')
    t.equal((await server.start()).port, port)
    // A second node on the port of a first is told so, although both would share it.
    const second = createEventServer(system, { id: 'second', port, accept: 'reusePort' })
    await t.rejects(second.start(), { code: 'PORT_IN_USE' })
  }
})

t.test('who has the address is told: this process, and which of its servers', { skip: noProcfs }, async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.teardown(() => taken.close())
  await once(taken, 'listening')
  const port = (taken.address() as { port: number }).port
  const system = await createTestSystem(t, 0)
  await t.rejects(createEventServer(system, { port }).start(), {
    message: `127.0.0.1:${port} is in use by this process`,
  })

  const first = createEventServer(system, { id: 'first', port: 0 })
  const { port: firstPort } = await first.start()
  const elsewhere = createEventServer(await createTestSystem(t, 0), { id: 'second', port: firstPort })
  const message = `127.0.0.1:${firstPort} is in use by the server 'first' of this process`
  await t.rejects(elsewhere.start(), { code: 'PORT_IN_USE', message, details: { pid: process.pid } })
  await first.stop()
  t.equal((await elsewhere.start()).port, firstPort)
})

t.test('a second server of the same id is told so, whatever its port', async t => {
  const { system, port } = await serve(t, 0)
  for (const other of [port, 0]) {
    await t.rejects(createEventServer(system, { port: other }).start(), {
      code: 'DUPLICATE_ADDRESS',
      message: "the system has an actor 'events' already: give this server an id of its own",
      details: { address: 'events' },
    })
  }
})

t.test('options that cannot be used are told before anything starts', async t => {
  const system = await createTestSystem(t, 0)
  const faults: readonly [string, object][] = [
    ['port', { port: -1 }],
    ['port', {}],
    ['host', { port: 0, host: '' }],
    ['accept', { port: 0, accept: 'shared' }],
    ['raidaId', { port: 0, raidaId: 256 }],
    ['limits.nothing', { port: 0, limits: { nothing: 1 } }],
    ['limits', { port: 0, limits: 5 }],
    ['limit', { port: 0, limit: {} }],
    ['id', { port: 0, id: '$own' }],
    ['', undefined as unknown as object],
    ['limits.idleTimeoutMs', { port: 0, limits: { idleTimeoutMs: 0 } }],
  ]
  for (const [option, options] of faults) {
    const create = () => createEventServer(system, options as EventServerOptions)
    t.throws(create, { code: 'BAD_CONFIG', details: { option } }, option)
  }
  const wrong = { limit: {}, pool: { thread: 1 }, limits: { idleTimeout: 1, lingerMs: 0 }, udp: { enable: true } }
  const told = [
    'limit is not known: did you mean limits?',
    'raidaId is 256, not a whole number from 0 to 255',
    'udp.enable is not known: did you mean enabled?',
    'limits.idleTimeout is not known: did you mean idleTimeoutMs?',
    'limits.lingerMs is 0, not a whole number from 1 to 2147483647',
    'pool.thread is not known: did you mean threads?',
    'port is -1, not a whole number from 0 to 65535',
  ]
  t.throws(() => createEventServer(system, { port: -1, raidaId: 256, ...wrong } as EventServerOptions), {
    message: `an event server: ${told.join('; ')}`,
  })
})

t.test('a protocol that shards cannot load is told by the start', async t => {
  const system = await createTestSystem(t, 0)
  const protocol = { moduleUrl: new URL('no-such-module.ts', import.meta.url).href, exportName: 'none', options: {} }
  const server = createFrameServer(system, 'frames', { port: 0, protocol })
  await t.rejects(server.start(), { code: 'DEFINITION_NOT_FOUND' })
})

t.test('requests for another raidaId are answered so', async t => {
  const { port } = await serve(t, 0, { raidaId: 7 })
  const client = await connectTo(t, port)
  client.write(echoRequest(1), encodeEventRequest({ raidaId: 7, sessionId: 2 }))
  t.match(await client.response(), { status: eventStatus.invalidHeader, sessionId: 1 })
  t.match(await client.response(), { status: eventStatus.ok, sessionId: 2 })
})

t.test('the server fails when its restarts are spent, and not when it is stopped', async t => {
  const { system, server } = await serve(t, 0)
  let failure: unknown
  const failed = server.failed.then(exit => {
    failure = exit
  })
  // Each supervisor above the acceptor has a budget of its own.
  for (let kills = 0; failure === undefined && kills < 100; kills++) {
    await system.kill('events/s0')
    await turn()
  }
  await failed
  t.match(failure, { address: 'events', reason: { type: 'shutdown', detail: 'reached_max_restart_intensity' } })

  const other = createEventServer(system, { id: 'other', port: 0 })
  await other.start()
  let hasFailed = false
  void other.failed.then(() => {
    hasFailed = true
  })
  await other.stop()
  await turn()
  t.equal(hasFailed, false)
})
