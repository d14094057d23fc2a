/** The options of an event server: checked, all that is wrong told at once, and filled. */
import { availableParallelism } from 'node:os'
import {
  type AcceptorOptions,
  acceptorOptionNames,
  defaultLimits,
  fillAcceptorOptions,
  fillLimits,
} from '../actors/acceptor/config.ts'
import { type FilledUdpOptions, fillUdpOptions, type UdpOptions, udpDefaults } from '../actors/datagram/config.ts'
import { type FilledTaskPoolOptions, fillTaskPoolOptions, type TaskPoolOptions } from '../actors/task-pool/config.ts'
import { type ServerLimits, serverLimitDefaults } from '../messages/limits.ts'
import { createFaults, type Faults, show } from '../messages/option-faults.ts'
import { thrownText } from '../messages/thread/exit-text.ts'
import { type CommandsDefinition, commandsKind } from '../protocols/event/commands.ts'
import { type BoundEventProtocol, eventProtocolKind } from '../protocols/event/dialect.ts'
import {
  type EventProtocolOptions,
  eventOptionNames,
  type FilledEventOptions,
  fillEventOptions,
} from '../protocols/event/event-options.ts'
import { buildDialect } from '../protocols/event/foreign-dialect.ts'
import { addressFault } from '../supervisor/id-check.ts'

/**
 * Options of `createEventServer`. Left out, `limits.drainTimeoutMs` and `limits.handlerTimeoutMs` are at least a second
 * longer than `commandTimeoutMs`, and `limits.outputBytesMax` has room for an answer of `replyBytesMax`.
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

/** {@link EventServerOptions}, checked and filled in. */
export interface EventServerConfig {
  readonly id: string
  readonly commands: CommandsDefinition | undefined
  readonly protocol: BoundEventProtocol | undefined
  readonly events: FilledEventOptions
  readonly udp: FilledUdpOptions
  readonly limits: ServerLimits
  readonly pool: FilledTaskPoolOptions
  /** What the listener is told besides. */
  readonly listener: Omit<AcceptorOptions, 'limits' | 'protocol'>
}

const known = [...acceptorOptionNames, ...eventOptionNames, 'id', 'commands', 'pool', 'udp']

/** Checks and fills options. `BAD_CONFIG` names all that cannot be used; a protocol throws what it makes of its own. */
export function resolveEventServer(options: EventServerOptions): EventServerConfig {
  const subject = 'an event server'
  const faults = createFaults()
  if (!faults.options('', options, known)) faults.throwIfAny('BAD_CONFIG', subject)
  const { id = 'events', commands, protocol, pool, limits, udp, ...listener } = options
  const fault = addressFault(id)
  if (fault !== undefined) faults.add('id', fault)
  const events = fillEventOptions(listener, faults)
  checkParts(commands, protocol, faults)
  if (pool !== undefined && faults.none && !runsInPool(commands)) {
    faults.add('pool', "is given, but no command has run: 'pool'")
  }
  const config: EventServerConfig = {
    id,
    commands,
    protocol,
    events,
    // Who asks for TLS does not mean to take the same commands in the clear.
    udp: fillUdpOptions(udp, { ...udpDefaults, enabled: listener.tls === undefined }, faults),
    limits: fillLimits(limits, faults, { ...defaultLimits(), ...limitsFor(events) }),
    pool: fillTaskPoolOptions(pool, { platform: process.platform, processors: availableParallelism() }, faults),
    listener: {
      ...fillAcceptorOptions(listener, faults),
      ...(listener.tls === undefined ? {} : { tls: listener.tls }),
    },
  }
  faults.throwIfAny('BAD_CONFIG', subject)
  // Every shard builds it for itself; that it can be built is told here, not by a listener that does not start.
  if (protocol !== undefined) buildDialect(protocol.definition, protocol.options as never)
  return config
}

/** Whether one of them runs in the task pool. */
export function runsInPool(commands: CommandsDefinition | undefined): boolean {
  return Object.values(commands?.table ?? {}).some(({ run }) => run === 'pool')
}

function checkParts(commands: unknown, protocol: Partial<BoundEventProtocol> | undefined, faults: Faults): void {
  if (commands !== undefined && !commandsKind.is(commands)) {
    faults.add('commands', `is ${show(commands)}, not what defineCommands returns`)
  }
  if (protocol !== undefined) checkProtocol(protocol, faults)
}

function checkProtocol(protocol: Partial<BoundEventProtocol> | null, faults: Faults): void {
  if (eventProtocolKind.is(protocol)) {
    faults.add(
      'protocol',
      `is the definition ${protocol.exportName}: ${protocol.exportName}.with(…) is what a server takes`,
    )
  } else if (!eventProtocolKind.is(protocol?.definition)) {
    faults.add('protocol', `is ${show(protocol)}, not what with(…) of an event protocol returns`)
  } else {
    const why = whyNotClonable(protocol?.options)
    if (why === undefined) return
    faults.add(
      'protocol',
      `has options that cannot be copied to the shards, those of the protocol ${protocol.definition.exportName}: ${why}`,
    )
  }
}

/** Why a value cannot be copied to another thread; undefined if it can. */
function whyNotClonable(value: unknown): string | undefined {
  try {
    structuredClone(value)
    return undefined
  } catch (cause) {
    return thrownText(cause)
  }
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
