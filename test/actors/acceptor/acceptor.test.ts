/** The life of an acceptor and of the listener that hands over sockets, as actors, on one thread and virtual time. */
import { threadId } from 'node:worker_threads'
import t from 'tap'
import { resolveAcceptorInput } from '../../../src/actors/acceptor/config.ts'
import { createServerCounters, readServerCounters } from '../../../src/actors/acceptor/counters.ts'
import { handoffListenerIo } from '../../../src/actors/acceptor/handoff.ts'
import { acceptorIo } from '../../../src/actors/acceptor/io.ts'
import { acceptorMachine } from '../../../src/actors/acceptor/machine.ts'
import { probeAddress } from '../../../src/actors/acceptor/probe.ts'
import { createConnections } from '../../../src/actors/connection/connections.ts'
import { createVirtualClock } from '../../../src/actors/runtime/clock.ts'
import { type ProtocolReference, protocolReference } from '../../../src/actors/serving/protocol.ts'
import { encodeEventRequest } from '../../../src/messages/index.ts'
import { eventProtocol } from '../../../src/protocols/event/event-protocol.ts'
import { until } from '../connection/event-shard.ts'
import { assertChartAgrees } from '../runtime/chart-equivalence.ts'
import { connectClient } from './event-client.ts'
import { startTestActor } from './test-actor.ts'

const hello = encodeEventRequest({ sessionId: 7, body: Buffer.from('hello') })
const counters = createServerCounters(2, 3)
const inputFor = (
  port: number,
  accept: 'reusePort' | 'handoff',
  listener = 'events',
  protocol: ProtocolReference = protocolReference(eventProtocol, {}),
) =>
  resolveAcceptorInput(
    { port, accept, protocol },
    { shards: 2, platform: 'linux', handoff: { threadId, listener }, counters },
  )

t.test('the chart agrees with its compiled form on every branch', async t => {
  const types = [
    'acceptor.drain',
    'actor.shutdown',
    'acceptor.bound',
    'acceptor.bindFailed',
    'acceptor.unbound',
    'acceptor.drained',
    'acceptor.whenBound',
    'acceptor.whenDrained',
  ]
  assertChartAgrees(t, acceptorMachine, {
    input: () => inputFor(0, 'handoff'),
    events: types.map(type => ({ type, port: 1, error: 'why' })),
  })
})

t.test('it binds, serves, drains and closes; a shutdown drains first', async t => {
  for (const command of ['acceptor.drain', 'actor.shutdown']) {
    const clock = createVirtualClock()
    const acceptor = startTestActor(acceptorMachine, acceptorIo(createConnections), inputFor(0, 'reusePort'), { clock })
    await acceptor.reached('listening')
    const client = await connectClient(acceptor.context.port!, false)
    client.write(hello)
    t.equal((await client.response()).status, 0)
    client.write(hello)
    acceptor.send({ type: command })
    t.equal((await client.response()).status, 0, 'what was sent before the drain is served')
    await until(() => clock.pending > 0)
    const closed = client.closed()
    const isDrain = command === 'acceptor.drain'
    await turnUntil(acceptor.reached(isDrain ? 'drained' : 'closed'), () => clock.advance(50))
    if (isDrain) acceptor.send({ type: 'actor.shutdown' })
    await acceptor.reached('closed')
    t.equal(await closed, 'end')
    t.equal(readServerCounters(counters).connections, 0)
    const late = await connectClient(acceptor.context.port!)
    t.equal(await late.closed(), 'reset', 'nobody listens any more')
    await acceptor.stop()
  }
})

t.test('a drain ends at its deadline, whoever is left', async t => {
  const clock = createVirtualClock()
  const input = inputFor(0, 'reusePort')
  const limits = { ...input.limits, drainTimeoutMs: 100, drainQuietMs: 10_000 }
  const acceptor = startTestActor(acceptorMachine, acceptorIo(createConnections), { ...input, limits }, { clock })
  await acceptor.reached('listening')
  const client = await connectClient(acceptor.context.port!)
  client.write(hello)
  await client.response()
  acceptor.send({ type: 'acceptor.drain' })
  acceptor.send({ type: 'actor.shutdown' })
  await clock.advance(99)
  await clock.advance(2)
  await acceptor.reached('closed')
  t.equal((await client.ended()).length, 0)
  await acceptor.stop()
})

