/** Event servers over UDP, on live systems: one port, every shard, cookies, kills and ends. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { probeDatagrams } from '../../src/actors/datagram/socket.ts'
import { createRandom, createVirtualClock } from '../../src/actors/runtime/clock.ts'
import { protocolReference } from '../../src/actors/serving/protocol.ts'
import {
  createEventClient,
  createEventServer,
  createSystem,
  type EventClient,
  type EventClientUdpOptions,
  type EventServer,
  type EventServerOptions,
  type System,
} from '../../src/index.ts'
import { createLogger } from '../../src/logger.ts'
import { decodeEventResponse, encodeEventRequest } from '../../src/messages/index.ts'
import { eventProtocol } from '../../src/protocols/event/event-protocol.ts'
import { datagram } from '../../src/services/datagrams.ts'
import { createFrameServer, type PortSharers } from '../../src/services/frame-server.ts'
import { internalsOf } from '../../src/supervisor/system.ts'
import { connectClient } from '../actors/acceptor/event-client.ts'
import { certificate, privateKey } from '../actors/acceptor/test-certificate.ts'
import { startSender } from '../actors/datagram/datagram-shard.ts'
import { commands, number } from './fixtures/commands.ts'
import { eventually, serveCommands } from './fixtures/served.ts'

t.setTimeout(180_000)

const soon = { timeoutMs: 20_000 }

async function createTestSystem(t: Test, shards: number): Promise<System> {
  const system = await createSystem({ shards, logger: createLogger({ level: 'silent' }) })
  t.teardown(() => system.stop())
  return system
}

async function serve(t: Test, shards: number, options: Partial<EventServerOptions> = {}) {
  const system = await createTestSystem(t, shards)
  const server = createEventServer(system, { port: 0, ...options })
  const { port } = await server.start()
  return { system, server, port }
}

function clientOf(t: Test, port: number, options: Partial<EventClientUdpOptions> = {}): EventClient {
  const client = createEventClient({ port, transport: 'udp', ...options })
  t.teardown(() => client.close({ timeoutMs: 0 }))
  return client
}

/** A UDP socket of the test's own. */
async function socketOf(t: Test, port: number, address = '127.0.0.1'): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(port, address)
  await once(socket, 'listening')
  t.teardown(() => {
    try {
      socket.close()
    } catch {
      // The test has closed it.
    }
  })
  return socket
}

function udpOf(server: EventServer) {
  return server.stats().udp!
}

/** Settles when the datagram actor at `address` has its socket; asks again while it dies or is not there. */
async function untilServing(system: System, address: string): Promise<void> {
  for (;;) {
    try {
      await system.ref(datagram, address).ask({ type: 'datagram.whenBound' }, { timeoutMs: 10_000 })
      return
    } catch {
      await new Promise(resolve => setImmediate(resolve))
    }
  }
}

const cookieFrom = (challenge: Buffer): Buffer => challenge.subarray(16)

t.test('a command that takes long runs once, however often the client repeats the request', async t => {
  const { server, gate } = await serveCommands(t, 2)
  const client = clientOf(t, server.address!.port, { resend: { initialMs: 5, maxMs: 5 } })
  for (const command of [number.wait, number.waitInPool]) {
    const name = `slow ${command}`
    const answer = client.request(command, name, soon)
    // A repeat that met the answer of the one before on its way is none, and waits here as well.
    const waiting = async () => {
      const all = await gate.ask({ type: 'gate.look' }, soon)
      return all.waiting.filter(other => other === name)
    }
    while ((await waiting()).length === 0);
    const { repeated } = udpOf(server)
    await eventually(() => udpOf(server).repeated > repeated + 5)
    t.same(await waiting(), [name])
    gate.send({ type: 'gate.open', later: 0 })
    t.equal(String((await answer).body), name)
  }
  gate.send({ type: 'gate.open', later: 1_000 })
})

