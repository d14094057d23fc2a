/** One shard that serves the event protocol on virtual time, without actors: what tests of connections talk to. */
import type { Test } from 'tap'
import { resolveAcceptorInput } from '../../../src/actors/acceptor/config.ts'
import { createServerCounters, readServerCounters, type ServerFigures } from '../../../src/actors/acceptor/counters.ts'
import { listen } from '../../../src/actors/acceptor/listener.ts'
import { createShardServer, type ShardServer } from '../../../src/actors/acceptor/shard-server.ts'
import type { AcceptorTls } from '../../../src/actors/acceptor/tls.ts'
import { createConnections } from '../../../src/actors/connection/connections.ts'
import type { Connection } from '../../../src/actors/connection/record.ts'
import { createRandom, createVirtualClock, type VirtualClock } from '../../../src/actors/runtime/clock.ts'
import { type FrameProtocol, protocolReference } from '../../../src/actors/serving/protocol.ts'
import type { ServerLimits } from '../../../src/messages/index.ts'
import { CommandRunner } from '../../../src/protocols/event/command-runner.ts'
import type { CommandTable } from '../../../src/protocols/event/commands.ts'
import type { EventDialect } from '../../../src/protocols/event/dialect.ts'
import type { EventCommand } from '../../../src/protocols/event/event-call.ts'
import { type EventProtocolOptions, resolveEventOptions } from '../../../src/protocols/event/event-options.ts'
import { createEventProtocol, eventProtocol } from '../../../src/protocols/event/event-protocol.ts'
import { connectClient, type EventClient } from '../acceptor/event-client.ts'
import { createTestRuntime, type TestRuntime } from '../acceptor/test-runtime.ts'

/** The shard and what a test asks of it. */
export interface EventShard {
  readonly port: number
  readonly clock: VirtualClock
  readonly server: ShardServer
  readonly connections: ReadonlyMap<number, Connection>
  readonly runtime: TestRuntime
  readonly figures: ServerFigures
  /** A client of this shard; destroyed when the test is over. */
  connect(allowHalfOpen?: boolean): Promise<EventClient>
  /** Resolves when the states of all connections, oldest first, are these. */
  states(...states: string[]): Promise<void>
}

/** Time of the virtual clock at the start, ms since the epoch. */
export const startMs = 1_700_000_000_000

/** Starts a shard that ends with the test. */
export async function startEventShard(
  t: Test,
  options: {
    readonly limits?: Partial<ServerLimits>
    readonly raidaId?: number
    readonly commands?: ReadonlyMap<number, EventCommand>
    /** Commands as users write them, run by the shard's own runner. */
    readonly table?: CommandTable
    readonly dialect?: EventDialect
    readonly protocol?: EventProtocolOptions
    readonly tls?: AcceptorTls
    readonly whenFull?: FrameProtocol['whenFull']
  } = {},
): Promise<EventShard> {
  const clock = createVirtualClock(startMs)
  const runtime = createTestRuntime(clock, 0, () => {})
  const counters = createServerCounters(1, 7)
  const input = resolveAcceptorInput(
    {
      port: 0,
      limits: options.limits ?? {},
      protocol: protocolReference(eventProtocol, {}),
      ...(options.tls === undefined ? {} : { tls: options.tls }),
    },
    { shards: 1, platform: 'linux', handoff: { threadId: 0, listener: 'none' }, counters },
  )
  const environment = { clock, random: createRandom(1), log: runtime.log, limits: input.limits, actor: runtime }
  const protocolOptions = { raidaId: options.raidaId ?? 0, ...options.protocol }
  const runner = new CommandRunner(resolveEventOptions(protocolOptions), environment)
  const commands = options.table === undefined ? options.commands : runner.all(options.table)
  const protocol = {
    ...createEventProtocol(protocolOptions, environment, commands, options.dialect),
    ...(options.whenFull === undefined ? {} : { whenFull: options.whenFull }),
  }
  let table: ReadonlyMap<number, Connection> = new Map()
  const server = createShardServer(runtime, input, protocol, options => {
    const connections = createConnections(options)
    table = connections.table
    return connections
  })
  const listener = await listen(input, {
    reusePort: false,
    pauseOnConnect: false,
    clock,
    log: runtime.log,
    shard: 0,
    onSocket: server.accept,
  })
  const clients: EventClient[] = []
  t.teardown(async () => {
    for (const client of clients) client.socket.destroy()
    server.destroy()
    await listener.close()
  })
  return {
    port: listener.port,
    clock,
    server,
    connections: table,
    runtime,
    get figures() {
      return readServerCounters(counters)
    },
    async connect(allowHalfOpen) {
      const client = await connectClient(listener.port, allowHalfOpen)
      clients.push(client)
      return client
    },
    states: (...states) =>
      until(
        () => statesOf(table).join() === states.join(),
        () => statesOf(table).join(),
      ),
  }
}

function statesOf(connections: ReadonlyMap<number, Connection>): string[] {
  return [...connections.values()].map(({ chart }) => {
    const { configurations } = chart!.chart as unknown as { configurations: string[] }
    return configurations[chart!.configuration]!
  })
}

/** Turns the event loop until `holds`; sockets need turns, not time. Fails after far more turns than any needs. */
export async function until(holds: () => boolean, seen: () => string = () => ''): Promise<void> {
  for (let turn = 0; turn < 20_000; turn++) {
    if (holds()) return
    await new Promise(resolve => setImmediate(resolve))
  }
  throw new Error(`it never came to pass; last seen: ${seen()}`)
}
