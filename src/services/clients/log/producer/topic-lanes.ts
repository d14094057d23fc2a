/** The lanes to the partitions of a topic, and which of them a message takes. */
import type { Random } from '../../../../actors/runtime/clock.ts'
import { partitionOfKey } from '../murmur2.ts'
import type { Lane } from './lane.ts'

/** The lanes of one topic. */
export class TopicLanes {
  readonly lanes: readonly Lane[]
  readonly #random: Random
  readonly #byPartition: ReadonlyMap<number, Lane>
  #sticky: Lane

  /** In the order of the topic's partitions, at least one. */
  constructor(lanes: readonly Lane[], random: Random) {
    this.lanes = lanes
    this.#random = random
    this.#byPartition = new Map(lanes.map(lane => [lane.partition, lane]))
    this.#sticky = lanes[Math.floor(random() * lanes.length)]!
  }

  has(partition: number): boolean {
    return this.#byPartition.has(partition)
  }

  /** That of the partition it names, else of its key, else the one that messages without key go to now. */
  laneFor(partition: number | undefined, key: Uint8Array | null): Lane {
    if (partition !== undefined) return this.#byPartition.get(partition)!
    return key === null ? this.#sticky : this.lanes[partitionOfKey(key, this.lanes.length)]!
  }

  /** A lane has a whole batch: if messages without key went there, they go to another one from now on. */
  sealed(lane: Lane): void {
    const { lanes } = this
    if (lane !== this.#sticky || lanes.length === 1) return
    const others = lanes.length - 1
    const next = Math.floor(this.#random() * others)
    this.#sticky = lanes[next < lanes.indexOf(lane) ? next : next + 1]!
  }
}
