/**
 * The event server: the event protocol over TCP and UDP on every shard, at one port, with the built-in commands echo (0) and
 * ping (1), and those of its user.
 */
import { datagramShards } from '../actors/datagram/config.ts'
import type { DatagramFigures } from '../actors/datagram/figures.ts'
import { referenceTo } from '../actors/runtime/import-definition.ts'
import { protocolReference } from '../actors/serving/protocol.ts'
import type { TaskPoolFigures } from '../actors/task-pool/figures.ts'
import { commandsKind } from '../protocols/event/commands.ts'
import { eventDatagrams } from '../protocols/event/datagrams.ts'
import { eventProtocolKind } from '../protocols/event/dialect.ts'
import type { EventServiceOptions } from '../protocols/event/event-options.ts'
import { eventProtocol } from '../protocols/event/event-protocol.ts'
import { checkImportable } from '../supervisor/definition-check.ts'
import { internalsOf, type System } from '../supervisor/system.ts'
import { createCommandPool } from './command-pool.ts'
import { createDatagramActors } from './datagrams.ts'
import { type EventServerConfig, type EventServerOptions, resolveEventServer } from './event-server-options.ts'
import { createFrameServer, type FrameServer } from './frame-server.ts'

/** Figures of an event server. */
export interface EventServerFigures {
  /** Of the task pool; undefined for a server that has none. */
  readonly pool: TaskPoolFigures | undefined
  /** Over UDP; undefined for a server that does not speak it. */
  readonly udp: DatagramFigures | undefined
}

/** An event server. */
export type EventServer = FrameServer<EventServerFigures>

/**
 * Creates an event server; it does not listen before `start`, which rejects with what is wrong with the definitions of its
 * commands and its protocol (DEFINITION_IN_ENTRY, DEFINITION_NOT_FOUND) before anything listens. Throws BAD_CONFIG for
 * all options that cannot be used, and what `protocol` throws for its own.
 *
 *   supervisor <id> on the main thread (one_for_one)
 *     ├─ <id>/pool        main thread, if a command runs in the task pool
 *     ├─ …                the acceptors, as in every frame server
 *     └─ <id>/u<i>        UDP on shard i
 */
export function createEventServer(system: System, options: EventServerOptions): EventServer {
  internalsOf(system, 'createEventServer')
  const config = resolveEventServer(options)
  const { id, commands, protocol, events, udp, limits } = config
  const pool = createCommandPool(system, config)
  const service: EventServiceOptions = {
    ...events,
    ...(commands === undefined ? {} : { commands: referenceTo(commands) }),
    ...(pool === undefined
      ? {}
      : { pool: { address: pool.address, unprovenTasksMax: unprovenTasksMax(system, config) } }),
    ...(protocol === undefined ? {} : { dialect: { ...referenceTo(protocol.definition), options: protocol.options } }),
  }
  const datagrams = udp.enabled
    ? createDatagramActors(system, {
        id,
        udp,
        protocol: protocolReference(eventDatagrams, { ...service, payloadBytesMax: udp.payloadBytesMax }),
      })
    : undefined
  const served = { ...config.listener, limits, protocol: protocolReference(eventProtocol, service) }
  return createFrameServer<EventServerFigures>(system, id, served, {
    async check() {
      if (commands !== undefined) await checkImportable(commands, commandsKind)
      if (protocol !== undefined) await checkImportable(protocol.definition, eventProtocolKind)
    },
    before: pool === undefined ? [] : [pool.child],
    whenReady: async () => pool?.whenOpen(),
    sharers: datagrams,
    figures: () => ({ pool: pool?.figures(), udp: datagrams?.figures() }),
  })
}

/** Half of the queue, for all shards that have a socket together. */
function unprovenTasksMax({ shards }: System, { pool }: EventServerConfig): number {
  return Math.max(1, Math.floor(pool.queueMax / 2 / datagramShards(shards, process.platform).length))
}
