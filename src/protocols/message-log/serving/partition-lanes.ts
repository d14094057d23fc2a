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

/** Both are undefined while nothing is in it. */
interface Lane<L> {
  head: L | undefined
  tail: L | undefined
}

/** Lanes that may be there, for the next requests of their partitions: a `Map` whose entries come and go is a burden, see `KeyedTable`. */
const restingMax = 1_024

/** The lanes of partitions that have requests in hand, or had. */
export class PartitionLanes<T, L extends InLane<T>> {
  readonly #lanes = new Map<number, Lane<L>>()
  readonly #leave: (entry: L, outcome: T) => void
  #busy = 0

  /** `leave` is called with each entry once its outcome, and those of all before it in its lane, are known. */
  constructor(leave: (entry: L, outcome: T) => void) {
    this.#leave = leave
  }

  /** Partitions with something in hand. */
  get size(): number {
    return this.#busy
  }

  /** Puts an entry at the end of its lane. */
  enter(entry: L): void {
    const lane = this.#laneOf(entry.partitionId)
    if (lane.tail === undefined) {
      this.#busy++
      lane.head = entry
    } else {
      lane.tail.behind = entry
    }
    lane.tail = entry
  }

  #laneOf(partitionId: number): Lane<L> {
    const known = this.#lanes.get(partitionId)
    if (known !== undefined) return known
    const lane: Lane<L> = { head: undefined, tail: undefined }
    this.#lanes.set(partitionId, lane)
    return lane
  }

  /** Says what became of an entry. */
  settle(entry: L, outcome: T): void {
    entry.outcome = outcome
    const lane = this.#lanes.get(entry.partitionId)
    if (lane === undefined || lane.head !== entry) return
    for (let first: L | undefined = lane.head; first?.outcome !== undefined; first = lane.head) {
      const { outcome: known, behind } = first
      lane.head = behind as L | undefined
      // One that the collector has moved among the old would keep all that ever came behind it.
      first.behind = undefined
      if (behind === undefined) this.#empty(entry.partitionId, lane)
      this.#leave(first, known)
    }
  }

  #empty(partitionId: number, lane: Lane<L>): void {
    lane.tail = undefined
    this.#busy--
    if (this.#lanes.size > restingMax) this.#lanes.delete(partitionId)
  }
}
