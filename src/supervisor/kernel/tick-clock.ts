/**
 * The time of the tick: a reading of the clock costs as much as a short turn, so one serves all that happens before the
 * next turn begins.
 */
import type { Clock } from '../../actors/runtime/clock.ts'

/** A clock that is read once for everything of a tick. */
export class TickClock {
  readonly #clock: Clock
  #nowMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Milliseconds since the epoch, as first read in this tick. Whoever calls it sees to it that {@link end} follows. */
  now(): number {
    if (this.#nowMs === 0) this.#nowMs = this.#clock.now()
    return this.#nowMs
  }

  /** Reads the clock anew. */
  look(): number {
    this.#nowMs = this.#clock.now()
    return this.#nowMs
  }

  /** Calls `work` once the event loop has had its turn. */
  defer(work: () => void): void {
    if (this.#clock.defer === undefined) setImmediate(work)
    else this.#clock.defer(work)
  }

  /** Ends the tick: the next reading is a new one. */
  end(): void {
    this.#nowMs = 0
  }
}
