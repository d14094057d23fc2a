/**
 * The time of the tick: a reading of the clock costs as much as a short turn, so one serves all that happens before the
 * next turn begins.
 */
import type { Clock } from '../../actors/runtime/clock.ts'

/** A clock that is read once for everything of a tick. */
export class TickClock {
  /** When it was made, milliseconds since the epoch. */
  readonly startedAtMs: number
  readonly #clock: Clock
  #nowMs = 0
  /** -1 while it has not been asked for in this tick. */
  #elapsedMs = -1

  constructor(clock: Clock) {
    this.#clock = clock
    this.startedAtMs = clock.now()
  }

  /** Milliseconds since the epoch, as first read in this tick. Whoever calls it sees to it that {@link end} follows. */
  now(): number {
    if (this.#nowMs === 0) this.#nowMs = this.#clock.now()
    return this.#nowMs
  }

  /** As {@link now}, whole milliseconds since `startedAtMs`. */
  elapsedMs(): number {
    if (this.#elapsedMs < 0) this.#elapsedMs = Math.max(0, Math.floor(this.now() - this.startedAtMs))
    return this.#elapsedMs
  }

  /** Reads the clock anew. */
  look(): number {
    this.#nowMs = this.#clock.now()
    this.#elapsedMs = -1
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
    this.#elapsedMs = -1
  }
}