t.test('it fails with the reason when it cannot listen or load its protocol', async t => {
  const clock = createVirtualClock()
  const missing = { moduleUrl: new URL('no-such.ts', import.meta.url).href, exportName: 'x', options: {} }
  const unnamed = { ...protocolReference(eventProtocol, {}), exportName: 'absent' }
  const bad = protocolReference(eventProtocol, { raidaId: 256 })
  const cases = [
    ['DEFINITION_NOT_FOUND', inputFor(0, 'reusePort', 'events', missing)],
    ['DEFINITION_NOT_FOUND', inputFor(0, 'reusePort', 'events', unnamed)],
    ['BAD_CONFIG', inputFor(0, 'reusePort', 'events', bad)],
    ['LISTEN_FAILED', { ...inputFor(0, 'reusePort'), host: '192.0.2.1' }],
    ['LISTEN_FAILED', inputFor(0, 'handoff', 'nobody')],
    ['LISTEN_FAILED', { ...inputFor(0, 'handoff'), handoff: { threadId: 99_999, listener: 'events' } }],
  ] as const
  for (const [code, input] of cases) {
    const acceptor = startTestActor(acceptorMachine, acceptorIo(createConnections), input, { clock })
    await acceptor.reached('failed')
    t.match(acceptor.runtime.failures, [{ code }])
    await acceptor.stop()
  }
})

t.test('ending it without a drain frees port and counters at once', async t => {
  const clock = createVirtualClock()
  const acceptor = startTestActor(acceptorMachine, acceptorIo(createConnections), inputFor(0, 'reusePort'), { clock })
  await acceptor.reached('listening')
  const client = await connectClient(acceptor.context.port!)
  client.write(hello)
  await client.response()
  t.equal(readServerCounters(counters).connections, 1)
  await acceptor.stop()
  t.equal(readServerCounters(counters).connections, 0)
  t.equal(await probeAddress('127.0.0.1', acceptor.context.port!), acceptor.context.port)
  await client.ended()
  client.socket.destroy()
})

t.test('handoff: the listener holds what comes before a shard does, and deals out in turn', async t => {
  const clock = createVirtualClock()
  const listener = startTestActor(acceptorMachine, handoffListenerIo, inputFor(0, 'handoff', 'turns'), { clock })
  await listener.reached('listening')
  const early = await connectClient(listener.context.port!)
  early.write(hello)
  const shards = [0, 1].map(shard =>
    startTestActor(acceptorMachine, acceptorIo(createConnections), inputFor(0, 'handoff', 'turns'), { clock, shard }),
  )
  for (const shard of shards) await shard.reached('listening')
  t.equal(shards[0]!.context.port, listener.context.port)
  t.equal((await early.response()).status, 0, 'it waited for the first shard')
  const clients = [early]
  for (let index = 0; index < 9; index++) clients.push(await connectClient(listener.context.port!))
  for (const client of clients) client.write(hello)
  for (const client of clients) t.equal((await client.response()).status, 0)
  const [zero, one] = [0, 1].map(slot => readServerCounters(counters, slot).connections)
  t.equal(zero! + one!, 10)
  t.ok(Math.abs(zero! - one!) <= 2, `${zero} and ${one}`)

  shards[0]!.send({ type: 'actor.shutdown' })
  await turnUntil(shards[0]!.reached('closed'), () => clock.advance(50))
  const later = await connectClient(listener.context.port!)
  later.write(hello)
  t.equal((await later.response()).status, 0, 'the other shard goes on')

  listener.send({ type: 'actor.shutdown' })
  await listener.reached('closed')
  later.write(hello)
  t.equal((await later.response()).status, 0, 'connections outlive the listener')
  for (const client of [...clients, later]) client.socket.destroy()
  for (const actor of [listener, ...shards]) await actor.stop()
})

t.test('handoff: a listener that fails is found again, and the connections live on', async t => {
  const clock = createVirtualClock()
  const input = inputFor(await probeAddress('127.0.0.1', 0), 'handoff', 'again')
  const first = startTestActor(acceptorMachine, handoffListenerIo, input, { clock })
  await first.reached('listening')
  const shard = startTestActor(acceptorMachine, acceptorIo(createConnections), input, { clock })
  await shard.reached('listening')
  const client = await connectClient(input.port)
  client.write(hello)
  await client.response()
  await first.stop()
  await shard.reached('rebinding')
  await clock.advance(250)
  const second = startTestActor(acceptorMachine, handoffListenerIo, input, { clock })
  await second.reached('listening')
  await turnUntil(shard.reached('listening'), () => clock.advance(50))
  client.write(hello)
  t.equal((await client.response()).status, 0)
  const other = await connectClient(input.port)
  other.write(hello)
  t.equal((await other.response()).status, 0)
  client.socket.destroy()
  other.socket.destroy()
  for (const actor of [second, shard]) await actor.stop()
})

/** Repeats `turn` until `promise` settles. */
async function turnUntil(promise: Promise<void>, turn: () => Promise<void>): Promise<void> {
  let settled = false
  void promise.then(() => {
    settled = true
  })
  for (let count = 0; !settled && count < 1_000; count++) await turn()
  await promise
}
