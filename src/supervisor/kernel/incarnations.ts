/** Counts the starts of addresses, from 1, over restarts, lost shards and changes of owner. */
import type { ActorEntry } from './entry.ts'

/** Addresses without an owner whose starts are remembered. */
const pastMax = 10_000

/** The counts of one thread. */
export class Incarnations {
  readonly #entries: ReadonlyMap<string, ActorEntry>
  readonly #counts = new Map<string, number>()
  readonly #past = new Map<string, number>()

  /** `entries` are the actors of the thread; they count for themselves. */
  constructor(entries: ReadonlyMap<string, ActorEntry>) {
    this.#entries = entries
  }

  /** The number of the next start of that address: one more than its last, as long as the address is remembered. */
  next(address: string): number {
    return (this.#last(address) ?? this.#past.get(address) ?? 0) + 1
  }

  /** Goes on counting where an earlier worker of this shard, or another thread, has stopped; never backwards. */
  note(address: string, incarnation: number): void {
    if (incarnation >= this.next(address)) this.#counts.set(address, incarnation)
  }

  /** An address was given up: the count of its starts is remembered for a while, should somebody take it again. */
  retire(address: string): void {
    const last = this.#last(address)
    this.#counts.delete(address)
    if (last === undefined) return
    this.#past.delete(address)
    this.#past.set(address, last)
    if (this.#past.size <= pastMax) return
    const oldest = this.#past.keys().next().value
    if (oldest !== undefined) this.#past.delete(oldest)
  }

  /** The entry knows it where the actor lives; what was noted counts where it lives elsewhere, or has not started yet. */
  #last(address: string): number | undefined {
    const noted = this.#counts.get(address)
    const known = this.#entries.get(address)?.incarnation
    return noted === undefined || known === undefined ? (noted ?? known) : Math.max(noted, known)
  }
}
