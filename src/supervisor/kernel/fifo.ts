/** A first-in-first-out queue in one growing ring: push and shift in constant time, no garbage while it stays small. */
export class Fifo<T> {
  #ring: (T | undefined)[] = new Array(4)
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

  shift(): T | undefined {
    if (this.#size === 0) return undefined
    const item = this.#ring[this.#head]
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.#size--
    if (this.#size === 0 && this.#ring.length > 1_024) this.#ring = new Array(4)
    if (this.#size === 0) this.#head = 0
    return item
  }

  /** Takes the newest out. */
  pop(): T | undefined {
    if (this.#size === 0) return undefined
    const at = (this.#head + --this.#size) & (this.#ring.length - 1)
    const item = this.#ring[at]
    this.#ring[at] = undefined
    return item
  }

  peek(): T | undefined {
    return this.#size === 0 ? undefined : this.#ring[this.#head]
  }

  /** Takes everything out, oldest first. */
  drain(): T[] {
    const all: T[] = []
    for (let item = this.shift(); item !== undefined; item = this.shift()) all.push(item)
    return all
  }

  #grow(): void {
    const bigger: (T | undefined)[] = new Array(this.#ring.length * 2)
    for (let i = 0; i < this.#size; i++) bigger[i] = this.#ring[(this.#head + i) & (this.#ring.length - 1)]
    this.#ring = bigger
    this.#head = 0
  }
}
