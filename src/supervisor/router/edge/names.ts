/**
 * Numbers for the addresses that cross an edge, agreed on as they are used.
 *
 * Cloning a string costs ten times a small integer. The first use of a name travels in full and takes the next number on
 * both sides; numbers are reused in turn, so that the tables stay bounded however many addresses there are. Both sides
 * must see the same names in the same order; when a batch is thrown away the sender starts anew and says so.
 */

/** Names that have a number at one time. Numbers start at 1. */
export const namesMax = 4_096

/** The sender's table. */
export class NameWriter {
  readonly #numbers = new Map<string, number>()
  readonly #names: string[] = []
  #next = 1
  #lastName = ''
  #lastNumber = 0

  /** The number of a name, or 0 when it has none. */
  find(name: string): number {
    if (name === this.#lastName) return this.#lastNumber
    const number = this.#numbers.get(name)
    if (number === undefined) return 0
    this.#lastName = name
    this.#lastNumber = number
    return number
  }

  /** Gives a name that has none the next number, as the reader of the same stream does. */
  add(name: string): void {
    const number = this.#next
    this.#next = number === namesMax ? 1 : number + 1
    const former = this.#names[number]
    if (former !== undefined) this.#numbers.delete(former)
    this.#names[number] = name
    this.#numbers.set(name, number)
    this.#lastName = name
    this.#lastNumber = number
  }

  /** Forgets all. */
  reset(): void {
    this.#numbers.clear()
    this.#names.length = 0
    this.#next = 1
    this.#lastName = ''
    this.#lastNumber = 0
  }
}

/** A name as its receiver knows it. */
export interface KnownName {
  readonly text: string
  /** Where it led: whoever delivers what comes for it may keep it here, and finds it without a look at the text. */
  target: object | undefined
}

/** The receiver's table. */
export class NameReader {
  readonly #names: KnownName[] = []
  #next = 1

  /** The name of a number. */
  at(number: number): KnownName {
    return this.#names[number]!
  }

  /** Takes a name that came in full, and returns it. */
  add(text: string): KnownName {
    const name = { text, target: undefined }
    this.#names[this.#next] = name
    this.#next = this.#next === namesMax ? 1 : this.#next + 1
    return name
  }

  /** Forgets all. */
  reset(): void {
    this.#names.length = 0
    this.#next = 1
  }
}
