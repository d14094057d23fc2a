/** Options of the event protocol: checked and filled once, then plain data that travels to the shards. */
import type { DefinitionRef } from '../../actors/runtime/define-actor.ts'
import { createFaults, type Faults } from '../../messages/option-faults.ts'
import type { DialectReference } from './dialect.ts'

/** What a server may say about its requests. */
export interface EventProtocolOptions {
  /** The server's own number, 0 to 255: requests for another one are answered `invalidHeader`. Default 0. */
  readonly raidaId?: number
  /** Ends each connection after its first answer. Default false. */
  readonly oneRequestPerConnection?: boolean
  /** How long a command may take until its request is answered `timeout`, ms. Default 10,000. */
  readonly commandTimeoutMs?: number
  /** The largest body of an answer, bytes; a command that answers more has failed. Default 16 MiB. */
  readonly replyBytesMax?: number
}

/** A task pool, as one of those that use it knows it. */
export interface PoolShare {
  readonly address: string
  /** Tasks that it may have in hand there for senders who have not proven their address. */
  readonly unprovenTasksMax: number
}

/** What a shard is told of the protocol. */
export interface EventServiceOptions extends EventProtocolOptions {
  /** The commands besides the built-in ones. Default none. */
  readonly commands?: DefinitionRef
  /** The task pool, where one of the commands runs there. */
  readonly pool?: PoolShare
  /** The headers and bodies. Default those of version 1. */
  readonly dialect?: DialectReference
}

/** Filled options. Clonable. */
export type FilledEventOptions = Required<EventProtocolOptions>

/** Half of what a timer can wait, and of what a buffer can hold: limits that are made of it stay within them. */
const largest = 1_073_741_823

/** The options of {@link EventProtocolOptions}, by name. */
export const eventOptionNames = [
  'raidaId',
  'oneRequestPerConnection',
  'commandTimeoutMs',
  'replyBytesMax',
] as const satisfies readonly (keyof EventProtocolOptions)[]

/** Checks and fills options. `BAD_CONFIG` names all that cannot be used. */
export function resolveEventOptions(options: EventProtocolOptions): FilledEventOptions {
  const faults = createFaults()
  const filled = fillEventOptions(options, faults)
  faults.throwIfAny('BAD_CONFIG', 'an event server')
  return filled
}

/** As {@link resolveEventOptions}, with a fault for each option that cannot be used. */
export function fillEventOptions(options: EventProtocolOptions, faults: Faults): FilledEventOptions {
  const { raidaId = 0, commandTimeoutMs = 10_000, replyBytesMax = 16_777_216 } = options
  const { oneRequestPerConnection = false } = options
  faults.whole('raidaId', raidaId, 0, 255)
  faults.boolean('oneRequestPerConnection', oneRequestPerConnection)
  faults.whole('commandTimeoutMs', commandTimeoutMs, 1, largest)
  faults.whole('replyBytesMax', replyBytesMax, 1, largest)
  return { raidaId, oneRequestPerConnection, commandTimeoutMs, replyBytesMax }
}
