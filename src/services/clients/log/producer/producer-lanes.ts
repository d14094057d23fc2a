/**
 * The lanes of a producer: one for each partition that it sends to, found by topic.
 *
 * ```
 *   opened ─> in use ── topic forgotten ──> kept ── its partition listed again ──> in use
 *                                             └─── not listed any more ──> unlisted ── idle ──> freed
 * ```
 * Producer id, partition and sequence stand for one batch for ever, as a server answers what it has seen before as a repeat.
 * So a lane that is kept goes on counting where it was, and a new one, of the same partition too, has a producer id of its own.
 */
import type { Random } from '../../../../actors/runtime/clock.ts'
import type { Lane } from './lane.ts'
import { TopicLanes } from './topic-lanes.ts'

interface OfTopic {
  readonly lanes: Map<number, Lane>
  inUse: TopicLanes | undefined
}

/** What {@link ProducerLanes} needs. */
export interface ProducerLanesOptions {
  readonly random: Random
  create(topic: string, partition: number): Lane
}

/** The lanes of one producer. */
export class ProducerLanes {
  readonly #options: ProducerLanesOptions
  readonly #topics = new Map<string, OfTopic>()
  /** Lanes of partitions that are gone, which have not settled yet what they hold. */
  readonly #unlisted = new Set<Lane>()

  constructor(options: ProducerLanesOptions) {
    this.#options = options
  }

  /** Those in use for a topic. */
  of(topic: string): TopicLanes | undefined {
    return this.#topics.get(topic)?.inUse
  }

  /** Takes those of a topic into use that has these partitions, at least one. */
  open(topic: string, partitions: readonly number[]): TopicLanes {
    const { random, create } = this.#options
    const entry: OfTopic = this.#topics.get(topic) ?? { lanes: new Map(), inUse: undefined }
    this.#topics.set(topic, entry)
    this.#unlistOthers(entry, new Set(partitions))
    const lanes = partitions.map(partition => {
      const lane = entry.lanes.get(partition) ?? create(topic, partition)
      entry.lanes.set(partition, lane)
      this.#unlisted.delete(lane)
      return lane
    })
    entry.inUse = new TopicLanes(lanes, random)
    return entry.inUse
  }

  /** Its partitions may be others by now. */
  forget(topic: string): void {
    const entry = this.#topics.get(topic)
    if (entry !== undefined) entry.inUse = undefined
  }

  /** Holds those of a topic no longer. */
  drop(topic: string): void {
    for (const lane of this.#topics.get(topic)?.lanes.values() ?? []) this.#unlisted.delete(lane)
    this.#topics.delete(topic)
  }

  /** All topics were looked up: lanes of partitions that were not found are freed as soon as they are idle. */
  keep(partitionsOf: (topic: string) => readonly number[] | undefined): void {
    for (const [topic, entry] of this.#topics) {
      const listed = new Set(partitionsOf(topic))
      if (entry.inUse?.lanes.some(({ partition }) => !listed.has(partition))) entry.inUse = undefined
      this.#unlistOthers(entry, listed)
      if (entry.lanes.size === 0) this.#topics.delete(topic)
    }
  }

  /** A lane has settled a batch. */
  settled(lane: Lane): void {
    if (!(lane.isIdle && this.#unlisted.delete(lane))) return
    const { topic, partition } = lane
    const lanes = this.#topics.get(topic)?.lanes
    lanes?.delete(partition)
    if (lanes?.size === 0) this.#topics.delete(topic)
  }

  /** Every lane that is held. */
  *[Symbol.iterator](): IterableIterator<Lane> {
    for (const { lanes } of this.#topics.values()) yield* lanes.values()
  }

  #unlistOthers({ lanes }: OfTopic, listed: ReadonlySet<number>): void {
    for (const [partition, lane] of lanes) {
      if (listed.has(partition)) continue
      if (lane.isIdle) lanes.delete(partition)
      else this.#unlisted.add(lane)
    }
  }
}
