/**
 * The event server: the event protocol over TCP and UDP on every shard, at one port, with the built-in commands echo (0) and
 * ping (1), and those of its user.
 */
import { type AcceptorOptions, resolveLimits } from '../actors/acceptor/config.ts'
import { resolveUdpOptions, type UdpOptions, udpDefaults } from '../actors/datagram/config.ts'
import type { DatagramFigures } from '../actors/datagram/figures.ts'
import { referenceTo } from '../actors/runtime/import-definition.ts'
import { protocolReference } from '../actors/serving/protocol.ts'
import type { TaskPoolOptions } from '../actors/task-pool/config.ts'
import type { TaskPoolFigures } from '../actors/task-pool/figures.ts'
import { type ServerLimits, serverLimitDefaults } from '../messages/limits.ts'
import { createFaults, show } from '../messages/option-faults.ts'
import { type CommandsDefinition, commandsKind } from '../protocols/event/commands.ts'
import { eventDatagrams } from '../protocols/event/datagrams.ts'
import { type BoundEventProtocol, eventProtocolKind } from '../protocols/event/dialect.ts'
import {
  type EventProtocolOptions,
  type EventServiceOptions,
  type FilledEventOptions,
  resolveEventOptions,
} from '../protocols/event/event-options.ts'
import { eventProtocol } from '../protocols/event/event-protocol.ts'
import { checkImportable } from '../supervisor/definition-check.ts'
import type { System } from '../supervisor/system.ts'
import { createCommandPool } from './command-pool.ts'
import { createDatagramActors } from './datagrams.ts'
import { createFrameServer, type FrameServer } from './frame-server.ts'

/**
 * Options of {@link createEventServer}. Left out, `limits.drainTimeoutMs` and `limits.handlerTimeoutMs` are at least a
 * second longer than `commandTimeoutMs`, and `limits.outputBytesMax` has room for an answer of `replyBytesMax`.
 */
export interface EventServerOptions extends Omit<AcceptorOptions, 'protocol'>, EventProtocolOptions {
  /** Address of the server's supervisor. `events` by default. */
  readonly id?: string
  /** Commands besides echo and ping, of `defineCommands`. None by default. */
  readonly commands?: CommandsDefinition
  /** The task pool, which is there if one of the commands runs in it. */
  readonly pool?: TaskPoolOptions
  /** Headers, validation and cryptography, of `defineEventProtocol`. Version 1 by default. */
  readonly protocol?: BoundEventProtocol
  /** The server over UDP, at the same port. */
  readonly udp?: UdpOptions
}

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
 * options that cannot be used, and what `protocol` throws for its own.
 *
 *   supervisor <id> on the main thread (one_for_one)
 *     ├─ <id>/pool        main thread, if a command runs in the task pool
 *     ├─ …                the acceptors, as in every frame server
 *     └─ <id>/u<i>        UDP on shard i
 */
export function createEventServer(system: System, options: EventServerOptions): EventServer {
  const { id = 'events', commands, protocol, pool: poolOptions, limits: givenLimits, udp = {}, ...rest } = options
  const filled = resolveEventOptions(rest)
  // Who asks for TLS does not mean to take the same commands in the clear.
  const filledUdp = resolveUdpOptions(udp, { ...udpDefaults, enabled: rest.tls === undefined })
  const faults = createFaults()
  if (commands !== undefined && !commandsKind.is(commands)) {
    faults.add('commands', `is ${show(commands)}, not what defineCommands returns`)
  }
  if (protocol !== undefined && !eventProtocolKind.is(protocol?.definition)) {
    faults.add('protocol', `is ${show(protocol)}, not what with(…) of an event protocol returns`)
  }
  faults.throwIfAny('BAD_CONFIG', 'an event server')
  // Every shard builds it for itself; that it can be built is told here, not by a listener that does not start.
  protocol?.definition.create(protocol.options as never)
  const limits = resolveLimits({ ...limitsFor(filled), ...givenLimits })
  const pool = createCommandPool(system, { id, commands, options: poolOptions, limits, filled })
  const service: EventServiceOptions = {
    ...filled,
    ...(commands === undefined ? {} : { commands: referenceTo(commands) }),
    ...(pool === undefined ? {} : { pool: pool.address }),
    ...(protocol === undefined ? {} : { dialect: { ...referenceTo(protocol.definition), options: protocol.options } }),
  }
  const datagrams = filledUdp.enabled
    ? createDatagramActors(system, {
        id,
        udp: filledUdp,
        protocol: protocolReference(eventDatagrams, { ...service, payloadBytesMax: filledUdp.payloadBytesMax }),
      })
    : undefined
  const served = { ...rest, limits, protocol: protocolReference(eventProtocol, service) }
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

/** What a limit is longer than the time of a command. */
const marginMs = 1_000

/** Limits that give every command its time, and the largest answer its room. */
function limitsFor({ commandTimeoutMs, replyBytesMax }: FilledEventOptions): Partial<ServerLimits> {
  const { handlerTimeoutMs, drainTimeoutMs, outputBytesMax, outputHighWaterBytes } = serverLimitDefaults
  return {
    handlerTimeoutMs: Math.max(handlerTimeoutMs, commandTimeoutMs + marginMs),
    drainTimeoutMs: Math.max(drainTimeoutMs, commandTimeoutMs + marginMs),
    outputBytesMax: Math.max(outputBytesMax, replyBytesMax + outputHighWaterBytes),
  }
}
