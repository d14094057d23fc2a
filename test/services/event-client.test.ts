/** The event client and real event servers, on the calling thread and on shards. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { createChaos } from '../../src/chaos/index.ts'
import {
  createEventClient,
  createEventServer,
  createLogger,
  createSystem,
  type EventClient,
  type EventClientOptions,
  type EventRequestOptions,
  type EventServerOptions,
  type FrameServer,
  isStarfishError,
  type System,
} from '../../src/index.ts'
import { certificate, privateKey } from '../actors/acceptor/test-certificate.ts'
import { until } from '../actors/connection/event-shard.ts'
import { untilBound } from './until-bound.ts'

t.setTimeout(180_000)

const soon = { timeoutMs: 20_000 }

interface World {
  readonly system: System
  readonly server: FrameServer
  readonly port: number
}

async function serve(t: Test, shards: number, options: Partial<EventServerOptions> = {}): Promise<World> {
  const system = await createSystem({ shards, logger: createLogger({ level: 'silent' }) })
  t.teardown(() => system.stop())
  const server = createEventServer(system, { port: 0, ...options })
  const { port } = await server.start()
  return { system, server, port }
}

function clientOf(t: Test, options: EventClientOptions): EventClient {
  const client = createEventClient(options)
  t.teardown(() => client.close({ timeoutMs: 0 }))
  return client
}

t.test('of a server that ends connections after their first answer each request gets one', async t => {
  const { server, port } = await serve(t, 2, { oneRequestPerConnection: true })
  const client = clientOf(t, { port, oneRequestPerConnection: true, retry: { savedMax: 0, perSecond: 0, ratio: 0 } })
  const bodies = Array.from({ length: 40 }, (_, n) => `${n}`)
  const answers = await Promise.all(bodies.map(body => client.request(0, body, soon)))
  t.same(
    answers.map(({ body }) => String(body)),
    bodies,
  )
  for (const body of bodies) t.equal(String(await client.echo(body, soon)), body)
  await t.rejects(client.request(77, '', soon), { code: 'REQUEST_REFUSED', details: { statusName: 'unknownCommand' } })
  const { accepted, requests } = server.stats()
  t.same([accepted, requests], [81, 80], 'one connection for each, the refused one too')
  t.match(client.stats(), { retries: 0 })
  await client.close()
})

t.test('a greeting is none of the requests in flight', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const client = clientOf(t, { port: (server.address() as AddressInfo).port })
  const accepted = once(server, 'connection')
  const request = client.ping(soon).catch(() => {})
  const [socket] = (await accepted) as [Socket]
  await once(socket, 'data')
  t.match(client.stats(), { open: 1, servers: [{ connections: 0, inFlight: 0 }] })
  socket.destroy()
  await client.close({ timeoutMs: 0 })
  await request
})

for (const shards of [0, 2]) {
  t.test(`${shards} shards: requests are answered, each by its own answer`, async t => {
    const { server, port } = await serve(t, shards)
    const client = clientOf(t, { port, pool: { connectionsPerServer: 3 } })
    const answer = await client.request(0, 'hello', { ...soon, sessionId: 7 })
    t.same({ ...answer, body: String(answer.body) }, { status: 0, command: 0, sessionId: 7, body: 'hello' })
    const bodies = Array.from({ length: 5_000 }, (_, n) => `${n}`.padStart(n % 300, '.'))
    const answers = await Promise.all(bodies.map(body => client.echo(body, soon)))
    t.same(answers.map(String), bodies)
    const large = Buffer.alloc(65_536, 'large')
    t.ok(large.equals(await client.echo(large, soon)))
    t.equal((await client.echo('', soon)).length, 0)
    const fromMs = Date.now()
    const { serverTimeMs, roundTripMs } = await client.ping(soon)
    // The clock of a thread is that of its start: some ms off.
    t.ok(Math.abs(serverTimeMs - fromMs) < 5_000 && roundTripMs > 0, `${serverTimeMs - fromMs}, ${roundTripMs}`)
    const { servers, ...counts } = client.stats()
    t.match(counts, { requests: 5_004, answered: 5_004, failed: 0, retries: 0, open: 0, queued: 0, queuedBytes: 0 })
    t.match(servers, [{ server: `127.0.0.1:${port}`, inFlight: 0, failures: 0 }])
    await client.close()
    await until(() => server.stats().connections === 0)
  })

  t.test(`${shards} shards: what the server will not take is rejected by its status`, async t => {
    const { port } = await serve(t, shards)
    const client = clientOf(t, { port, bodyBytesMax: 100_000 })
    await t.rejects(client.request(4_711, 'x', soon), {
      code: 'REQUEST_REFUSED',
      handled: /^no$/,
      details: { statusName: 'unknownCommand', command: 4_711 },
    })
    const foreign = clientOf(t, { port, raidaId: 3 })
    await t.rejects(foreign.request(0, 'x', soon), {
      code: 'REQUEST_REFUSED',
      details: { statusName: 'invalidHeader' },
    })
    // This one costs the connection, and the next request gets another.
    await t.rejects(client.request(0, Buffer.alloc(65_537), soon), {
      code: 'REQUEST_REFUSED',
      details: { statusName: 'bodyTooLarge' },
    })
    t.equal(String(await client.echo('after', soon)), 'after')
  })

  t.test(`${shards} shards: a server that stops and starts again is met again`, async t => {
    const { system, server, port } = await serve(t, shards)
    const client = clientOf(t, { port, pool: { backoffInitialMs: 5, backoffMaxMs: 20 } })
    t.equal(String(await client.echo('before', soon)), 'before')
    await server.stop()
    const waiting = client.echo('meanwhile', soon)
    await until(() => client.stats().servers[0]!.failures > 0)
    const again = createEventServer(system, { id: 'again', port })
    await again.start()
    t.equal(String(await waiting), 'meanwhile')
    t.match(client.stats(), { failed: 0, servers: [{ failures: 0 }] })
  })
}

t.test('TLS: its options are passed on, and a certificate nobody vouches for is not trusted', async t => {
  const { port } = await serve(t, 0, { tls: { cert: certificate, key: privateKey } })
  const client = clientOf(t, { port, tls: { ca: certificate } })
  t.equal(String(await client.echo('secret', soon)), 'secret')
  const wary = clientOf(t, { port, tls: {} })
  const error = await wary.echo('secret', { timeoutMs: 500 }).catch(error => error)
  t.match(error, { code: 'CONNECT_FAILED', handled: /^no$/, message: /certificate/ })
})

t.test('a request that costs the connection costs no other request', async t => {
  const { port } = await serve(t, 1, { limits: { bodyBytesMax: 1_024 } })
  const client = clientOf(t, { port, pool: { connectionsPerServer: 1 } })
  await client.ping(soon)
  for (let round = 0; round < 3; round++) {
    const refused = client.request(0, Buffer.alloc(2_000), soon).catch((error: unknown) => error)
    // Commands that may be handled once only: what came behind was not.
    const behind = await Promise.all(Array.from({ length: 20 }, (_, n) => client.request(0, `${n}`, soon)))
    t.same(
      behind.map(({ body }) => String(body)),
      Array.from({ length: 20 }, (_, n) => `${n}`),
    )
    t.match(await refused, { code: 'REQUEST_REFUSED', handled: /^no$/, details: { statusName: 'bodyTooLarge' } })
  }
})

t.test('a client that closes answers what is open first, and then nothing', async t => {
  const { port, server } = await serve(t, 0)
  for (const options of [{}, { timeoutMs: Number.POSITIVE_INFINITY }, { timeoutMs: 1e12 }]) {
    const client = createEventClient({ port })
    const open = Array.from({ length: 100 }, (_, n) => client.echo(`${n}`, soon))
    const closed = client.close(options)
    t.equal(client.close(), closed)
    await t.rejects(client.echo('late', soon), { code: 'CLIENT_CLOSED', handled: /^no$/ })
    t.same(
      (await Promise.all(open)).map(String),
      Array.from({ length: 100 }, (_, n) => `${n}`),
    )
    await closed
    await until(() => server.stats().connections === 0)
  }
})

t.test('a client that is closed leaves no handle behind', async t => {
  const { port } = await serve(t, 0)
  const held = () => process.getActiveResourcesInfo().sort().join()
  const warm = createEventClient({ port })
  await warm.ping(soon)
  await warm.close()
  await until(() => !held().includes('TCPSocketWrap'))
  const before = held()
  for (let n = 0; n < 10; n++) {
    await using client = createEventClient({ port, pool: { connectionsPerServer: 4 } })
    await Promise.all(Array.from({ length: 200 }, () => client.echo('x', soon)))
    t.ok(held().includes('TCPSocketWrap'))
  }
  await until(() => held() === before, held)
  t.equal(held(), before)
})

t.test('options and requests that cannot be used are told at once', async t => {
  const faults: readonly [string, object][] = [
    ['servers', {}],
    ['port', { host: '::1' }],
    ['host', { servers: ['a:1'], host: 'b' }],
    ['port', { servers: ['a:1'], port: 1 }],
    ['port', { port: 0 }],
    ['host', { port: 1, host: '' }],
    ['servers', { servers: [] }],
    ['servers[1]', { servers: ['a:1', 'a'] }],
    ['servers[0].port', { servers: [{ port: 70_000 }] }],
    ['transport', { port: 1, transport: 'sctp' }],
    ['raidaId', { port: 1, raidaId: 256 }],
    ['timeoutMs', { port: 1, timeoutMs: 0 }],
    ['tls', { port: 1, tls: { cert: 'none', key: 'none' } }],
    ['tls', { port: 1, transport: 'udp', tls: {} }],
    ['resend', { port: 1, resend: {} }],
    ['pool.size', { port: 1, pool: { size: 1 } }],
    ['pool.inFlightMax', { port: 1, pool: { inFlightMax: 0 } }],
    ['retry.ratio', { port: 1, retry: { ratio: 2 } }],
    ['datagramBytesMax', { port: 1, transport: 'udp', datagramBytesMax: 31 }],
    ['nothing', { port: 1, nothing: true }],
    ['', undefined as unknown as object],
  ]
  for (const [option, options] of faults) {
    t.throws(
      () => createEventClient(options as EventClientOptions),
      { code: 'BAD_CONFIG', details: { option } },
      option,
    )
  }
  const client = clientOf(t, { servers: ['127.0.0.1:1', '[::1]:1', { port: 1 }] })
  t.same(
    client.stats().servers.map(({ server }) => server),
    ['127.0.0.1:1', '[::1]:1', '127.0.0.1:1'],
  )
  const requests: readonly [string, Promise<unknown>][] = [
    ['command', client.request(65_536, '', soon)],
    ['command', client.request(1.5, '', soon)],
    ['sessionId', client.request(0, '', { ...soon, sessionId: -1 })],
    ['timeoutMs', client.request(0, '', { timeoutMs: 0 })],
    ['timeout', client.request(0, '', { timeout: 5 } as EventRequestOptions)],
    ['signals', client.echo('', { ...soon, signals: [] } as EventRequestOptions)],
    ['', client.request(0, '', 5 as EventRequestOptions)],
    ['body', client.request(0, 7 as unknown as string, soon)],
    ['body', client.request(0, null as unknown as string, soon)],
    ['', client.request(0, '', null as unknown as EventRequestOptions)],
    ['command', client.request(1n as unknown as number, '', soon)],
    ['command', client.request(Symbol('echo') as unknown as number, '', soon)],
    ['signal', client.request(0, '', { ...soon, signal: null as unknown as AbortSignal })],
    ['timeoutMs', client.request(0, '', { timeoutMs: '100' as unknown as number })],
    ['idempotent', client.request(0, '', { ...soon, idempotent: 'no' as unknown as boolean })],
  ]
  for (const [option, request] of requests) {
    await t.rejects(request, { code: 'BAD_CONFIG', handled: /^no$/, details: { option } }, option)
  }
  for (const options of [null, { timeoutMs: Number.NaN }, { timeoutMs: -1 }]) {
    await t.rejects(client.close(options as object), { code: 'BAD_CONFIG' })
  }
  await t.rejects(client.request(0, Buffer.alloc(65_537), soon), { code: 'REQUEST_REFUSED', handled: /^no$/ })
  t.equal(client.stats().open, 0)
})

/** Keeps requests in flight while `work` goes on; answers what became of them. */
async function underLoad(client: EventClient, lanes: number, idempotent: boolean, work: () => Promise<void>) {
  let isOver = false
  let answered = 0
  const wrong: string[] = []
  const errors = new Map<string, number>()
  const lane = async (n: number) => {
    for (let count = 0; !isOver; count++) {
      const body = `${n}:${count}:`.padEnd((n * 7) % 200, 'x')
      try {
        const answer = await client.request(0, body, { ...soon, idempotent })
        answered++
        if (String(answer.body) !== body) wrong.push(`${body} got ${answer.body}`)
      } catch (error) {
        // The test was given up: there is no end otherwise.
        if (isStarfishError(error, 'CLIENT_CLOSED')) return
        const name = isStarfishError(error) ? `${error.code} ${error.handled}` : `untyped: ${error}`
        errors.set(name, (errors.get(name) ?? 0) + 1)
      }
    }
  }
  const running = Array.from({ length: lanes }, (_, n) => lane(n))
  await work().finally(() => {
    isOver = true
  })
  await Promise.all(running)
  return { answered, wrong, errors: Object.fromEntries(errors) }
}

