/** Options of a consumer, checked and filled once. */
import { createFaults, show } from '../../../../messages/option-faults.ts'
import { checkNumber, countRange, fillNumbers, waitRange } from '../../client-options.ts'
import { partitionsFault, signalFault, topicFault } from '../check-arguments.ts'

/** Where a consumer begins: at the oldest message that is kept, behind the newest, or at an offset of each partition. */
export type ConsumeFrom = 'start' | 'end' | Readonly<Record<number, number>>

/** What becomes of a consumer whose offset is no more, or not yet: it fails, or goes on at the oldest message or the end. */
export type OutOfRange = 'fail' | 'start' | 'end'

/** Bounds of a consumer. */
export interface ConsumerNumbers {
  /** Bytes of one fetch; a larger message comes alone. Default 1 MiB. */
  readonly fetchBytesMax?: number
  /** Bytes that are fetched ahead, of all partitions together, each of which has its share. Default 8 MiB. */
  readonly prefetchBytesMax?: number
  /** How long a server waits for messages before it answers that there are none, ms. Default 10,000. */
  readonly maxWaitMs?: number
}

/** Options of `LogClient.consumer`. */
export interface ConsumerOptions extends ConsumerNumbers {
  /** Name of the topic to read. Looked up when the first message is asked for. */
  readonly topic: string
  /** Where it begins. Partitions that an object does not name begin at the start. Default `start`. */
  readonly from?: ConsumeFrom
  /** Ids of the partitions to read. Default: all of the topic. */
  readonly partitions?: readonly number[]
  /** What to do where an offset is no more, or not yet. Default `fail`. */
  readonly outOfRange?: OutOfRange
  /** Ends it: whoever waits for a message is rejected with REQUEST_ABORTED. */
  readonly signal?: AbortSignal
}

/** {@link ConsumerOptions}, filled in. */
export interface ConsumerConfig extends Required<ConsumerNumbers> {
  readonly topic: string
  readonly from: ConsumeFrom
  readonly partitions: readonly number[] | undefined
  readonly outOfRange: OutOfRange
}

/** The numbers of a consumer that was told nothing else. */
export const consumerDefaults: Required<ConsumerNumbers> = {
  fetchBytesMax: 1_048_576,
  prefetchBytesMax: 8_388_608,
  maxWaitMs: 10_000,
}

const idPattern = /^(0|[1-9]\d{0,9})$/

/** No list, map, date and so on, whose entries are something else. */
function isPlain(value: object): boolean {
  return Object.prototype.toString.call(value) === '[object Object]'
}

const notFrom = (value: unknown) => `is ${show(value)}, not start, end, or { partition: offset }`

const names = ['topic', 'from', 'partitions', 'outOfRange', 'signal', ...Object.keys(consumerDefaults)]

/**
 * Checks and fills options. `BAD_CONFIG` names all that cannot be used. `silenceTimeoutMs` is the pool's: a server that waits
 * longer than that would be taken for dead.
 */
export function resolveConsumer(options: ConsumerOptions, silenceTimeoutMs: number): ConsumerConfig {
  const faults = createFaults()
  const subject = 'the consumer cannot be created'
  if (!faults.options('', options, names)) faults.throwIfAny('BAD_CONFIG', subject)
  const { topic, from = 'start', partitions, outOfRange = 'fail', signal, ...numbers } = options
  const unnamed = topicFault('topic', topic)
  if (unnamed !== undefined) faults.add(unnamed.path, unnamed.reason)
  if (typeof from !== 'object' || from === null) {
    if (from !== 'start' && from !== 'end') faults.add('from', notFrom(from))
  } else if (!isPlain(from)) faults.add('from', notFrom(from))
  else {
    for (const [partition, offset] of Object.entries(from)) {
      if (!idPattern.test(partition) || Number(partition) > 0xffff_ffff) {
        faults.add(`from[${partition}]`, 'is for what is no id of a partition')
      }
      checkNumber(`from[${partition}]`, offset, { least: 0, most: Number.MAX_SAFE_INTEGER }, faults)
      if (Array.isArray(partitions) && !partitions.includes(Number(partition))) {
        faults.add(`from[${partition}]`, 'is for a partition that is not among partitions')
      }
    }
  }
  if (partitions !== undefined) {
    const fault = partitionsFault('partitions', partitions)
    if (fault !== undefined) faults.add(fault.path, fault.reason)
    else if (partitions.length === 0) faults.add('partitions', 'is an empty list')
  }
  const badSignal = signalFault(signal)
  if (badSignal !== undefined) faults.add(badSignal.path, badSignal.reason)
  faults.oneOf('outOfRange', outOfRange, ['fail', 'start', 'end'])
  const ranges = {
    fetchBytesMax: { ...countRange, most: 0xffff_ffff },
    prefetchBytesMax: countRange,
    maxWaitMs: waitRange,
  }
  const known = Object.fromEntries(Object.entries(numbers).filter(([name]) => name in consumerDefaults))
  const filled = fillNumbers<Required<ConsumerNumbers>>('', known, { defaults: consumerDefaults, ranges }, faults)
  if (typeof filled.maxWaitMs === 'number' && filled.maxWaitMs >= silenceTimeoutMs) {
    faults.add('maxWaitMs', `is ${filled.maxWaitMs}, not less than silenceTimeoutMs of the pool, ${silenceTimeoutMs}`)
  }
  faults.throwIfAny('BAD_CONFIG', subject)
  return { ...filled, topic, from, partitions, outOfRange }
}
