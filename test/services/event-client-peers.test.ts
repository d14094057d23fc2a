/** The event client over TCP, against peers that do by script what servers do at their worst. */
import t, { type Test } from 'tap'
import {
  createEventClient,
  createVirtualClock,
  type EventClient,
  type EventClientTcpOptions,
  isStarfishError,
  type StarfishError,
} from '../../src/index.ts'
import { eventStatus } from '../../src/messages/index.ts'
import { until } from '../actors/connection/event-shard.ts'
import { type Asked, answerTo, echoBack, startTcpPeer, stopPeer } from './clients/event/tcp-peer.ts'

const soon = { timeoutMs: 10_000 }
const once = { connectionsPerServer: 1 }

function clientOf(t: Test, ports: readonly number[], options: Partial<EventClientTcpOptions> = {}): EventClient {
  const client = createEventClient({ servers: ports.map(port => `127.0.0.1:${port}`), ...options })
  t.teardown(() => client.close({ timeoutMs: 0 }))
  return client
}

/** The errors of requests, all of which must fail. */
async function errorsOf(requests: readonly Promise<unknown>[]): Promise<StarfishError[]> {
  const settled = await Promise.allSettled(requests)
  return settled.map(result => {
    if (result.status === 'rejected' && isStarfishError(result.reason)) return result.reason
    throw new Error(`expected to fail: ${JSON.stringify(result)}`)
  })
}

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

t.test('a peer that never answers: every request settles at its deadline, and others do not wait for it', async t => {
  const clock = createVirtualClock(1_000)
  const peer = await startTcpPeer(t, { onRequest: () => {} })
  const client = clientOf(t, [peer.port], { clock, pool: once })
  const short = errorsOf([client.echo('a', { timeoutMs: 100 }), client.echo('b', { timeoutMs: 100 })])
  const long = errorsOf([client.echo('c', { timeoutMs: 300 })])
  await until(() => peer.asked.length === 3)
  await clock.advance(99)
  t.equal(client.stats().open, 3)
  await clock.advance(1)
  for (const error of await short) {
    t.match(error, { code: 'REQUEST_TIMEOUT', retryable: true, handled: 'unknown', details: { timeoutMs: 100 } })
  }
  t.equal(client.stats().open, 1)
  await clock.advance(200)
  t.equal((await long)[0]!.code, 'REQUEST_TIMEOUT')
  // The answers come after all, and the stream is still in step.
  for (const asked of peer.asked.slice(0, 3)) echoBack(asked)
  const late = client.echo('d', soon)
  await until(() => peer.asked.length === 4)
  echoBack(peer.asked[3]!)
  t.equal(String(await late), 'd')
  t.equal(peer.greetings, 1, 'on the same connection')
})

t.test('a peer that accepts and greets nobody is not sent a request, and is left at the connect timeout', async t => {
  const clock = createVirtualClock(1_000)
  const peer = await startTcpPeer(t, { onGreeting: () => {} })
  const client = clientOf(t, [peer.port], { clock, random: () => 0, pool: { ...once, connectTimeoutMs: 200 } })
  const failed = errorsOf([client.echo('x', { timeoutMs: 1_000 })])
  await until(() => peer.greetings === 1)
  await clock.advance(200)
  await until(() => peer.sockets.size === 0)
  await clock.advance(800)
  const [error] = await failed
  t.match(error, { code: 'CONNECT_FAILED', handled: /^no$/, cause: { details: { reason: 'no answer within 200 ms' } } })
  t.equal(peer.asked.length, 0)
})

t.test('a peer that falls silent loses its connection, and what it had in flight', async t => {
  const clock = createVirtualClock(1_000)
  const peer = await startTcpPeer(t, { onRequest: (asked, index) => index > 0 || echoBack(asked) })
  const client = clientOf(t, [peer.port], { clock, random: () => 0, pool: { ...once, silenceTimeoutMs: 1_000 } })
  await client.echo('first', soon)
  const failed = errorsOf([client.request(0, 'a', soon), client.request(0, 'b', soon)])
  await until(() => peer.asked.length === 3)
  await clock.advance(999)
  t.equal(client.stats().servers[0]!.connections, 1)
  await clock.advance(1)
  for (const error of await failed) {
    t.match(error, { code: 'CONNECTION_LOST', handled: 'unknown', details: { reason: 'nothing came for 1000 ms' } })
  }
  await until(() => peer.sockets.size === 0)
})