for (const idempotent of [false, true]) {
  const what = idempotent ? 'all are answered' : 'only what was on the wire is lost'
  t.test(`shards are killed under load: every request settles, and ${what}`, async t => {
    const { system, port } = await serve(t, 2)
    const chaos = createChaos(system)
    t.teardown(() => chaos.release())
    const inFlightMax = 32
    const client = clientOf(t, { port, pool: { connectionsPerServer: 4, inFlightMax } })
    const kills = 3
    const { answered, wrong, errors } = await underLoad(client, 200, idempotent, async () => {
      for (let kill = 0; kill < kills; kill++) {
        const done = client.stats().answered
        await until(() => client.stats().answered > done + 500)
        const shard = kill % 2
        await chaos.kill({ shard })
        await untilBound(system, `events/s${shard}`)
      }
    })
    t.comment(`${answered} answered, ${JSON.stringify(errors)}, ${client.stats().retries} retries`)
    t.same(wrong, [])
    t.ok(answered > kills * 500)
    const lost = errors['CONNECTION_LOST unknown'] ?? 0
    t.same(Object.keys(errors), lost === 0 ? [] : ['CONNECTION_LOST unknown'], 'no other error')
    if (idempotent) t.equal(lost, 0)
    else t.ok(lost <= kills * 4 * inFlightMax, `${lost} lost in ${kills} kills`)
    t.match(client.stats(), { open: 0, queued: 0 })
  })
}

t.test('a program whose client is open ends when it is closed, and its server can stop', async t => {
  const { server, port } = await serve(t, 0)
  const client = createEventClient({ port })
  await client.ping(soon)
  // The server ends an idle connection in good order: nothing fails, and the next request gets another.
  await server.stop()
  await until(() => client.stats().servers[0]!.connections === 0)
  await client.close()
  const refused = connect(port, '127.0.0.1')
  await new Promise(resolve => refused.on('error', resolve))
})
