/**
 * How much the tracks of a consumer may hold together: what they have fetched ahead, and what they ask for.
 *
 * ```
 *   reserve ─ room ──> asked for ── keep ──> held ── release ──> room, for those that wait, in their order
 *      └─ no room ──> waits              └─ no room: the answer is thrown away, and asked for again when there is
 * ```
 * An answer is larger than what was asked for if its only message is. Beyond the bound there is one of those at most, however
 * many partitions have one. Whoever waits gets on: what is held the reader takes, and what is held for partitions that are
 * paused is given back.
 */

/** A track, as the budget sees it. */
export interface BudgetUser {
  /** What it would ask for now; 0 if it has no use for room. */
  readonly wantedBytes: number
  /** There is room. */
  go(): void
}

/** The budget of one consumer. */
export class PrefetchBudget {
  /** What a track may hold, a larger message aside. */
  readonly shareBytes: number
  /** What a track asks for at once, unless it knows that the next message is larger. */
  readonly fetchBytes: number
  readonly #bytesMax: number
  readonly #reclaim: () => void
  readonly #waiting = new Set<BudgetUser>()
  #bytes = 0
  #isServing = false

  /** `reclaim` is called when somebody waits: has tracks that are paused give back what they hold. */
  constructor(bytesMax: number, fetchBytesMax: number, tracks: number, reclaim: () => void) {
    this.shareBytes = Math.max(1, Math.floor(bytesMax / tracks))
    this.fetchBytes = Math.max(1, Math.min(fetchBytesMax, Math.floor(this.shareBytes / 2)))
    this.#bytesMax = Math.max(bytesMax, tracks)
    this.#reclaim = reclaim
  }

  /** What is held and asked for. */
  get bytes(): number {
    return this.#bytes
  }

  /** Takes room for what is asked for now; false when it is to wait, and is told. */
  reserve(who: BudgetUser, bytes: number): boolean {
    if ((this.#waiting.size === 0 || this.#isServing) && this.#fits(bytes)) {
      this.#bytes += bytes
      return true
    }
    this.#waiting.add(who)
    this.serve()
    return false
  }

  /** What was asked for came: whether it is kept. */
  keep(askedBytes: number, bytes: number): boolean {
    this.#bytes -= askedBytes
    const isKept = bytes <= askedBytes || this.#bytes <= this.#bytesMax
    if (isKept) this.#bytes += bytes
    return isKept
  }

  /** What was held, or asked for in vain, is no more. */
  release(bytes: number): void {
    this.#bytes -= bytes
    this.serve()
  }

  /** It waits no longer. */
  leave(who: BudgetUser): void {
    if (this.#waiting.delete(who)) this.serve()
  }

  /** Nobody is let go on any more. */
  close(): void {
    this.#isServing = true
    this.#waiting.clear()
  }

  /** Lets those that wait go on, as far as there is room. */
  serve(): void {
    if (this.#isServing || this.#waiting.size === 0) return
    this.#isServing = true
    this.#admit()
    if (this.#waiting.size > 0) {
      this.#reclaim()
      this.#admit()
    }
    this.#isServing = false
  }

  #admit(): void {
    for (const who of this.#waiting) {
      const { wantedBytes } = who
      if (wantedBytes > 0 && !this.#fits(wantedBytes)) return
      this.#waiting.delete(who)
      who.go()
    }
  }

  #fits(bytes: number): boolean {
    return bytes > this.fetchBytes ? this.#bytes <= this.#bytesMax : this.#bytes + bytes <= this.#bytesMax
  }
}
