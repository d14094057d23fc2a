/** Connections as the outside sees them: listed, looked at, watched, told to close, killed in every state. */
import { once } from 'node:events'
import t, { type Test } from 'tap'
import type { ConnectionDetails } from '../../src/actors/connection/host-table.ts'
import { createChaos } from '../../src/chaos/index.ts'
import { type ActorExit, connection, type EventServerOptions, type Fact, type System } from '../../src/index.ts'
import { encodeEventRequest, eventCommand } from '../../src/messages/index.ts'
import { connectClient, type EventClient } from '../actors/acceptor/event-client.ts'
import { number } from './fixtures/commands.ts'
import { ask, serveCommands } from './fixtures/served.ts'

const big = encodeEventRequest({ command: eventCommand.echo, body: Buffer.alloc(65_536) })
const inTime = { timeoutMs: 20_000 }

interface Served {
  readonly system: System
  readonly connect: () => Promise<EventClient>
}

async function serve(t: Test, shards: number, options: Partial<EventServerOptions> = {}): Promise<Served> {
  const { system, server } = await serveCommands(t, shards, options)
  return {
    system,
    async connect() {
      const client = await connectClient(server.address!.port)
      t.teardown(() => client.socket.destroy())
      return client
    },
  }
}

function addressesOf(system: System, query = {}): Promise<string[]> {
  return system
    .tree({ under: 'events', hosted: true, ...query })
    .then(page => page.filter(({ kind }) => kind === 'hosted').map(({ address }) => address))
}

/** The facts about connections, each looked at once, in order. */
class ConnectionFacts {
  readonly #facts: AsyncIterator<Fact>
  readonly ready: Promise<void>
  constructor(system: System) {
    const facts = system.inspect({ kinds: ['spawned', 'transition', 'exit'], under: 'events' })
    this.ready = facts.ready
    this.#facts = facts[Symbol.asyncIterator]()
  }

  /** The next that passes. */
  async next(wanted: (fact: Fact) => boolean): Promise<Fact> {
    for (;;) {
      const { value, done } = await this.#facts.next()
      if (done === true) throw new Error('the facts ended')
      if (/\/c\d+$/.test(value.address) && wanted(value)) return value
    }
  }

  async close(): Promise<void> {
    await this.#facts.return?.()
  }
}

/** What brings a connection from where it is into a state. */
type Stage = readonly [state: string, go: (client: EventClient, system: System, address: string) => void]

const full: Stage = ['processing.full', client => client.write(ask(number.wait, 'b', 8), ask(number.wait, 'c', 9))]
const blocked: Stage = ['wantWrite', client => client.write(...Array.from({ length: 200 }, () => big))]

/** The ways into the states in which a connection is killed. */
const ways: readonly (readonly [...Stage[], Stage])[] = [
  [['wantReadHeader.idle', client => client.write(encodeEventRequest({ body: Buffer.from('whole') }))]],
  [['wantReadHeader.begun', client => client.write(big.subarray(0, 7))]],
  [['wantReadBody', client => client.write(big.subarray(0, 40_000))]],
  [['processing.reading', client => client.write(ask(number.wait, 'a', 7))]],
  [full],
  [blocked],
  [['draining.reading', (_, system, address) => send(system, address)]],
  [
    ['processing.reading', client => client.write(ask(number.wait, 'a', 7))],
    ['draining.answering', (_, system, address) => send(system, address)],
  ],
  [full, ['draining.working', (_, system, address) => send(system, address)]],
  [blocked, ['draining.writing', (_, system, address) => send(system, address)]],
  [['finishing', client => client.socket.end(ask(number.wait, 'd', 12))]],
  [['closing.lingering', client => client.write(Buffer.alloc(16, 0xff))]],
]

/** The request in hand, in the states that have one. */
const inHand: Readonly<Record<string, object>> = {
  wantReadBody: { command: eventCommand.echo, sessionId: 0, raidaId: 0, bodyBytes: 65_536 },
  'processing.reading': { command: number.wait, sessionId: 7, raidaId: 0, bodyBytes: 1 },
  'processing.full': { command: number.wait, sessionId: 8 },
  'draining.answering': { command: number.wait, sessionId: 7 },
  'draining.working': { command: number.wait, sessionId: 8 },
  finishing: { command: number.wait, sessionId: 12 },
}

function send(system: System, address: string): void {
  system.ref(connection, address).send({ type: 'connection.close' })
}

function nameOf(value: unknown): string {
  if (typeof value === 'string') return value
  const [[outer, inner] = ['']] = Object.entries(value as Record<string, unknown>)
  return inner === undefined ? outer : `${outer}.${nameOf(inner)}`
}

