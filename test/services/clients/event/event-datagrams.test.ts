/** The event client over UDP, against peers that do by script what servers and networks do. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { createEventClient, createVirtualClock, type EventClientUdpOptions } from '../../../../src/index.ts'
import { encodeEventResponse, eventStatus } from '../../../../src/messages/index.ts'
import { until } from '../../../actors/connection/event-shard.ts'
import { type Seen, startUdpPeer } from './udp-peer.ts'

const soon = { timeoutMs: 10_000 }
const quickly = { initialMs: 5, maxMs: 20 }

function clientOf(t: Test, ports: readonly number[], options: Partial<EventClientUdpOptions> = {}) {
  const servers = ports.map(port => `127.0.0.1:${port}`)
  const client = createEventClient({ servers, transport: 'udp', resend: quickly, ...options })
  t.teardown(() => client.close({ timeoutMs: 0 }))
  return client
}

/** Lets what was sent over loopback arrive. */
async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => setImmediate(resolve))
}

function echo(seen: Seen): void {
  seen.answer(eventStatus.ok, seen.body)
}

t.test('requests are answered, each by its own answer, in whatever order answers come', async t => {
  const waiting: Seen[] = []
  const peer = await startUdpPeer(t, seen => {
    if (!waiting.some(({ request }) => request.sessionId === seen.request.sessionId)) waiting.push(seen)
    if (waiting.length === 50) for (const one of waiting.splice(0).reverse()) echo(one)
  })
  const client = clientOf(t, [peer.port], { resend: { initialMs: 5_000, maxMs: 5_000 } })
  const bodies = Array.from({ length: 50 }, (_, n) => `body ${n}`)
  const answers = await Promise.all(bodies.map(body => client.echo(body, soon)))
  t.same(answers.map(String), bodies)
  t.equal(new Set(peer.seen.map(({ request }) => request.sessionId)).size, 50)
  t.match(client.stats(), {
    requests: 50,
    answered: 50,
    open: 0,
    servers: [{ connections: 1, inFlight: 0, failures: 0 }],
  })
})

t.test('a request that its server gave up on is not sent again unless that does no harm', async t => {
  const peer = await startUdpPeer(t, seen => seen.answer(eventStatus.timeout))
  const client = clientOf(t, [peer.port], { resend: { initialMs: 5_000, maxMs: 5_000 }, retry: { maxMs: 1 } })
  await t.rejects(client.request(9, 'once', soon), { code: 'SERVER_TIMEOUT', handled: 'unknown' })
  t.equal(peer.seen.length, 1)
})

t.test('a datagram that is lost is sent again, at growing intervals, until it is answered', async t => {
  const peer = await startUdpPeer(t, (seen, index) => {
    if (index === 6) echo(seen)
  })
  const clock = createVirtualClock(1_000)
  // Without chance an interval is as long as it may be.
  const client = clientOf(t, [peer.port], { resend: { initialMs: 20, maxMs: 160 }, random: () => 0, clock })
  const answer = client.echo('again', soon)
  await until(() => peer.seen.length === 1)
  let count = 1
  for (const intervalMs of [20, 40, 80, 160, 160, 160]) {
    await clock.advance(intervalMs - 1)
    await turns()
    t.equal(peer.seen.length, count, 'not before')
    await clock.advance(1)
    count++
    await until(() => peer.seen.length === count)
  }
  t.equal(String(await answer), 'again')
  t.equal(new Set(peer.seen.map(({ request }) => request.sessionId)).size, 1)
})

t.test('the second answer to a request, and what nobody asked for, is passed over', async t => {
  const peer = await startUdpPeer(t, seen => {
    const { sessionId, command } = seen.request
    const body = Buffer.from('not this')
    seen.send(Buffer.from('garbage'))
    seen.send(encodeEventResponse({ status: 0, command, sessionId: (sessionId + 1) >>> 0, body }))
    seen.send(encodeEventResponse({ status: 0, command: command + 1, sessionId, body }))
    const cut = encodeEventResponse({ status: 0, command, sessionId, body })
    seen.send(cut.subarray(0, cut.length - 1))
    seen.send(Buffer.concat([cut, Buffer.alloc(1)]))
    cut[0] = 2
    seen.send(cut)
    echo(seen)
    seen.answer(eventStatus.ok, body)
    seen.answer(eventStatus.handlerFailed)
  })
  const client = clientOf(t, [peer.port], { resend: { initialMs: 5_000, maxMs: 5_000 } })
  for (const body of ['one', 'two', 'three']) t.equal(String(await client.echo(body, soon)), body)
  t.match(client.stats(), { answered: 3, failed: 0, retries: 0, servers: [{ failures: 0 }] })
})

t.test('answers from another address are passed over', async t => {
  const forger = createSocket('udp4').bind(0, '127.0.0.1')
  t.teardown(() => forger.close())
  await once(forger, 'listening')
  const peer = await startUdpPeer(t, (seen, index) => {
    const { command, sessionId } = seen.request
    const forged = encodeEventResponse({ status: 0, command, sessionId, body: Buffer.from('forged') })
    // The true answer only comes once the forged ones have been sent for a while.
    if (index === 5) echo(seen)
    else forger.send(forged, seen.from.port, seen.from.address)
  })
  t.equal(String(await clientOf(t, [peer.port]).echo('true', soon)), 'true')
})

