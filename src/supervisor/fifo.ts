/**
 * A first-in-first-out queue in a row of places, pushed at one end and shifted at the other; push and shift in constant time.
 *
 * A row that has been filled is not used again but followed by a new one, so that what is pushed finds a young row: to store
 * what is young in what has grown old costs V8 a note, which takes longer than all else of a push.
 */

/** Places of the first row; a power of two, as the size of every row is. */
const rowMin = 16

/** A row that had to be longer than this is let go when it is empty. */
const rowKept = 1_024

/** What a queue has that was never used. */
const noRow: never[] = []

/** A queue of what is never undefined. */
export class Fifo<T> {
  #row: (T | undefined)[] = noRow
  /** Where the oldest is, and where the next one goes. */
  #first = 0
  #end = 0

  get size(): number {
    return this.#end - this.#first
  }

  push(item: T): void {
    if (this.#end === this.#row.length) this.#renew()
    this.#row[this.#end++] = item
  }

  /** Removes and returns the oldest; undefined when there is none. */
  shift(): T | undefined {
    const first = this.#first
    if (first === this.#end) return undefined
    const item = this.#row[first]
    this.#row[first] = undefined
    this.#first = first + 1
    if (this.#row.length > rowKept) this.#letGoIfEmpty()
    return item
  }

  /** Removes and returns the newest; undefined when there is none. */
  pop(): T | undefined {
    if (this.size === 0) return undefined
    const at = --this.#end
    const item = this.#row[at]
    this.#row[at] = undefined
    return item
  }

  /** Removes and returns the oldest that matches; the cost is that of those before it. */
  shiftFirst(matches: (item: T) => boolean): T | undefined {
    const row = this.#row
    for (let at = this.#first; at < this.#end; at++) {
      const found = row[at]!
      if (!matches(found)) continue
      row.copyWithin(this.#first + 1, this.#first, at)
      this.shift()
      return found
    }
    return undefined
  }

  /** Removes and returns the newest that matches; the cost is that of those behind it. */
  popLast(matches: (item: T) => boolean): T | undefined {
    const row = this.#row
    for (let at = this.#end - 1; at >= this.#first; at--) {
      const found = row[at]!
      if (!matches(found)) continue
      row.copyWithin(at, at + 1, this.#end)
      this.pop()
      return found
    }
    return undefined
  }

  /** The oldest; undefined when there is none. */
  peek(): T | undefined {
    return this.#first === this.#end ? undefined : this.#row[this.#first]
  }

  /** Removes and returns all, oldest first. */
  drain(): T[] {
    const all = this.#row.slice(this.#first, this.#end) as T[]
    this.#row = noRow
    this.#first = this.#end = 0
    return all
  }

  #letGoIfEmpty(): void {
    if (this.#first !== this.#end) return
    this.#row = noRow
    this.#first = this.#end = 0
  }

  /** A new row with as much room as there are items, at least. */
  #renew(): void {
    const { size } = this
    let places = rowMin
    while (places < 2 * size) places *= 2
    const row: (T | undefined)[] = new Array(places)
    for (let index = 0; index < size; index++) row[index] = this.#row[this.#first + index]
    this.#row = row
    this.#first = 0
    this.#end = size
  }
}