const ends: readonly [string, (asked: Asked) => void][] = [
  ['closes', ({ socket }) => void socket.end()],
  ['resets', ({ socket }) => void socket.resetAndDestroy()],
  [
    'cuts its answer off',
    ({ socket, request }) => void socket.end(answerTo(request, 0, Buffer.alloc(9)).subarray(0, 20)),
  ],
  ['cuts a header off', ({ socket, request }) => void socket.end(answerTo(request, 0, Buffer.alloc(9)).subarray(0, 7))],
]
for (const [name, end] of ends) {
  t.test(
    `a peer that ${name}: what was written may have been handled, and is only repeated when it may be`,
    async t => {
      const peer = await startTcpPeer(t, {
        onRequest: (asked, index) => (asked.text === 'bad' && index === 1 ? end(asked) : echoBack(asked)),
      })
      const client = clientOf(t, [peer.port], { pool: once })
      await client.echo('first', soon)
      const lost = errorsOf([client.request(0, 'bad', soon), client.request(0, 'behind', soon)])
      const repeated = client.request(0, 'bad', { ...soon, idempotent: true })
      for (const error of await lost) {
        t.match(error, { code: 'CONNECTION_LOST', retryable: true, handled: 'unknown' })
        t.match(error.details, { server: `127.0.0.1:${peer.port}` })
      }
      t.equal(Buffer.from((await repeated).body).toString(), 'bad')
      t.equal(client.stats().retries, 1)
      const texts = peer.asked.map(({ text }) => text)
      t.equal(texts.filter(text => text === 'behind').length <= 1, true, 'never twice')
    },
  )
}

const lies: readonly [string, (asked: Asked) => Buffer][] = [
  [
    'another session',
    ({ request }) => answerTo({ ...request, sessionId: (request.sessionId + 1) >>> 0 }, 0, request.body),
  ],
  ['another command', ({ request }) => answerTo({ ...request, command: request.command + 1 }, 0, request.body)],
  [
    'another version',
    ({ request }) => {
      const bytes = answerTo(request, 0, request.body)
      bytes[0] = 2
      return bytes
    },
  ],
  [
    'a body over the limit',
    ({ request }) => {
      const bytes = answerTo(request, 0, request.body)
      bytes.writeUInt32BE(1_001, 8)
      return bytes
    },
  ],
  ['garbage', () => Buffer.alloc(64, 'garbage!')],
]
for (const [name, lie] of lies) {
  t.test(`a peer that answers with ${name} is not read any further`, async t => {
    const peer = await startTcpPeer(t, {
      onRequest: asked => {
        // In pieces, so that the first does not say enough.
        if (asked.text === 'bad') for (const byte of lie(asked)) asked.socket.write(Buffer.of(byte))
        else echoBack(asked)
      },
    })
    const client = clientOf(t, [peer.port], { pool: once, answerBytesMax: 1_000 })
    const good = client.echo('good', soon)
    const [bad, behind] = await errorsOf([client.request(0, 'bad', soon), client.request(0, 'behind', soon)])
    t.equal(String(await good), 'good')
    for (const error of [bad, behind]) {
      t.match(error, { code: 'CONNECTION_LOST', handled: 'unknown', cause: { code: 'BAD_FRAME' } })
    }
    t.equal(String(await client.echo('again', soon)), 'again', 'on another connection')
    t.equal(peer.greetings, 2)
  })
}

t.test('an answer that nobody asked for ends the connection', async t => {
  const peer = await startTcpPeer(t)
  const client = clientOf(t, [peer.port], { pool: once })
  await client.echo('a', soon)
  const [asked] = peer.asked
  const closed = new Promise(resolve => asked!.socket.once('close', resolve))
  echoBack(asked!)
  await closed
  t.equal(String(await client.echo('b', soon)), 'b')
})

