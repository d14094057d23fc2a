/**
 * Texts that recur in the events of a direction: one that was seen before is kept by the receiver, and a number stands for
 * it from then on. To read a text from a clone takes longer than all else that is read of a small event.
 *
 * A text has one place, which follows from its length and a few of its characters. There it is a candidate when it is seen,
 * is kept when it is seen again before another candidate, and stays until another one is kept there: never within a batch
 * that refers to it, so that all that a batch adds can be told ahead of its events.
 */

/** Places, from 1 on; a power of two. */
const placesMax = 1_024

/** Characters of the longest text that is kept. */
export const keptLengthMax = 64

/** Texts in a row that were not kept after which only one in so many is looked at, until one is again. */
const patience = 256
const lookEvery = 16

/** The sender's table. */
export class TextWriter {
  /** Where those are that are kept. */
  readonly #places = new Map<string, number>()
  /** By place; made when the first text is looked for. */
  #kept: string[] = []
  #candidates: string[] = []
  /** The batch that refers to a place. */
  #usedIn = new Int32Array(0)
  #batch = 1
  #misses = 0
  /** What the batch at hand adds: flat pairs of number and text. */
  #news: (number | string)[] = []

  /** The number of a text, which the batch at hand refers to then; 0 when it is to be written in full. */
  find(text: string): number {
    if (this.#misses >= patience && ++this.#misses % lookEvery !== 0) return 0
    const { length } = text
    if (length === 0 || length > keptLengthMax) return 0
    const known = this.#places.get(text)
    if (known !== undefined) {
      this.#misses = 0
      this.#usedIn[known] = this.#batch
      return known
    }
    if (this.#candidates.length === 0) this.#open()
    const place = placeOf(text, length)
    return this.#candidates[place] === text ? this.#keep(place, text) : this.#miss(place, text)
  }

  #open(): void {
    this.#kept = new Array(placesMax).fill('')
    this.#candidates = new Array(placesMax).fill('')
    this.#usedIn = new Int32Array(placesMax)
  }

  #miss(place: number, text: string): number {
    this.#misses++
    this.#candidates[place] = text
    return 0
  }

  #keep(place: number, text: string): number {
    if (this.#usedIn[place] === this.#batch) return 0
    this.#misses = 0
    this.#usedIn[place] = this.#batch
    this.#places.delete(this.#kept[place]!)
    this.#places.set(text, place)
    this.#kept[place] = text
    this.#news.push(place, text)
    return place
  }

  /** Ends a batch, and returns what it adds. */
  take(): readonly (number | string)[] {
    this.#batch = (this.#batch + 1) | 0
    if (this.#news.length === 0) return this.#news
    const news = this.#news
    this.#news = []
    return news
  }

  /** Forgets all. */
  reset(): void {
    this.#places.clear()
    this.#kept.fill('')
    this.#candidates.fill('')
    this.#news = []
  }
}

/** Names and keys tend to differ at their end. */
function placeOf(text: string, length: number): number {
  const last = text.charCodeAt(length - 1)
  const middle = text.charCodeAt(length >> 1)
  const before = length > 2 ? text.charCodeAt(length - 2) * 31 + text.charCodeAt(length - 3) * 961 : 0
  const place = Math.imul(last + before + middle * 29_791 + length * 923_521, 0x9e3779b1) >>> 22
  return place === 0 ? 1 : place
}
