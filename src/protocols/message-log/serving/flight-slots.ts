/**
 * Shared memory through which flights cross to an owner on another thread: each is written into a slot, read where it lies, and
 * the slot is used again once all of it is stored. So no flight costs either thread memory that is to be collected.
 *
 * A slot that nobody can vouch for (the owner died, was late, or refused something) is never written again: it is abandoned, and
 * another one is made when it is needed.
 */

/** What a slot holds; a larger flight crosses by itself. */
export const slotBytes = 1_310_720

/** The slots of one queue. */
export class FlightSlots {
  readonly #free: SharedArrayBuffer[] = []
  #unmade: number

  /** `count`: slots that are in use at a time. */
  constructor(count: number) {
    this.#unmade = count
  }

  /** A slot that nobody looks at; undefined when all are in use. */
  take(): SharedArrayBuffer | undefined {
    return this.#free.pop() ?? this.#make()
  }

  /** Nobody looks at it any more. */
  giveBack(slot: SharedArrayBuffer): void {
    this.#free.push(slot)
  }

  /** Somebody may still look at one that was taken. */
  abandon(): void {
    this.#unmade++
  }

  #make(): SharedArrayBuffer | undefined {
    if (this.#unmade === 0) return undefined
    this.#unmade--
    return new SharedArrayBuffer(slotBytes)
  }
}