t.test('answers that come byte by byte are whole', async t => {
  const peer = await startTcpPeer(t, {
    onRequest: async ({ socket, request }) => {
      for (const byte of answerTo(request, 0, request.body)) {
        socket.write(Buffer.of(byte))
        await turn()
      }
    },
  })
  const client = clientOf(t, [peer.port], { pool: once })
  for (const body of ['', 'a', 'forty-two']) t.equal(String(await client.echo(body, soon)), body)
})

t.test('each status has its error, and says whether the request was handled', async t => {
  const peer = await startTcpPeer(t, { onRequest: asked => asked.answer(Number(asked.text)) })
  const client = clientOf(t, [peer.port], { retry: { ratio: 0, perSecond: 0, savedMax: 0 } })
  const table = {
    invalidPacketLength: ['REQUEST_REFUSED', 'no', false],
    memoryAlloc: ['SERVER_OVERLOADED', 'no', true],
    invalidHeader: ['REQUEST_REFUSED', 'no', false],
    bodyTooLarge: ['REQUEST_REFUSED', 'no', false],
    unknownCommand: ['REQUEST_REFUSED', 'no', false],
    overloaded: ['SERVER_OVERLOADED', 'no', true],
    timeout: ['SERVER_TIMEOUT', 'unknown', true],
    decryptFailed: ['REQUEST_REFUSED', 'no', false],
    handlerFailed: ['REQUEST_FAILED', 'unknown', false],
    cookieRequired: ['REQUEST_REFUSED', 'no', false],
    unknown: ['REQUEST_FAILED', 'unknown', false],
  } as const
  for (const [statusName, [code, handled, retryable]] of Object.entries(table)) {
    const status = { ...eventStatus, unknown: 200 }[statusName as keyof typeof table]
    const [error] = await errorsOf([client.request(77, `${status}`, { ...soon, sessionId: 5 })])
    const details = { server: `127.0.0.1:${peer.port}`, status, statusName, command: 77, sessionId: 5 }
    t.match(error, { code, handled, retryable, details }, statusName)
  }
  t.equal(Object.keys(table).length, Object.keys(eventStatus).length, 'every status but ok, and one of the future')
})

t.test('what is overloaded is tried again, as far as the budget goes', async t => {
  const peer = await startTcpPeer(t, {
    onRequest: (asked, index) => (index < 3 ? asked.answer(eventStatus.overloaded) : echoBack(asked)),
  })
  const client = clientOf(t, [peer.port], { pool: once, random: () => 0.999 })
  t.equal(String(await client.echo('busy', soon)), 'busy')
  t.match(client.stats(), { retries: 3, requests: 1, answered: 1 })

  const full = await startTcpPeer(t, { onRequest: asked => asked.answer(eventStatus.overloaded) })
  const storming = clientOf(t, [full.port], { retry: { perSecond: 0, ratio: 0.1, savedMax: 50 }, random: () => 0.999 })
  const errors = await errorsOf(Array.from({ length: 500 }, (_, n) => storming.echo(`${n}`, soon)))
  t.ok(errors.every(({ code }) => code === 'SERVER_OVERLOADED'))
  const { retries } = storming.stats()
  t.ok(retries >= 50 && retries <= 101, `${retries} retries of 500 requests`)
  t.equal(full.asked.length, 500 + retries)
})

t.test('a retry that was not handled does not make a request handled, one that may have been does', async t => {
  const peer = await startTcpPeer(t, {
    onRequest: (asked, index) => (index === 0 ? asked.socket.destroy() : asked.answer(eventStatus.unknownCommand)),
  })
  const client = clientOf(t, [peer.port])
  const [error] = await errorsOf([client.request(9, '', { ...soon, idempotent: true })])
  t.match(error, {
    code: 'REQUEST_REFUSED',
    handled: 'unknown',
    details: { attempts: 2, statusName: 'unknownCommand' },
  })
  const [again] = await errorsOf([client.request(9, '', { ...soon, idempotent: true })])
  t.match(again, { code: 'REQUEST_REFUSED', handled: /^no$/ })
})

