/**
 * What a receiver counts for itself, in memory of its own that outlives it, so that a sender's report can be held
 * against it.
 */

const words = { delivered: 0, refused: 1, begun: 2, ended: 3, outOfOrder: 4, doomed: 5 } as const
const marksAt = 64

/** Requests that can be marked. */
export const requestsMax = 1 << 16

/** The receiver's own book, in shared memory. */
export class Ledger {
  readonly memory: SharedArrayBuffer
  readonly #words: Int32Array
  readonly #marks: Uint8Array

  constructor(memory = new SharedArrayBuffer(marksAt + requestsMax)) {
    this.memory = memory
    this.#words = new Int32Array(memory, 0, marksAt / 4)
    this.#marks = new Uint8Array(memory, marksAt)
  }

  add(word: keyof typeof words, by = 1): void {
    Atomics.add(this.#words, words[word], by)
  }

  get(word: keyof typeof words): number {
    return Atomics.load(this.#words, words[word])
  }

  /** Notes that the handler of a request has begun, or was undone. */
  mark(requestId: number, begun: boolean): void {
    Atomics.store(this.#marks, requestId, begun ? 1 : 0)
  }

  isMarked(requestId: number): boolean {
    return Atomics.load(this.#marks, requestId) === 1
  }
}