for (const shards of [0, 2]) {
  t.test(`${shards} shards: the client is answered over UDP by what answers over TCP`, async t => {
    const { server } = await serveCommands(t, shards)
    const { port } = server.address!
    const client = clientOf(t, port)
    const bodies = Array.from({ length: 300 }, (_, n) => `${n}`.padStart(n * 4, '.'))
    for (let from = 0; from < bodies.length; from += 50) {
      const some = bodies.slice(from, from + 50)
      t.same((await Promise.all(some.map(body => client.echo(body, soon)))).map(String), some)
    }
    t.equal((await client.ping(soon)).serverTimeMs > 0, true)
    for (const command of [number.reverse, number.reverseInPool]) {
      t.equal(String((await client.request(command, 'abc', soon)).body), 'cba')
    }
    const [code, details] = ['REQUEST_REFUSED', { statusName: 'unknownCommand' }]
    await t.rejects(client.request(4_711, 'x', soon), { code, details })
    await t.rejects(client.request(number.fail, '', soon), { code: 'REQUEST_FAILED', details: { status: 9 } })
    t.match(udpOf(server), { challenged: 0, malformed: 0, failed: 0, silent: 0, inFlight: 0 })
    t.match(client.stats(), { failed: 2, open: 0, servers: [{ failures: 0 }] })
  })

  t.test(`${shards} shards: the client brings the cookie that a long answer takes, and keeps it`, async t => {
    const { server } = await serveCommands(t, shards)
    const client = clientOf(t, server.address!.port, { resend: { initialMs: 5_000, maxMs: 5_000 } })
    for (const command of [number.where, number.whereInPool, number.where]) {
      const { transport, peerAddress } = JSON.parse(String((await client.request(command, '', soon)).body))
      t.same([transport, peerAddress], ['udp', '127.0.0.1'])
    }
    t.equal(String(await client.echo('with a cookie', soon)), 'with a cookie')
    const longest = Buffer.alloc(1_200, 'longest')
    t.ok(longest.equals(await client.echo(longest, soon)))
    // The greeting, five requests, and the first of them once more.
    t.match(udpOf(server), { received: 7, requests: 7, sent: 7, challenged: 1, unproven: 0 })
  })

  t.test(`${shards} shards: an actor that is killed comes back at the same port, and nothing hangs`, async t => {
    const { system, server, gate, untilWaiting } = await serveCommands(t, shards)
    const { port } = server.address!
    const client = clientOf(t, port, { resend: { initialMs: 20, maxMs: 100 } })
    const tcp = await connectClient(port, false)
    t.teardown(() => tcp.socket.destroy())
    const names = shards === 0 ? ['u0'] : ['u0', 'u1']
    const held = client.request(number.wait, 'held', soon)
    await untilWaiting(1)
    for (const name of names) {
      t.equal(await system.kill(`events/${name}`), true)
      await untilServing(system, `events/${name}`)
      t.equal(String(await client.echo(name, soon)), name)
    }
    t.match(await system.tree({ under: 'events' }), [
      { address: 'events' },
      ...(shards === 0 ? [{ address: 'events/listener' }] : []),
      { address: 'events/pool' },
      ...names.map((_, shard) => ({ address: `events/s${shard}`, incarnation: 1 })),
      ...names.map(name => ({ address: `events/${name}`, incarnation: 2, value: 'serving', definition: 'datagram' })),
    ])
    // The request was in the hand of one that is gone: repeated, it is in that of the next.
    gate.send({ type: 'gate.open', later: 100 })
    t.equal(String((await held).body), 'held')
    tcp.write(encodeEventRequest({ sessionId: 1 }))
    t.match(await tcp.response(), { status: 0, sessionId: 1 }, 'nobody else notices')
    await eventually(() => udpOf(server).inFlight === 0)
  })

  t.test(`${shards} shards: a stop answers what is in hand and refuses what comes`, async t => {
    const { server, gate, untilWaiting } = await serveCommands(t, shards)
    const { port } = server.address!
    const sender = await startSender(t, port, () => udpOf(server).received)
    await sender.send(encodeEventRequest({ command: number.wait, sessionId: 1, body: Buffer.from('in hand') }))
    await untilWaiting(1)
    const stopped = server.stop()
    // Those that come before the stop has reached their shard are answered.
    for (let status = 0; status !== 6; ) status = (await sender.ask(encodeEventRequest({ sessionId: 2 })))[1]!
    gate.send({ type: 'gate.open', later: 0 })
    for (let answer = await sender.answer(); ; answer = await sender.answer()) {
      const { sessionId, status, body } = decodeEventResponse(answer)
      if (sessionId === 2) continue
      t.match({ sessionId, status, text: String(body) }, { sessionId: 1, status: 0, text: 'in hand' })
      break
    }
    await stopped
    t.match(udpOf(server), { inFlight: 0 })
    t.ok(udpOf(server).overloaded > 0)
    // The port is free, and a server may have it again.
    const socket = await socketOf(t, port)
    await new Promise<void>(closed => socket.close(closed))
    t.equal((await server.start()).port > 0, true)
    t.equal(String(await clientOf(t, server.address!.port).echo('again', soon)), 'again')
  })
}

