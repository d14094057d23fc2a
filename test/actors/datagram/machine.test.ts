/** The life of a datagram actor on virtual time, with real sockets: binding, sockets that break, ends. */
import { createSocket, type Socket } from 'node:dgram'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import t, { type Test } from 'tap'
import type { DatagramInput } from '../../../src/actors/datagram/config.ts'
import { createDatagramFigures } from '../../../src/actors/datagram/figures.ts'
import { datagramMachine } from '../../../src/actors/datagram/machine.ts'
import { bindSocket, close } from '../../../src/actors/datagram/socket.ts'
import { createVirtualClock } from '../../../src/actors/runtime/clock.ts'
import { createSystem, type System } from '../../../src/index.ts'
import { createLogger } from '../../../src/logger.ts'
import { decodeEventResponse, encodeEventRequest } from '../../../src/messages/index.ts'
import { serverLimitDefaults } from '../../../src/messages/limits.ts'
import { eventDatagrams } from '../../../src/protocols/event/datagrams.ts'
import { datagram } from '../../../src/services/datagrams.ts'
import { commands, gate, number } from '../../services/fixtures/commands.ts'
import { assertChartAgrees } from '../runtime/chart-equivalence.ts'
import { type Sender, startSender } from './datagram-shard.ts'

const limits = { ...serverLimitDefaults, drainTimeoutMs: 2_000 }

function inputFor(port: number, changes: Partial<DatagramInput> = {}): DatagramInput {
  const { moduleUrl, exportName } = eventDatagrams
  return {
    host: '127.0.0.1',
    port,
    reusePort: false,
    malformed: 'status',
    payloadBytesMax: 1_232,
    inFlightRequestsMax: 10,
    inFlightBytesMax: 10_000,
    unsentMax: 10,
    bufferBytes: 65_536,
    bindTimeoutMs: 5_000,
    rebindDelayMs: 100,
    limits,
    protocol: {
      moduleUrl,
      exportName,
      options: { payloadBytesMax: 1_232, commands: { moduleUrl: commands.moduleUrl, exportName: 'commands' } },
    },
    secret: Buffer.alloc(32),
    figures: createDatagramFigures(1),
    ...changes,
  }
}

t.test('compiled and live agree on every branch and on seeded walks', t => {
  const agreement = assertChartAgrees(t, datagramMachine, {
    input: () => inputFor(1),
    events: [
      { type: 'datagram.bound' },
      { type: 'datagram.bound' },
      { type: 'datagram.bindFailed', error: 'taken' },
      { type: 'datagram.bindFailed', error: 'taken' },
      { type: 'datagram.unbound', error: 'broken' },
      { type: 'datagram.failed', error: 'cannot' },
      { type: 'datagram.whenBound' },
      { type: 'datagram.whenDrained' },
      { type: 'datagram.drain' },
      { type: 'datagram.drained' },
      { type: 'actor.shutdown' },
    ],
  })
  t.ok(agreement.configurations >= 6)
  t.end()
})

/** An actor at a port of its own, and the sockets that it makes. */
interface Running {
  readonly system: System
  readonly clock: ReturnType<typeof createVirtualClock>
  readonly port: number
  readonly sender: Sender
  /** The newest of its sockets. */
  readonly socket: Socket
  /** Settles when it is in that state. */
  until(value: unknown): Promise<{ readonly attempts: number; readonly error: unknown }>
}

const ref = (system: System) => system.ref(datagram, 'u0')

async function start(t: Test): Promise<Running> {
  const clock = createVirtualClock(1_000)
  const system = await createSystem({ shards: 0, clock, logger: createLogger({ level: 'silent' }) })
  t.teardown(() => system.stop())
  await system.spawn(gate, { id: 'gate' })
  const sockets: Socket[] = []
  const note = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket)
  const port = await freePort()
  const { figures, ...input } = inputFor(port)
  subscribe('udp.socket', note)
  t.teardown(() => unsubscribe('udp.socket', note))
  await system.spawn(datagram, { id: 'u0', input: { ...input, figures } })
  await ref(system).ask({ type: 'datagram.whenBound' }, { timeoutMs: 1_000 })
  unsubscribe('udp.socket', note)
  const [first] = sockets
  subscribe('udp.socket', note)
  const sender = await startSender(t, port, () => new Float64Array(figures)[0]!)
  const mine = (socket: Socket): boolean => {
    try {
      return socket.address().port === port
    } catch {
      return false
    }
  }
  return {
    system,
    clock,
    port,
    sender,
    get socket() {
      return sockets.findLast(mine) ?? first!
    },
    async until(value) {
      for (;;) {
        const state = await ref(system).inspect()
        if (JSON.stringify(state?.value) === JSON.stringify(value)) return state!.context as never
        await new Promise(resolve => setImmediate(resolve))
      }
    },
  }
}

async function freePort(): Promise<number> {
  const socket = await bindSocket({ host: '127.0.0.1', port: 0, reusePort: false, bufferBytes: 65_536 })
  const { port } = socket.address()
  await new Promise<void>(closed => socket.close(closed))
  return port
}

