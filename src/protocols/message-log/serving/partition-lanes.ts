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
  readonly partitionId: number
  head: L | undefined
  tail: L | undefined
}

/** Lanes that may be there, for the next requests of their partitions: a `Map` whose entries come and go is a burden, see `KeyedTable`. */
const restingMax = 1_024

/** The lanes of partitions that have requests in hand, or had. */
export class PartitionLanes<T, L extends InLane<T>> {
  readonly #lanes = new Map<number, Lane<L>>()
  /** The lane that was looked at last: what comes next is mostly of the same partition. */
  #last: Lane<L> | undefined
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
    const known = this.#find(partitionId)
    if (known !== undefined) return known
    const lane: Lane<L> = { partitionId, head: undefined, tail: undefined }
    this.#lanes.set(partitionId, lane)
    return lane
  }

  #find(partitionId: number): Lane<L> | undefined {
    if (this.#last?.partitionId === partitionId) return this.#last
    const found = this.#lanes.get(partitionId)
    if (found !== undefined) this.#last = found
    return found
  }

  /** Says what became of an entry. */
  settle(entry: L, outcome: T): void {
    entry.outcome = outcome
    const lane = this.#find(entry.partitionId)
    if (lane === undefined || lane.head !== entry) return
    for (let first: L | undefined = lane.head; first?.outcome !== undefined; first = lane.head) {
      const { outcome: known, behind } = first
      lane.head = behind as L | undefined
      // One that the collector has moved among the old would keep all that ever came behind it.
      first.behind = undefined
      if (behind === undefined) this.#empty(lane)
      this.#leave(first, known)
    }
  }

  #empty(lane: Lane<L>): void {
    lane.tail = undefined
    this.#busy--
    if (this.#lanes.size <= restingMax) return
    this.#lanes.delete(lane.partitionId)
    if (this.#last === lane) this.#last = undefined
  }
}
