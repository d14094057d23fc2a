/** What a log server counts: the owner of its store in the first section, each shard in one of its own. */
import { SharedFigures } from '../../actors/serving/shared-figures.ts'

const names = [
  'appends',
  'messages',
  'bytes',
  'appendsFailed',
  'appendsWaiting',
  'batchesRemoved',
  'bytesRemoved',
  'retentionsFailed',
  'longPollsWaiting',
] as const

/** The name of a figure. */
type LogFigure = (typeof names)[number]

/** Figures of a log server: those that wait are of now, the others since it was created. */
export interface LogFigures extends Readonly<Record<LogFigure, number>> {
  /** Appends that were answered as stored, repeats too. */
  readonly appends: number
  /** Messages in them. */
  readonly messages: number
  /** Bytes of those. */
  readonly bytes: number
  /** Appends that the store refused. */
  readonly appendsFailed: number
  /** Appends that the owner of the store has in hand. */
  readonly appendsWaiting: number
  /** What retention has removed, of deleted topics too. */
  readonly batchesRemoved: number
  /** Bytes of messages in those. */
  readonly bytesRemoved: number
  /** Looks of retention that failed. */
  readonly retentionsFailed: number
  /** Fetches that wait for messages. */
  readonly longPollsWaiting: number
}

/** The figures of a log server: sections for {@link ownerSlot} and each {@link shardSlot}. */
export const logFigures = new SharedFigures<LogFigure>(names, ['appendsWaiting', 'longPollsWaiting'])

/** The section of the owner of the store. */
export const ownerSlot = 0

/** The section of a shard; -1 is the main thread, of a system without shards. */
export function shardSlot(shard: number): number {
  return 1 + Math.max(0, shard)
}