t.test('a server that has no room for a connection says so before a request is sent', async t => {
  let isFull = true
  const peer = await startTcpPeer(t, {
    // As servers do: to what was asked, or to nobody in particular, and then the end.
    onGreeting: (asked, index) => {
      if (!isFull) asked.answer(eventStatus.ok, Buffer.alloc(8))
      else if (index % 2 === 0) asked.socket.end(answerTo(asked.request, eventStatus.overloaded, Buffer.alloc(0)))
      else
        asked.socket.end(
          answerTo({ ...asked.request, command: 0, sessionId: 0 }, eventStatus.overloaded, Buffer.alloc(0)),
        )
      if (index === 3) isFull = false
    },
  })
  const client = clientOf(t, [peer.port], { pool: { ...once, backoffInitialMs: 5 } })
  t.equal(String(await client.echo('patient', soon)), 'patient')
  t.equal(peer.greetings, 5)
  t.match(client.stats(), { retries: 0, servers: [{ failures: 0 }] })
})

t.test('an unasked "no room" later on: what was sent was not handled', async t => {
  const peer = await startTcpPeer(t, {
    onRequest: (asked, index) => {
      if (index > 0) echoBack(asked)
      else
        asked.socket.end(
          answerTo({ ...asked.request, command: 0, sessionId: 0 }, eventStatus.overloaded, Buffer.alloc(0)),
        )
    },
  })
  const client = clientOf(t, [peer.port], { pool: once })
  t.equal(String((await client.request(3, 'safe', soon)).body), 'safe')
  t.equal(client.stats().retries, 1)
})

t.test('a reader that is slow: requests wait here, bounded, and all are answered when it reads', async t => {
  const peer = await startTcpPeer(t, { onSocket: () => {} })
  const client = clientOf(t, [peer.port], {
    pool: { ...once, outputHighWaterBytes: 100_000, queueRequestsMax: 300, inFlightMax: 1_000_000 },
  })
  await client.echo('up', soon)
  const [socket] = peer.sockets
  socket!.pause()
  const body = Buffer.alloc(50_000, 'b')
  const requests: Promise<Uint8Array>[] = []
  const failures: unknown[] = []
  while (failures.length === 0) {
    const request = client.echo(body, soon)
    request.catch(error => failures.push(error))
    requests.push(request)
    await turn()
  }
  t.match(failures[0], { code: 'OVERLOADED', handled: /^no$/ })
  const { queued, queuedBytes } = client.stats()
  t.equal(queued, 300)
  t.equal(queuedBytes, 300 * 50_016)
  socket!.resume()
  const settled = await Promise.allSettled(requests)
  t.equal(settled.filter(({ status }) => status === 'rejected').length, failures.length)
  t.ok(settled.every(result => result.status === 'rejected' || body.equals(result.value)))
})

t.test('the queue is bounded in bytes too, and what waits leaves it at its deadline', async t => {
  const clock = createVirtualClock(1_000)
  const peer = await startTcpPeer(t, { onGreeting: () => {} })
  const client = clientOf(t, [peer.port], { clock, pool: { queueBytesMax: 1_000, connectTimeoutMs: 100_000 } })
  const waiting = errorsOf([
    client.echo(Buffer.alloc(484), { timeoutMs: 100 }),
    client.echo(Buffer.alloc(484), { timeoutMs: 100 }),
  ])
  t.match(client.stats(), { queued: 2, queuedBytes: 1_000 })
  const [refused] = await errorsOf([client.echo('', soon)])
  t.match(refused, { code: 'OVERLOADED', handled: /^no$/ })
  await clock.advance(100)
  for (const error of await waiting) t.match(error, { code: 'REQUEST_TIMEOUT', handled: /^no$/ })
  t.match(client.stats(), { queued: 0, queuedBytes: 0, open: 0, failed: 3 })
})

