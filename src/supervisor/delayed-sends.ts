/**
 * The sends of references that wait for their time. They are the program's own: they end with the system, and until then keep
 * the process alive.
 */
import type { Clock } from '../actors/runtime/clock.ts'
import { delayedSendsError } from './kernel/delivery-errors.ts'

/** How many may wait in a system; what an actor delays has a bound of its own. */
export const refDelayedSendsMax = 100_000

/** Delayed sends. */
export class DelayedSends {
  readonly #clock: Clock
  /** Each as what takes it back. */
  readonly #waiting = new Set<() => void>()
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Calls `send` in `delayMs` milliseconds; the function returned takes it back. Nothing is sent any more once these are
   * closed.
   *
   * @throws StarfishError OVERLOADED when too many wait
   */
  add(delayMs: number, send: () => void): () => void {
    if (this.#closed) return () => {}
    if (this.#waiting.size >= refDelayedSendsMax) throw delayedSendsError('the system', refDelayedSendsMax)
    const timer = this.#clock.setTimeout(() => {
      this.#waiting.delete(cancel)
      send()
    }, delayMs)
    const cancel = () => {
      this.#waiting.delete(cancel)
      this.#clock.clearTimeout(timer)
    }
    this.#waiting.add(cancel)
    return cancel
  }

  /** Takes all back that wait, and no more. */
  close(): void {
    this.#closed = true
    for (const cancel of [...this.#waiting]) cancel()
  }
}