t.test('a shard that is killed is replaced with its socket, and a rolling restart loses none', async t => {
  const { system, server, port } = await serve(t, 2)
  const client = clientOf(t, port, { resend: { initialMs: 20, maxMs: 100 } })
  await internalsOf(system).shards!.worker(0)!.terminate({ type: 'killed' })
  await untilServing(system, 'events/u0')
  const echoes = async () => {
    for (let n = 0; n < 20; n++) t.equal(String(await client.echo(`${n}`, soon)), `${n}`)
  }
  await echoes()
  await Promise.all([system.rollingRestart(), echoes()])
  for (const name of ['u0', 'u1']) await untilServing(system, `events/${name}`)
  await echoes()
  t.match(server.stats(), { udp: { failed: 0, malformed: 0 } })
})

t.test('a cookie of one shard is good on the others, and after a restart', async t => {
  const { server } = await serveCommands(t, 2)
  const { port } = server.address!
  const ask = { command: number.where, body: Buffer.alloc(0) }
  const senders = await Promise.all(Array.from({ length: 8 }, () => startSender(t, port, () => udpOf(server).received)))
  const cookies = []
  for (const sender of senders) cookies.push(cookieFrom(await sender.ask(encodeEventRequest(ask))))
  t.equal(udpOf(server).challenged, 8)
  for (const gone of ['u0', 'u1']) {
    await server.ref!.terminateChild(gone)
    for (const [index, sender] of senders.entries()) {
      const answer = await sender.ask(encodeEventRequest({ ...ask, reserved: 1, body: cookies[index]! }))
      t.equal(answer[1], 0, `without ${gone}`)
    }
    await server.ref!.restartChild(gone)
  }
  t.match(udpOf(server), { challenged: 8, unproven: 0 })
})