t.test('a cookie is brought as soon as it is asked for, and with every request of its life', async t => {
  const jar = { current: 'cookie of 16 B 1' }
  const peer = await startUdpPeer(t, seen => {
    if (seen.cookie === jar.current) echo(seen)
    else seen.answer(eventStatus.cookieRequired, Buffer.from(jar.current))
  })
  const client = clientOf(t, [peer.port], { resend: { initialMs: 5_000, maxMs: 5_000 } })
  t.equal(String(await client.echo('first', soon)), 'first')
  t.same(
    peer.seen.map(({ cookie }) => cookie),
    [undefined, jar.current],
    'without waiting for the interval',
  )
  t.equal(String(await client.echo('second', soon)), 'second')
  t.same(peer.seen.map(({ cookie }) => cookie).slice(2), [jar.current], 'remembered')
  const stale = jar.current
  jar.current = 'cookie of 16 B 2'
  t.equal(String(await client.echo('third', soon)), 'third')
  t.same(peer.seen.map(({ cookie }) => cookie).slice(3), [stale, jar.current], 'the next period has another')
  t.same([...new Set(peer.seen.map(({ body }) => String(body)))], ['first', 'second', 'third'])
})

t.test('a cookie is forgotten at the end of its life', async t => {
  const clock = createVirtualClock(1_000)
  const peer = await startUdpPeer(t, seen => {
    if (seen.cookie === undefined) seen.answer(eventStatus.cookieRequired, Buffer.alloc(16, 'c'))
    else echo(seen)
  })
  const client = clientOf(t, [peer.port], { clock, pool: { idleTimeoutMs: 1_000_000 } })
  await client.echo('a', soon)
  await clock.advance(59_999)
  await client.echo('b', soon)
  await clock.advance(1)
  await client.echo('c', soon)
  const brought = peer.seen.map(({ cookie, body }) => `${body} ${cookie === undefined ? 'without' : 'with'}`)
  t.same(brought, ['a without', 'a with', 'b with', 'c without', 'c with'])
})

t.test('a peer that never has enough of cookies gets a repeat an interval, not one an answer', async t => {
  const clock = createVirtualClock(1_000)
  const peer = await startUdpPeer(t, (seen, index) => {
    seen.answer(eventStatus.cookieRequired, Buffer.alloc(16, index + 1))
  })
  const client = clientOf(t, [peer.port], { resend: { initialMs: 40, maxMs: 40 }, random: () => 0, clock })
  const failed = client.echo('never', { timeoutMs: 150 }).catch(error => error)
  // The first, and the repeat at once.
  await until(() => peer.seen.length === 2)
  for (const count of [3, 4, 5]) {
    await turns()
    t.equal(peer.seen.length, count - 1)
    await clock.advance(40)
    await until(() => peer.seen.length === count)
  }
  await clock.advance(40)
  t.match(await failed, { code: 'REQUEST_TIMEOUT', handled: 'unknown' })
  const brought = peer.seen.map(({ cookie }) => cookie?.charCodeAt(0))
  t.same(brought, [undefined, 1, 2, 3, 4], 'each time the newest')
})

t.test('a request that is late after the server had given up on it tells what the server said', async t => {
  const peer = await startUdpPeer(t, (seen, index) => {
    if (index < 2) seen.answer(eventStatus.timeout)
  })
  const clock = createVirtualClock(1_000)
  const retry = { initialMs: 40, maxMs: 40 }
  const client = clientOf(t, [peer.port], { resend: { initialMs: 500, maxMs: 500 }, random: () => 0, clock, retry })
  const failed = client.request(16, 'slow', { timeoutMs: 100, idempotent: true }).catch(error => error)
  await until(() => peer.seen.length === 1 && client.stats().retries === 1)
  await clock.advance(40)
  await until(() => peer.seen.length === 2 && client.stats().retries === 2)
  await clock.advance(60)
  const said = `127.0.0.1:${peer.port} answered command 16 with status 7 (timeout)`
  t.match(await failed, {
    code: 'REQUEST_TIMEOUT',
    message: `command 16 was not answered within 100 ms; before that ${said}`,
    details: { timeoutMs: 100, attempts: 3 },
    cause: { code: 'SERVER_TIMEOUT', message: said, details: { status: 7, statusName: 'timeout' } },
  })
})

t.test('a status that is not ok rejects; one that will pass is tried again', async t => {
  const peer = await startUdpPeer(t, (seen, index) => {
    if (String(seen.body) === 'busy' && index < 2) seen.answer(eventStatus.overloaded)
    else if (String(seen.body) === 'busy') echo(seen)
    else seen.answer(eventStatus.unknownCommand)
  })
  const client = clientOf(t, [peer.port], { resend: { initialMs: 5_000, maxMs: 5_000 } })
  t.equal(String(await client.echo('busy', soon)), 'busy')
  t.equal(client.stats().retries, 2)
  await t.rejects(client.request(99, '', soon), {
    code: 'REQUEST_REFUSED',
    handled: /^no$/,
    details: { server: `127.0.0.1:${peer.port}`, status: 5, statusName: 'unknownCommand', command: 99 },
  })
})

