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

/** The names of a direction as their receiver knows them, by number. */
export interface KnownNames {
  readonly texts: readonly string[]
  /** Where each led: whoever delivers what comes for it may keep it here, and finds it without a look at the text. */
  readonly targets: (object | undefined)[]
}

/** The receiver's table. Two rows side by side, and no object for a name: it would have to be fetched for each message. */
export class NameReader implements KnownNames {
  readonly texts: string[] = ['']
  readonly targets: (object | undefined)[] = [undefined]
  #next = 1

  /** Takes a name that came in full, and returns its number. */
  add(text: string): number {
    const number = this.#next
    this.texts[number] = text
    this.targets[number] = undefined
    this.#next = number === namesMax ? 1 : number + 1
    return number
  }

  /** Forgets all. */
  reset(): void {
    this.texts.length = 1
    this.targets.length = 1
    this.#next = 1
  }
}
