/** Virtual time that is moved without a turn of the event loop: for a hundred thousand short lives in a row. */
import type { Clock } from '../../../../src/actors/runtime/clock.ts'

interface Timer {
  readonly atMs: number
  readonly fn: () => void
}

/** The clock. Few timers are set at once: the next one is looked for. */
export class SteppedClock implements Clock {
  #nowMs: number
  readonly #timers = new Set<Timer>()

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  now = (): number => this.#nowMs

  setTimeout = (fn: () => void, ms: number): Timer => {
    const timer = { atMs: this.#nowMs + ms, fn }
    this.#timers.add(timer)
    return timer
  }

  clearTimeout = (timer: unknown): void => {
    this.#timers.delete(timer as Timer)
  }

  /** Sockets have nothing that was not read. */
  defer = (fn: () => void): void => fn()

  /** Moves on by `ms`, firing what is due, in order of time, and calling `each` after every timer. */
  advance(ms: number, each: () => void): void {
    const untilMs = this.#nowMs + ms
    for (;;) {
      let next: Timer | undefined
      for (const timer of this.#timers) if (next === undefined || timer.atMs < next.atMs) next = timer
      if (next === undefined || next.atMs > untilMs) break
      this.#timers.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.fn()
      each()
    }
    this.#nowMs = untilMs
  }
}
