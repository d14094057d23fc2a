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

  /** `count`: flights that are on their way at a time. */
  constructor(count: number) {
    this.#unmade = count
  }

  /** A copy of `batch` in a slot; undefined when it does not fit, or no slot is free. */
  lend(batch: Uint8Array): Uint8Array | undefined {
    if (batch.length > slotBytes) return undefined
    const slot = this.#free.pop() ?? this.#make()
    if (slot === undefined) return undefined
    const bytes = new Uint8Array(slot, 0, batch.length)
    bytes.set(batch)
    return bytes
  }

  /** Nobody looks at what {@link FlightSlots.lend} answered any more. */
  giveBack({ buffer }: Uint8Array): void {
    this.#free.push(buffer as SharedArrayBuffer)
  }

  /** Somebody may still look at one that was lent. */
  abandon(): void {
    this.#unmade++
  }

  #make(): SharedArrayBuffer | undefined {
    if (this.#unmade === 0) return undefined
    this.#unmade--
    return new SharedArrayBuffer(slotBytes)
  }
}
