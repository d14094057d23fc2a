/**
 * Which slots of a direction are free, and which is taken next.
 *
 * The state bytes of 64 slots share a line of memory, for which the two threads compete. So slots are taken one behind the
 * other, as far as they are free, whatever the order in which they came back: what leaves together lies together, and the
 * sender is seldom at the lines in which the receiver writes. They wrap around early, at twice as many as are in use, so
 * that a direction with little under way stays within a few lines.
 */

/** Slots that are used before any is used again: a line of memory. */
const spanMin = 64

/** The free slots of one direction; a bit each. */
export class FreeSlots {
  readonly #slots: number
  /** 1 for a slot that is in use, or is none. */
  readonly #used: Int32Array
  #inUse = 0
  /** Where the search for the next one begins, and the word of bits behind which it begins at 0 again. */
  #next = 0
  #spanWords: number

  constructor(slots: number) {
    this.#slots = slots
    this.#used = new Int32Array((slots + 31) >> 5)
    if ((slots & 31) !== 0) this.#used[slots >> 5] = -1 << (slots & 31)
    this.#spanWords = Math.min(spanMin >> 5, this.#used.length)
  }

  /** Takes the next one. There must be one. */
  take(): number {
    if (++this.#inUse > this.#spanWords << 4 && this.#spanWords < this.#used.length) {
      this.#spanWords = Math.min(this.#spanWords * 2, this.#used.length)
    }
    let word = this.#next >> 5
    let free = ~this.#used[word]! & (-1 << (this.#next & 31))
    while (free === 0) {
      word = word + 1 < this.#spanWords ? word + 1 : 0
      free = ~this.#used[word]!
    }
    const bit = free & -free
    this.#used[word]! |= bit
    const slot = (word << 5) + 31 - Math.clz32(bit)
    this.#next = slot + 1 < this.#spanWords << 5 && slot + 1 < this.#slots ? slot + 1 : 0
    return slot
  }

  /** Gives one back. */
  giveBack(slot: number): void {
    this.#inUse--
    this.#used[slot >> 5]! &= ~(1 << (slot & 31))
  }
}