t.test('requests go round the servers; one that is gone is left out until it is back', async t => {
  const first = await startTcpPeer(t)
  const second = await startTcpPeer(t)
  const client = clientOf(t, [first.port, second.port], { pool: { ...once, backoffInitialMs: 5, backoffMaxMs: 20 } })
  for (let n = 0; n < 40; n++) await client.echo(`${n}`, soon)
  t.ok(Math.abs(first.asked.length - second.asked.length) <= 2, `${first.asked.length} and ${second.asked.length}`)
  await stopPeer(second)
  for (let n = 0; n < 40; n++) await client.echo(`${n}`, soon)
  await until(() => client.stats().servers[1]!.failures > 2)
  t.match(client.stats(), { failed: 0, servers: [{ connections: 1, failures: 0 }, { connections: 0 }] })
  const back = await startTcpPeer(t, { port: second.port })
  while (back.asked.length < 10) await client.echo('x', soon)
  t.match(client.stats(), { failed: 0, servers: [{ connections: 1 }, { connections: 1, failures: 0 }] })
})

t.test('a server that fails is tried again by one connection at a time, after pauses that grow', async t => {
  const clock = createVirtualClock(1_000)
  const gone = await startTcpPeer(t)
  await stopPeer(gone)
  const client = clientOf(t, [gone.port], {
    clock,
    random: () => 0,
    pool: { connectionsPerServer: 4, backoffInitialMs: 100, backoffMaxMs: 400 },
  })
  const failed = errorsOf(Array.from({ length: 20 }, () => client.echo('x', { timeoutMs: 5_000 })))
  let failures = 0
  for (const pauseMs of [100, 200, 400, 400, 400]) {
    await until(() => client.stats().servers[0]!.failures === failures + 1)
    failures++
    await clock.advance(pauseMs - 1)
    for (let n = 0; n < 5; n++) await turn()
    t.equal(client.stats().servers[0]!.failures, failures, `not before ${pauseMs} ms`)
    await clock.advance(1)
  }
  await clock.advance(5_000)
  for (const error of await failed) t.match(error, { code: 'CONNECT_FAILED', handled: /^no$/ })
})

t.test('connections are dialed as they are needed, and closed when they are not', async t => {
  const clock = createVirtualClock(1_000)
  const held: Asked[] = []
  const peer = await startTcpPeer(t, { onRequest: asked => void held.push(asked) })
  const client = clientOf(t, [peer.port], { clock, pool: { connectionsPerServer: 3, idleTimeoutMs: 1_000 } })
  for (let n = 0; n < 5; n++) {
    const request = client.echo(`${n}`, soon)
    await until(() => held.length === 1)
    echoBack(held.pop()!)
    await request
  }
  t.equal(peer.greetings, 1, 'one is enough for one request at a time')
  const requests = Array.from({ length: 9 }, (_, n) => client.echo(`${n}`, soon))
  await until(() => held.length === 9)
  await until(() => peer.greetings >= 2)
  for (const asked of held.splice(0)) echoBack(asked)
  await Promise.all(requests)
  await until(() => client.stats().servers[0]!.connections === peer.greetings)
  await clock.advance(3_000)
  await until(() => peer.sockets.size === 0)
  t.match(client.stats(), { servers: [{ connections: 0, failures: 0 }] })
  const again = client.echo('again', soon)
  await until(() => held.length === 1)
  echoBack(held.pop()!)
  t.equal(String(await again), 'again')
})

t.test('an abort settles a request wherever it is, and takes nothing with it', async t => {
  const held: Asked[] = []
  const peer = await startTcpPeer(t, { onRequest: asked => void held.push(asked) })
  const client = clientOf(t, [peer.port], { pool: { ...once, inFlightMax: 2 } })
  const reason = new Error('changed my mind')
  const [before] = await errorsOf([client.echo('before', { ...soon, signal: AbortSignal.abort(reason) })])
  t.match(before, { code: 'REQUEST_ABORTED', handled: /^no$/, cause: reason })

  const controllers = Array.from({ length: 3 }, () => new AbortController())
  const requests = controllers.map(({ signal }, n) => client.echo(`${n}`, { ...soon, signal }))
  await until(() => held.length === 2)
  controllers[2]!.abort(reason)
  const [queued] = await errorsOf([requests[2]!])
  t.match(queued, { code: 'REQUEST_ABORTED', handled: /^no$/, retryable: false, cause: reason })
  controllers[0]!.abort(reason)
  const [sent] = await errorsOf([requests[0]!])
  t.match(sent, { code: 'REQUEST_ABORTED', handled: 'unknown' })
  for (const asked of held.splice(0)) echoBack(asked)
  t.equal(String(await requests[1]), '1')
  controllers[1]!.abort(reason)
  t.match(client.stats(), { open: 0, answered: 1, failed: 3 })

  // While it waits for its next attempt.
  const busy = await startTcpPeer(t, { onRequest: asked => asked.answer(eventStatus.overloaded) })
  const patient = clientOf(t, [busy.port], { retry: { initialMs: 60_000, maxMs: 60_000 }, random: () => 0 })
  const controller = new AbortController()
  const paused = patient.echo('x', { timeoutMs: 100_000, signal: controller.signal })
  await until(() => patient.stats().retries === 1)
  controller.abort(reason)
  const [last] = await errorsOf([paused])
  t.match(last, { code: 'REQUEST_ABORTED', handled: /^no$/ })
})