for (const shards of [0, 2]) {
  t.test(`${shards} shards: a connection is killed in each state, and its transitions are seen`, async t => {
    const { system, connect } = await serve(t, shards, {
      limits: { lingerMs: 20_000, drainQuietMs: 20_000, writeStallTimeoutMs: 20_000, inFlightRequestsMax: 2 },
    })
    for (const stages of ways) {
      const facts = new ConnectionFacts(system)
      await facts.ready
      const client = await connect()
      client.socket.pause()
      const { address } = await facts.next(({ kind }) => kind === 'spawned')
      for (const [state, go] of stages) {
        go(client, system, address)
        // Where it is from the start it need not go.
        if (state === 'wantReadHeader.idle') continue
        const moved = await facts.next(fact => fact.kind === 'transition' && nameOf(fact.to) === state)
        t.match(moved, { address, incarnation: 1 }, `into ${state}`)
      }
      const [state] = stages.at(-1)!
      const ref = system.ref(connection, address)
      const details = await ref.inspect()
      t.equal(nameOf(details?.value), state)
      t.match(details, { definition: 'connection', kind: 'hosted', context: { peerAddress: '127.0.0.1' } })
      const { request } = details!.context as ConnectionDetails
      if (state in inHand) t.match(request, inHand[state], 'the request in hand')
      const watched = new Promise(resolve => system.watch(address, resolve))
      // The watch is set before the kill: both travel the same way, this answer after them.
      await ref.inspect()
      t.equal(await system.kill(address), true)
      t.match(await facts.next(fact => fact.kind === 'transition' && fact.to === 'closed'), { address })
      t.match(await facts.next(() => true), { kind: 'exit', address, exit: { reason: { type: 'killed' } } })
      t.match(await watched, { address, definition: 'connection', reason: { type: 'killed' } })
      client.socket.resume()
      await Promise.race([client.ended(), client.closed()])
      t.equal(await system.kill(address), false, 'closed: there is nothing left to kill')
      t.equal(await ref.inspect(), undefined)
      await facts.close()
    }
  })

  t.test(
    `${shards} shards: chaos kills a connection, loses what is sent to it, and refuses what it cannot do`,
    async t => {
      const { system, connect } = await serve(t, shards)
      await using chaos = createChaos(system)
      const client = await connect()
      client.write(encodeEventRequest({ body: Buffer.from('x') }))
      await client.response()
      const [address] = await addressesOf(system)
      const drop = await chaos.drop({ from: null, to: address!, count: 1 })
      send(system, address!)
      client.write(encodeEventRequest({ body: Buffer.from('y') }))
      t.equal((await client.response()).status, 0, 'it was not told to close')
      await drop.release()
      const refused = [
        () => chaos.crash(address!, 'throw'),
        () => chaos.crash(address!, 'reject'),
        () => chaos.pause(address!),
        () => chaos.drop({ from: address!, to: 'events/s0' }),
      ]
      for (const inflict of refused) {
        await t.rejects<unknown>(inflict(), { code: 'BAD_CONFIG', details: { option: 'target', address } })
      }
      t.match(await chaos.kill(address!), {
        address,
        definition: 'connection',
        incarnation: 1,
        reason: { type: 'killed' },
      })
      await client.ended()
      await t.rejects(chaos.kill(address!), { code: 'NO_SUCH_ACTOR' })
      await t.rejects(chaos.pause(address!), { code: 'NO_SUCH_ACTOR' })
    },
  )

  t.test(`${shards} shards: connections are listed in pages, told to close, and cannot be asked`, async t => {
    const { system, connect } = await serve(t, shards)
    const clients = await Promise.all(Array.from({ length: 25 }, connect))
    for (const client of clients) client.write(encodeEventRequest({ body: Buffer.from('x') }))
    await Promise.all(clients.map(client => client.response()))
    const all = await addressesOf(system)
    t.equal(all.length, 25)
    t.equal(
      (await system.tree({ under: 'events' })).filter(({ kind }) => kind === 'hosted').length,
      0,
      'on demand only',
    )
    t.equal(
      (await system.tree({ under: 'events' })).reduce((sum, { hosted }) => sum + hosted, 0),
      25,
    )
    const paged: string[] = []
    for (let after: string | undefined; ; ) {
      const page = await system.tree({
        under: 'events',
        hosted: true,
        limit: 7,
        ...(after === undefined ? {} : { after }),
      })
      if (page.length === 0) break
      paged.push(...page.filter(({ kind }) => kind === 'hosted').map(({ address }) => address))
      after = page.at(-1)!.address
    }
    t.same(paged, all)
    const ends = clients.map(client => client.closed())
    for (const client of clients) client.socket.once('end', () => client.socket.end())
    const exits = all.map(address => new Promise<ActorExit>(resolve => system.watch(address, resolve)))
    for (const address of all) send(system, address)
    t.same(new Set(await Promise.all(ends)), new Set(['end']))
    for (const exit of exits) t.match(await exit, { definition: 'connection', reason: { type: 'normal' } })
    await t.rejects(system.ref(connection, all[0]!).ask({ type: 'connection.close' } as never, inTime), {
      code: 'NO_SUCH_ACTOR',
    })
    const late = await connect()
    late.write(encodeEventRequest({ body: Buffer.from('x') }))
    await late.response()
    const [address] = await addressesOf(system)
    await t.rejects(system.ref(connection, address!).ask({ type: 'no.such' } as never, inTime), {
      code: 'NO_REPLY',
      handled: /^no$/,
    })
    late.socket.end()
    await once(late.socket, 'close')
  })
}