/** Takes a port in this very turn. */
function take(t: Test, port: number): Socket {
  const socket = createSocket({ type: 'udp4', lookup: (name, _options, found) => found(null, name, 4) })
  socket.bind(port, '127.0.0.1')
  t.teardown(() => close(socket))
  return socket
}

function broken(code: string): Error {
  return Object.assign(new Error(code), { code })
}

const request = (sessionId: number, command = 0) =>
  encodeEventRequest({ command, sessionId, body: Buffer.from(`body ${sessionId}`) })

t.test('a socket that breaks is replaced, and answers what came by the one before', async t => {
  const { system, socket, sender, until } = await start(t)
  await sender.send(request(1, number.wait))
  socket.emit('error', broken('EBADF'))
  t.match(await until('serving'), { attempts: 0, error: undefined })
  t.match(decodeEventResponse(await sender.ask(request(2))), { status: 0, sessionId: 2 })
  system.ref(gate, 'gate').send({ type: 'gate.open', later: 1 })
  t.match(decodeEventResponse(await sender.answer()), { status: 0, sessionId: 1, body: Buffer.from('body 1') })
})

t.test('an error that passes leaves the socket as it is', async t => {
  const running = await start(t)
  const { socket, sender } = running
  for (const code of ['ENOBUFS', 'ECONNREFUSED', 'EMSGSIZE']) socket.emit('error', broken(code))
  t.match(decodeEventResponse(await sender.ask(request(1))), { status: 0 })
  t.equal(running.socket, socket)
})

t.test('an address that was lost is tried for again, each time later', async t => {
  const { clock, socket, port, sender, until } = await start(t)
  socket.emit('error', broken('EBADF'))
  const taken = take(t, port)
  const rebinding = { opening: 'rebinding' }
  t.match(await until(rebinding), { attempts: 1, error: { code: 'PORT_IN_USE' } })
  for (const [attempts, waitMs] of [
    [1, 100],
    [2, 200],
    [3, 400],
  ] as const) {
    await clock.advance(waitMs - 1)
    t.match(await until(rebinding), { attempts })
    await clock.advance(1)
    for (let context = await until(rebinding); context.attempts === attempts; ) context = await until(rebinding)
  }
  close(taken)
  await clock.advance(800)
  t.match(await until('serving'), { attempts: 0, error: undefined })
  t.match(decodeEventResponse(await sender.ask(request(1))), { status: 0 })
})

t.test('an address that stays lost ends the actor, whose next incarnation goes on trying', async t => {
  const { system, clock, socket, port, sender, until } = await start(t)
  const ended = new Promise(resolve => system.watch('u0', resolve))
  socket.emit('error', broken('EBADF'))
  const taken = take(t, port)
  await until({ opening: 'rebinding' })
  for (let leftMs = 5_000; leftMs > 0; leftMs -= 50) await clock.advance(50)
  t.match(await ended, {
    reason: { type: 'threw', error: { code: 'PORT_IN_USE', details: { transport: 'udp', port } } },
  })
  t.match(await until({ opening: 'rebinding' }), { attempts: 1 })
  close(taken)
  await clock.advance(100)
  await until('serving')
  t.equal((await ref(system).inspect())?.incarnation, 2)
  t.match(decodeEventResponse(await sender.ask(request(1))), { status: 0 })
})

t.test('it ends at once when it has no socket', async t => {
  const { system, socket, port, until } = await start(t)
  socket.emit('error', broken('EBADF'))
  take(t, port)
  await until({ opening: 'rebinding' })
  await system.stopActor('u0')
  t.equal(await ref(system).inspect(), undefined)
})

t.test('a command that does not end keeps a stop for so long and no longer', async t => {
  const { system, clock, sender, until } = await start(t)
  await sender.send(request(1, number.wait))
  const stopped = system.stopActor('u0')
  await until('draining')
  t.match(decodeEventResponse(await sender.ask(request(2))), { status: 6, sessionId: 2 })
  await clock.advance(1_999)
  await until('draining')
  await clock.advance(1)
  await stopped
  t.equal(await ref(system).inspect(), undefined)
})

t.test('a protocol that cannot be loaded or made ends it with the reason', async t => {
  const system = await createSystem({ shards: 0, logger: createLogger({ level: 'silent' }) })
  t.teardown(() => system.stop())
  const { protocol } = inputFor(0)
  const faults: readonly [string, DatagramInput['protocol']][] = [
    ['DEFINITION_NOT_FOUND', { ...protocol, exportName: 'none' }],
    ['BAD_CONFIG', { ...protocol, options: { payloadBytesMax: 31 } }],
  ]
  for (const [code, wrong] of faults) {
    const failing = await system.spawn(datagram, {
      id: code,
      restart: 'temporary',
      input: inputFor(0, { protocol: wrong }),
    })
    const asked = failing.ask({ type: 'datagram.whenBound' }, { timeoutMs: 5_000 })
    await t.rejects(asked, { code: 'ACTOR_DIED', cause: { code } })
  }
})