t.test('a server that leaves requests waiting, or has no room, gets none while there is another', async t => {
  const clock = createVirtualClock(1_000)
  const mute = await startTcpPeer(t, { onRequest: () => {} })
  const good = await startTcpPeer(t)
  const client = clientOf(t, [mute.port, good.port], { clock, pool: once })
  const first = Promise.allSettled(Array.from({ length: 10 }, (_, n) => client.request(0, `${n}`, { timeoutMs: 100 })))
  await until(() => mute.asked.length > 0 && client.stats().open === mute.asked.length)
  await clock.advance(100)
  await first
  const waited = mute.asked.length
  for (let n = 0; n < 20; n++) await client.request(0, `${n}`, soon)
  t.equal(mute.asked.length, waited)

  const full = await startTcpPeer(t, { onRequest: asked => asked.answer(eventStatus.overloaded) })
  const patient = clientOf(t, [full.port, good.port], { pool: once, retry: { initialMs: 1 } })
  for (let n = 0; n < 20; n++) await patient.request(0, `${n}`, soon)
  t.ok(full.asked.length >= 1 && full.asked.length <= 2, `${full.asked.length} requests met the full one`)
  t.match(patient.stats(), { failed: 0, retries: full.asked.length })
})

t.test('what never left this side was not handled: it is sent again without being told', async t => {
  const peer = await startTcpPeer(t, {
    // The answer to the greeting lets requests go, and what follows in the same chunk ends the connection.
    onGreeting: ({ socket, request }, index) => {
      const pong = answerTo(request, eventStatus.ok, Buffer.alloc(8))
      socket.write(index === 0 ? Buffer.concat([pong, Buffer.alloc(16, 'garbage')]) : pong)
    },
  })
  const client = clientOf(t, [peer.port], { pool: once, retry: { initialMs: 1 } })
  const answers = await Promise.all(['a', 'b', 'c'].map(body => client.request(0, body, soon)))
  t.same(
    answers.map(({ body }) => Buffer.from(body).toString()),
    ['a', 'b', 'c'],
  )
  t.same(peer.asked.map(({ text }) => text).sort(), ['a', 'b', 'c'])
  t.equal(client.stats().retries, 3)
})

t.test('a client that closes waits for what is open only so long', async t => {
  const clock = createVirtualClock(1_000)
  const peer = await startTcpPeer(t, { onRequest: () => {} })
  const client = clientOf(t, [peer.port], { clock, pool: { ...once, inFlightMax: 2 } })
  const sent = errorsOf([client.echo('a', soon), client.echo('b', soon)])
  const queued = errorsOf([client.echo('c', soon)])
  await until(() => peer.asked.length === 2)
  const closed = client.close({ timeoutMs: 100 })
  await clock.advance(99)
  t.equal(client.stats().open, 3)
  await clock.advance(1)
  for (const error of await sent) t.match(error, { code: 'CLIENT_CLOSED', handled: 'unknown', retryable: false })
  for (const error of await queued) t.match(error, { code: 'CLIENT_CLOSED', handled: /^no$/ })
  await closed
  await until(() => peer.sockets.size === 0)
  t.equal(clock.pending, 0, 'no timer is left')
})
