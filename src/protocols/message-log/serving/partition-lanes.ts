/**
 * Keeps the answers of each partition in the order of their requests, whatever the order in which they are known. Pure.
 *
 * ```
 * partition 7   [asked, known] [asked] [asked, known]       the first leaves, the others wait for the second
 * ```
 */

/** A request in the lane of its partition. */
export interface InLane<T> {
  readonly partitionId: number
  /** What became of it; undefined until it is known. */
  outcome: T | undefined
  /** The one behind it. */
  behind: InLane<T> | undefined
}

interface Lane<L> {
  head: L
  tail: L
}

/** The lanes of all partitions that have requests in hand. */
export class PartitionLanes<T, L extends InLane<T>> {
  readonly #lanes = new Map<number, Lane<L>>()
  readonly #leave: (entry: L, outcome: T) => void

  /** `leave` is called with each entry once its outcome, and those of all before it in its lane, are known. */
  constructor(leave: (entry: L, outcome: T) => void) {
    this.#leave = leave
  }

  /** Partitions with something in hand. */
  get size(): number {
    return this.#lanes.size
  }

  /** Puts an entry at the end of its lane. */
  enter(entry: L): void {
    const lane = this.#lanes.get(entry.partitionId)
    if (lane === undefined) {
      this.#lanes.set(entry.partitionId, { head: entry, tail: entry })
    } else {
      lane.tail.behind = entry
      lane.tail = entry
    }
  }

  /** Says what became of an entry. */
  settle(entry: L, outcome: T): void {
    entry.outcome = outcome
    const lane = this.#lanes.get(entry.partitionId)
    if (lane === undefined || lane.head !== entry) return
    for (let first: L | undefined = entry; first?.outcome !== undefined; first = first.behind as L | undefined) {
      if (first.behind === undefined) this.#lanes.delete(entry.partitionId)
      else lane.head = first.behind as L
      this.#leave(first, first.outcome)
    }
  }
}
