/** Lines of the log that somebody outside can cause: one of each kind in an interval, with how many were left out. */
import type { Clock } from './clock.ts'

/** Decides which lines are written. Kinds are few and known: each is remembered for good. */
export class LogThrottle<K> {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #kinds = new Map<K, { writtenAtMs: number; left: number }>()

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock
    this.#intervalMs = intervalMs
  }

  /** Calls `write` unless a line of this kind was written less than an interval ago; with how many were left out since. */
  write(kind: K, write: (leftOut: number) => void): void {
    const nowMs = this.#clock.now()
    const last = this.#kinds.get(kind)
    if (last !== undefined && nowMs - last.writtenAtMs < this.#intervalMs) {
      last.left++
      return
    }
    this.#kinds.set(kind, { writtenAtMs: nowMs, left: 0 })
    write(last?.left ?? 0)
  }
}
