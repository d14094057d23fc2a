/** Options of the log protocol: checked and filled once, then plain data that travels to the shards. */
import type { DefinitionRef } from '../../actors/runtime/define-actor.ts'
import { LOG_FRAME_BYTES_MAX } from '../../messages/log/codes.ts'
import type { Faults } from '../../messages/option-faults.ts'

/** What a server may say about its requests. */
export interface LogProtocolOptions {
  /** The largest length that a request may declare, bytes: a longer one ends its connection. Default 16 MiB. */
  readonly frameBytesMax?: number
  /** How long a request may take until it is answered `requestTimeout`, ms. Default 10,000. */
  readonly requestTimeoutMs?: number
  /** Shard: Fetches that may wait for messages at once; one more is answered `storageError`. Default 65,536. */
  readonly longPollsMax?: number
  /** Partitions of all topics together: a topic that would bring more is refused. Default 100,000. */
  readonly partitionsMax?: number
}

/** Filled options. Clonable. */
export type FilledLogOptions = Required<LogProtocolOptions>

/** What a shard is told of the protocol. */
export interface LogServiceOptions extends FilledLogOptions {
  /** Address of the owner of the store. */
  readonly store: string
  /** The engine, with its options. */
  readonly engine: DefinitionRef & { readonly options: unknown }
  /** Of `createAdvances`: shared with the owner. */
  readonly advances: SharedArrayBuffer
  /** Of `logFigures`: shared with the owner too. */
  readonly figures: SharedArrayBuffer
}

/** Half of what a timer can wait: limits that are made of it stay within that. */
const delayMsMax = 1_073_741_823

/** Limits that are made of it stay within what a buffer can hold. */
const frameBytesMost = 268_435_456

/** The smallest limit lets a message of some kilobytes through. */
const frameBytesLeast = 4_096

/** The options of {@link LogProtocolOptions}, by name. */
export const logOptionNames = [
  'frameBytesMax',
  'requestTimeoutMs',
  'longPollsMax',
  'partitionsMax',
] as const satisfies readonly (keyof LogProtocolOptions)[]

/** Fills options, with a fault for each that cannot be used. */
export function fillLogOptions(options: LogProtocolOptions, faults: Faults): FilledLogOptions {
  const { frameBytesMax = LOG_FRAME_BYTES_MAX, requestTimeoutMs = 10_000, longPollsMax = 65_536 } = options
  const { partitionsMax = 100_000 } = options
  faults.whole('frameBytesMax', frameBytesMax, frameBytesLeast, frameBytesMost)
  faults.whole('requestTimeoutMs', requestTimeoutMs, 1, delayMsMax)
  faults.whole('longPollsMax', longPollsMax, 0, 1_000_000)
  faults.whole('partitionsMax', partitionsMax, 1, 0xffff_ffff)
  return { frameBytesMax, requestTimeoutMs, longPollsMax, partitionsMax }
}
