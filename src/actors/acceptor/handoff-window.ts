/**
 * How many sockets are on their way to a shard: two numbers that the listener and the acceptor share.
 *
 * ```
 * taken    acceptor: counts the sockets that it took, modulo 2^32
 * wanted   listener: it has sockets that wait for room; the acceptor sets it back and says so by a message
 * ```
 * A socket that was posted cannot be had back. So few are posted ahead of what the shard takes: they are what its death
 * costs, and a shard that stands still keeps no more than these waiting.
 */

/** Sockets posted to a shard that it has not taken. */
export const postedSocketsMax = 4

const word = { taken: 0, wanted: 1 } as const

/** A fresh window. */
export function createHandoffWindow(): SharedArrayBuffer {
  return new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)
}

/** The listener's side. */
export class PostedSockets {
  readonly #cells: Int32Array
  #posted = 0

  constructor(window: SharedArrayBuffer) {
    this.#cells = new Int32Array(window)
  }

  /** Whether one more may be posted. */
  get hasRoom(): boolean {
    return ((this.#posted - Atomics.load(this.#cells, word.taken)) | 0) < postedSocketsMax
  }

  /** One was posted. */
  add(): void {
    this.#posted = (this.#posted + 1) | 0
  }

  /** Asks to be told of room; ask {@link hasRoom} once more afterwards. */
  want(): void {
    Atomics.store(this.#cells, word.wanted, 1)
  }
}

/** The acceptor took a socket; true when the listener asked to be told. */
export function takeSocket(window: SharedArrayBuffer): boolean {
  const cells = new Int32Array(window)
  Atomics.add(cells, word.taken, 1)
  return Atomics.exchange(cells, word.wanted, 0) === 1
}
