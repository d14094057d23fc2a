/**
 * A table of what comes and goes by the million: entries that know their number.
 *
 * A `Map` is no place for them. V8 never uses the place of what was deleted again, but makes a new table now and then, and has the
 * former one point to it. Once such a table has grown old and died it keeps its successor alive until the whole heap is looked at, that
 * one the next, and so on: each collection of the young then copies all of them, which takes milliseconds in place of a tenth of one.
 * This table is made anew only when it grows.
 *
 * Open addressing with linear probing; what is removed leaves no mark, as those behind it move up (Knuth, The Art of Computer
 * Programming 3, 6.4, algorithm R).
 */

/** What has a number that no other entry of its table has: an integer from 0 to 2^53 - 1. */
export interface Keyed {
  readonly key: number
}

/** Powers of two. */
const slotsMin = 8
/** With more, an empty table begins anew. */
const slotsKept = 2_048

/** 2^32 divided by it (Knuth, 6.4: Fibonacci hashing). */
const goldenRatio = 0x9e37_79b1

/** Entries by their number. */
export class KeyedTable<E extends Keyed> {
  #slots: (E | undefined)[] = freeSlots(slotsMin)
  /** Bits of a hash that are no place. */
  #shift = shiftFor(slotsMin)
  #size = 0

  get size(): number {
    return this.#size
  }

  get(key: number): E | undefined {
    return this.#slots[this.#find(key)]
  }

  /** Adds an entry whose number is not in the table. */
  add(entry: E): void {
    if (2 * (this.#size + 1) > this.#slots.length) this.#grow()
    this.#slots[this.#find(entry.key)] = entry
    this.#size++
  }

  /** Takes an entry out; undefined when it is not there. */
  take(key: number): E | undefined {
    const at = this.#find(key)
    const entry = this.#slots[at]
    if (entry === undefined) return undefined
    this.#size--
    if (this.#size === 0 && this.#slots.length > slotsKept) this.#begin(slotsMin)
    else this.#free(at)
    return entry
  }

  /** All of them, by their numbers, as they are now. */
  inOrder(): E[] {
    const entries: E[] = []
    for (const entry of this.#slots) if (entry !== undefined) entries.push(entry)
    return entries.sort((one, other) => one.key - other.key)
  }

  clear(): void {
    this.#begin(slotsMin)
    this.#size = 0
  }

  #begin(slots: number): void {
    this.#slots = freeSlots(slots)
    this.#shift = shiftFor(slots)
  }

  /** Where an entry would be if it were alone: numbers in a row lie far apart, so that few stand in each other's way. */
  #home(key: number): number {
    return Math.imul(key, goldenRatio) >>> this.#shift
  }

  /** Where an entry is, or would be. */
  #find(key: number): number {
    const slots = this.#slots
    const last = slots.length - 1
    let at = this.#home(key)
    for (let entry = slots[at]; entry !== undefined && entry.key !== key; entry = slots[at]) at = (at + 1) & last
    return at
  }

  #free(at: number): void {
    const slots = this.#slots
    const last = slots.length - 1
    let hole = at
    for (let next = (hole + 1) & last; slots[next] !== undefined; next = (next + 1) & last) {
      const entry = slots[next]!
      const home = this.#home(entry.key)
      // It may move up unless its own place is behind the hole.
      if (((next - home) & last) < ((next - hole) & last)) continue
      slots[hole] = entry
      hole = next
    }
    slots[hole] = undefined
  }

  #grow(): void {
    const former = this.#slots
    this.#begin(2 * former.length)
    for (const entry of former) if (entry !== undefined) this.#slots[this.#find(entry.key)] = entry
  }
}

function shiftFor(slots: number): number {
  return Math.clz32(slots - 1)
}

function freeSlots<E>(count: number): (E | undefined)[] {
  return new Array<E | undefined>(count).fill(undefined)
}