t.test('reflection: a spoofed source gets no more than three times what was sent in its name', async t => {
  const seed = 20_250_301
  const random = createRandom(seed)
  const { server } = await serveCommands(t, 2)
  const { port } = server.address!
  const received = () => udpOf(server).received
  const attacker = await startSender(t, port, received)
  const stolen = cookieFrom(await attacker.ask(encodeEventRequest({ command: number.where })))
  const sources: { readonly socket: Socket; sentBytes: number; gotBytes: number }[] = []
  let got = 0
  for (let n = 2; n < 18; n++) {
    const source = { socket: await socketOf(t, 0, `127.0.0.${n}`), sentBytes: 0, gotBytes: 0 }
    source.socket.on('message', bytes => {
      got++
      source.gotBytes += bytes.length
    })
    sources.push(source)
  }
  const below = (most: number) => Math.floor(random() * most)
  const bytesOf = (count: number) => Buffer.from(Array.from({ length: count }, () => below(256)))
  const shapes: readonly (() => Buffer)[] = [
    () => encodeEventRequest({ body: bytesOf(below(1_217)) }),
    () => encodeEventRequest({ command: 1, body: bytesOf(below(20)) }),
    () => encodeEventRequest({ command: number.where, body: bytesOf(below(80)) }),
    () => encodeEventRequest({ command: number.whereInPool, body: bytesOf(below(80)) }),
    () => encodeEventRequest({ command: number.constant }),
    () => encodeEventRequest({ command: 64 + below(65_000), raidaId: below(3) }),
    () => encodeEventRequest({ command: number.where, reserved: 1, body: bytesOf(16 + below(40)) }),
    () => encodeEventRequest({ command: number.where, reserved: 1, body: stolen }),
    () => encodeEventRequest({ body: bytesOf(40) }).subarray(0, below(56)),
    () => bytesOf(below(64)),
    () => {
      const bytes = encodeEventRequest({ command: number.where, body: bytesOf(below(80)) })
      // Not the low byte of the command: some of those of this server take their time.
      bytes[(4 + below(15)) % 16] = below(256)
      return bytes
    },
  ]
  const { sent: sentBefore } = udpOf(server)
  const before = received()
  const over: string[] = []
  for (let round = 1; round <= 100; round++) {
    for (const source of sources) {
      const bytes = shapes[below(shapes.length)]!()
      source.sentBytes = bytes.length
      source.gotBytes = 0
      source.socket.send(bytes, port, '127.0.0.1')
    }
    // Each gets one answer, or silence.
    await eventually(() => {
      const { received, sent, silent } = udpOf(server)
      return received - before === round * sources.length && sent + silent === received && got === sent - sentBefore
    })
    for (const { sentBytes, gotBytes } of sources) {
      if (gotBytes > 3 * sentBytes) over.push(`round ${round}: ${gotBytes} bytes for ${sentBytes}`)
    }
  }
  t.same(over.slice(0, 5), [], `seed ${seed}`)
  const { challenged, silent, unproven, sent, failed, dropped } = udpOf(server)
  t.ok(challenged > 200 && silent > 20 && unproven > 80, `${challenged} ${silent} ${unproven}`)
  t.ok(sent > 1_200, `${sent} answers`)
  t.same([failed, dropped], [0, 0])
})

t.test('port 0 is one number that is free for TCP and UDP', async t => {
  const system = await createTestSystem(t, 0)
  const servers = Array.from({ length: 5 }, (_, n) => createEventServer(system, { id: `events${n}`, port: 0 }))
  for (const server of servers) {
    const { port } = await server.start()
    t.equal(String(await clientOf(t, port).echo('udp', soon)), 'udp')
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.destroy()
  }

  // Whatever number is found for TCP, this test has it for UDP; until it has enough.
  const tried: number[] = []
  const sharers: PortSharers = {
    async probe(host, port) {
      tried.push(port)
      // One that somebody else has is as good.
      if (tried.length !== 3) await socketOf(t, port).catch(() => {})
      await probeDatagrams(host, port)
    },
    children: () => [],
    whenBound: async () => {},
    drain: async () => {},
  }
  const parts = { check: async () => {}, before: [], whenReady: async () => {}, sharers, figures: () => ({}) }
  const protocol = protocolReference(eventProtocol, {})
  const server = createFrameServer(system, 'greedy', { port: 0, protocol }, parts)
  t.equal((await server.start()).port, tried.at(-1))
  t.ok(tried.length >= 3)
  await server.stop()
  const triedBefore = tried.length
  await t.rejects(createFrameServer(system, 'greedy', { port: 0, protocol }, parts).start(), { code: 'PORT_IN_USE' })
  t.equal(tried.length - triedBefore, 32, 'not for ever')
})

