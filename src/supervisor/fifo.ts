/** A first-in-first-out queue in one ring: push and shift in constant time, no garbage while it stays small. */

/** Entries of the first ring; a power of two, as the size of every ring is. */
const ringMin = 4

/** A ring that had to grow beyond this is let go when it is empty. */
const ringKept = 1_024

/** What a queue has that was never used. */
const noRing: never[] = []

/** A queue of what is never undefined. */
export class Fifo<T> {
  #ring: (T | undefined)[] = noRing
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  push(item: T): void {
    if (this.#size === this.#ring.length) this.#grow()
    this.#ring[(this.#head + this.#size) & (this.#ring.length - 1)] = item
    this.#size++
  }

  /** Removes and returns the oldest; undefined when there is none. */
  shift(): T | undefined {
    if (this.#size === 0) return undefined
    const ring = this.#ring
    const item = ring[this.#head]
    ring[this.#head] = undefined
    if (--this.#size > 0) this.#head = (this.#head + 1) & (ring.length - 1)
    else {
      this.#head = 0
      if (ring.length > ringKept) this.#ring = noRing
    }
    return item
  }

  /** Removes and returns the newest; undefined when there is none. */
  pop(): T | undefined {
    if (this.#size === 0) return undefined
    const at = (this.#head + --this.#size) & (this.#ring.length - 1)
    const item = this.#ring[at]
    this.#ring[at] = undefined
    return item
  }

  /** Removes and returns the oldest that matches; the cost is that of those before it. */
  shiftFirst(matches: (item: T) => boolean): T | undefined {
    for (let index = 0; index < this.#size; index++) {
      if (!matches(this.#at(index))) continue
      const found = this.#at(index)
      for (let to = index; to > 0; to--) this.#put(to, this.#at(to - 1))
      this.shift()
      return found
    }
    return undefined
  }

  /** Removes and returns the newest that matches; the cost is that of those behind it. */
  popLast(matches: (item: T) => boolean): T | undefined {
    for (let index = this.#size - 1; index >= 0; index--) {
      if (!matches(this.#at(index))) continue
      const found = this.#at(index)
      for (let to = index; to < this.#size - 1; to++) this.#put(to, this.#at(to + 1))
      this.pop()
      return found
    }
    return undefined
  }

  #at(index: number): T {
    return this.#ring[(this.#head + index) & (this.#ring.length - 1)]!
  }

  #put(index: number, item: T): void {
    this.#ring[(this.#head + index) & (this.#ring.length - 1)] = item
  }

  /** The oldest; undefined when there is none. */
  peek(): T | undefined {
    return this.#size === 0 ? undefined : this.#ring[this.#head]
  }

  /** Removes and returns all, oldest first. */
  drain(): T[] {
    const all: T[] = []
    for (let item = this.shift(); item !== undefined; item = this.shift()) all.push(item)
    return all
  }

  #grow(): void {
    const ring = this.#ring
    const bigger: (T | undefined)[] = new Array(Math.max(ringMin, ring.length * 2))
    for (let index = 0; index < this.#size; index++) bigger[index] = ring[(this.#head + index) & (ring.length - 1)]
    this.#ring = bigger
    this.#head = 0
  }
}