t.test('sessions that are in flight are not used twice', async t => {
  const held: Seen[] = []
  const peer = await startUdpPeer(t, seen => void held.push(seen))
  // Chance that repeats itself makes the client draw again.
  const numbers = [0.1, 0.1, 0.5, 0.5, 0.5, 0.7, 0.7, 0.9]
  const random = () => numbers.shift() ?? 0.3
  const client = clientOf(t, [peer.port], { resend: { initialMs: 5_000, maxMs: 5_000 }, random })
  const own = client.request(7, 'own', { ...soon, sessionId: 42 })
  const drawn = [client.request(7, 'a', soon), client.request(7, 'b', soon)]
  await t.rejects(client.request(7, 'again', { ...soon, sessionId: 42 }), {
    code: 'BAD_CONFIG',
    handled: /^no$/,
    details: { option: 'sessionId', value: '42' },
  })
  await until(() => held.length === 3)
  for (const seen of held) echo(seen)
  t.same(
    (await Promise.all([own, ...drawn])).map(({ body }) => String(body)),
    ['own', 'a', 'b'],
  )
  t.equal(new Set(held.map(({ request }) => request.sessionId)).size, 3)
  t.equal(
    String((await Promise.all([client.request(7, 'c', { ...soon, sessionId: 42 }), nextOf(held, 3)]))[0].body),
    'c',
  )
})

async function nextOf(held: readonly Seen[], index: number): Promise<void> {
  await until(() => held.length > index)
  echo(held[index]!)
}

t.test('a body that does not fit is refused here', async t => {
  const peer = await startUdpPeer(t, echo)
  const client = clientOf(t, [peer.port])
  t.equal((await client.echo(Buffer.alloc(1_200), soon)).length, 1_200)
  await t.rejects(client.echo(Buffer.alloc(1_201), soon), {
    code: 'REQUEST_REFUSED',
    handled: /^no$/,
    details: { bodyBytes: 1_201, bodyBytesMax: 1_200 },
  })
  t.equal(peer.seen.length, 1)
})

t.test('requests go round the servers; those of one that is silent go to another', async t => {
  const first = await startUdpPeer(t, echo)
  let isMute = false
  const second = await startUdpPeer(t, seen => {
    if (!isMute) echo(seen)
  })
  const client = clientOf(t, [first.port, second.port], { pool: { silenceTimeoutMs: 100, connectTimeoutMs: 200 } })
  for (let n = 0; n < 20; n++) await client.echo(`${n}`, soon)
  t.ok(first.seen.length >= 5 && second.seen.length >= 5, `${first.seen.length} and ${second.seen.length}`)
  isMute = true
  second.socket.removeAllListeners('message')
  await Promise.all(Array.from({ length: 20 }, (_, n) => client.echo(`${n}`, soon)))
  t.equal(client.stats().failed, 0)
})

t.test('a server that is slow but there is left its requests; one that is not there is not', async t => {
  const clock = createVirtualClock(1_000)
  const held: Seen[] = []
  const peer = await startUdpPeer(t, seen => void held.push(seen))
  const client = clientOf(t, [peer.port], { pool: { silenceTimeoutMs: 700 }, random: () => 0, clock })
  const slow = client.echo('slow', soon)
  await until(() => held.length === 1)
  for (let ms = 0; ms < 5_000; ms += 20) {
    await clock.advance(20)
    await turns(2)
  }
  t.ok(peer.pings >= 9 && peer.pings <= 12, `${peer.pings} pings in 5 s`)
  t.equal(client.stats().servers[0]!.failures, 0)
  echo(held[0]!)
  t.equal(String(await slow), 'slow')

  const lost = client.echo('lost', soon).catch(error => error)
  peer.socket.removeAllListeners('message')
  for (let ms = 0; ms < 1_400; ms += 20) {
    await clock.advance(20)
    await turns(2)
  }
  t.match(client.stats(), { servers: [{ connections: 0 }], queued: 1 })
  await clock.advance(10_000)
  t.match(await lost, { code: 'REQUEST_TIMEOUT', handled: 'unknown' })
})

t.test('nobody there: the deadline says so, and that the request was not sent', async t => {
  const clock = createVirtualClock(1_000)
  const peer = await startUdpPeer(t, echo)
  peer.socket.close()
  await once(peer.socket, 'close')
  const client = clientOf(t, [peer.port], { clock })
  const failed = client.echo('x', { timeoutMs: 150 }).catch(error => error)
  await until(() => client.stats().servers[0]!.failures > 0)
  await clock.advance(150)
  t.match(await failed, {
    code: 'CONNECT_FAILED',
    handled: /^no$/,
    cause: { details: { server: `127.0.0.1:${peer.port}` } },
  })
})