t.test('a port that is taken for UDP only is told so, and who has it', async t => {
  const system = await createTestSystem(t, 0)
  // One that is free for TCP: the system hands out ports of UDP without a look at those.
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  const taken = await socketOf(t, port)
  await new Promise(closed => listener.close(closed))
  const server = createEventServer(system, { port })
  await t.rejects(server.start(), {
    code: 'PORT_IN_USE',
    message: `127.0.0.1:${port} (UDP) is in use by `,
    details: { host: '127.0.0.1', port, transport: 'udp' },
  })
  const withoutUdp = createEventServer(system, { id: 'tcp', port, udp: { enabled: false } })
  t.equal((await withoutUdp.start()).port, port)
  t.equal(withoutUdp.stats().udp, undefined)
  t.match(await system.tree({ under: 'tcp' }), [{}, { address: 'tcp/listener' }, { address: 'tcp/s0' }])
  t.equal((await system.tree({ under: 'tcp' })).length, 3)
  await withoutUdp.stop()
  await new Promise<void>(closed => taken.close(closed))
  t.equal((await server.start()).port, port)
  // Two servers would share the port silently, if they were not looked for.
  const second = createEventServer(await createTestSystem(t, 2), { id: 'second', port: 0 })
  const { port: shared } = await second.start()
  await t.rejects(probeDatagrams('127.0.0.1', shared), {
    code: 'PORT_IN_USE',
    details: { transport: 'udp', pid: process.pid },
  })
})

t.test('a server with TLS takes nothing in the clear unless it is told to', async t => {
  const tls = { cert: certificate, key: privateKey }
  const { server, port } = await serve(t, 0, { tls })
  t.equal(server.stats().udp, undefined)
  const socket = await socketOf(t, port)
  await new Promise<void>(closed => socket.close(closed))
  const told = createEventServer(await createTestSystem(t, 0), { port: 0, tls, udp: { enabled: true } })
  const address = await told.start()
  t.equal(String(await clientOf(t, address.port).echo('clear', soon)), 'clear')
})

t.test('the client brings a cookie for as long as the server takes it', async t => {
  // The last millisecond of a period: no cookie lives shorter.
  const clock = createVirtualClock(60_000 * 20_000_000 - 1)
  const system = await createSystem({ shards: 0, clock, logger: createLogger({ level: 'silent' }) })
  t.teardown(() => system.stop())
  const server = createEventServer(system, { port: 0, commands })
  const { port } = await server.start()
  const client = clientOf(t, port, { clock, pool: { idleTimeoutMs: 1_000_000 } })
  const ask = () => client.request(number.where, '', { timeoutMs: 1_000_000 })
  await ask()
  t.match(udpOf(server), { challenged: 1, unproven: 0 })
  await clock.advance(59_999)
  await ask()
  t.match(udpOf(server), { challenged: 1, unproven: 0 }, 'good to the end')
  await clock.advance(1)
  await ask()
  t.match(udpOf(server), { challenged: 2, unproven: 0 }, 'asked for anew, not refused')
})

t.test('IPv6 and names are served as they are for TCP', async t => {
  for (const host of ['::1', 'localhost', '0.0.0.0', '::']) {
    const { server, port } = await serve(t, 0, { host })
    const target = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
    const client = createEventClient({ host: target, port, transport: 'udp' })
    t.equal(String(await client.echo(host, soon)), host)
    await client.close()
    await server.stop()
  }
})

t.test('options that cannot be used are told before anything starts', async t => {
  const system = await createTestSystem(t, 0)
  const faults: readonly [string, unknown][] = [
    ['udp', 7400],
    ['udp.enabled', { enabled: 'yes' }],
    ['udp.malformed', { malformed: 'ignore' }],
    ['udp.payloadBytesMax', { payloadBytesMax: 63 }],
    ['udp.payloadBytesMax', { payloadBytesMax: 65_508 }],
    ['udp.inFlightRequestsMax', { inFlightRequestsMax: 0 }],
    ['udp.inFlightBytesMax', { inFlightBytesMax: 1.5 }],
    ['udp.unsentMax', { unsentMax: -1 }],
    ['udp.payloadbytesMax', { payloadbytesMax: 100 }],
  ]
  for (const [option, udp] of faults) {
    const create = () => createEventServer(system, { port: 0, udp } as EventServerOptions)
    t.throws(create, { code: 'BAD_CONFIG', details: { option } }, option)
  }
})

t.test('its state can be looked at, and shows no secret', async t => {
  const { system, port } = await serve(t, 1)
  const state = await system.ref(datagram, 'events/u0').inspect()
  t.match(state, { definition: 'datagram', value: 'serving', shard: 0, context: { host: '127.0.0.1', port } })
  t.notOk(JSON.stringify(state).includes('secret'))
})
