/**
 * What the actors of a server count, in memory that they share. Each writes a section of its own, so that no two write the same
 * number; the counts of a section go on when its actor is restarted.
 *
 * ```
 * slot 0: a f64 for each figure | slot 1 …
 * ```
 */

/** The figures of one kind of server: their names, and where each lies in a section. */
export class SharedFigures<N extends string> {
  /** Offsets in a section. */
  readonly at: Readonly<Record<N, number>>
  readonly #names: readonly N[]
  readonly #ofNow: readonly N[]

  /** `ofNow` are those that say how things stand; the others count on. */
  constructor(names: readonly N[], ofNow: readonly N[]) {
    this.#names = names
    this.#ofNow = ofNow
    this.at = Object.fromEntries(names.map((name, at) => [name, at])) as Record<N, number>
  }

  /** Memory for so many sections. */
  create(slots: number): SharedArrayBuffer {
    return new SharedArrayBuffer(slots * this.#sectionBytes)
  }

  /** The section `slot`: a number for each of `at`. What is of now begins anew. */
  open(buffer: SharedArrayBuffer, slot: number): Float64Array {
    const section = new Float64Array(buffer, slot * this.#sectionBytes, this.#names.length)
    for (const name of this.#ofNow) section[this.at[name]] = 0
    return section
  }

  /** The sums over all sections. Can be read on any thread at any time. */
  read(buffer: SharedArrayBuffer): Record<N, number> {
    const sums = this.#names.map(() => 0)
    for (const [index, value] of new Float64Array(buffer).entries()) sums[index % sums.length]! += value
    return Object.fromEntries(this.#names.map((name, at) => [name, sums[at]!])) as Record<N, number>
  }

  get #sectionBytes(): number {
    return this.#names.length * Float64Array.BYTES_PER_ELEMENT
  }
}
