/**
 * Memory for what is large and soon over, used again: frames that come in several chunks, batches, output. Without that each of
 * them leaves a multiple of its bytes to be collected.
 */

import { freeMemory } from './own-memory.ts'

/** What sizes are rounded up to: buffers of a size are many's, then. */
const unitBytes = 65_536

/** What may be at rest. */
const restingBytesMax = 2_097_152

/** The buffers of one thread. */
export class LargeBuffers {
  readonly #own = new WeakSet<ArrayBufferLike>()
  readonly #resting: ArrayBufferLike[] = []
  #restingBytes = 0

  /** A buffer of `bytes`, with whatever is in it. */
  take(bytes: number): Buffer {
    if (bytes < unitBytes / 2) return Buffer.allocUnsafeSlow(bytes)
    const size = Math.ceil(bytes / unitBytes) * unitBytes
    const at = this.#resting.findLastIndex(({ byteLength }) => byteLength === size)
    if (at < 0) return this.#make(size).subarray(0, bytes)
    const [buffer] = this.#resting.splice(at, 1) as [ArrayBufferLike]
    this.#restingBytes -= size
    return Buffer.from(buffer, 0, bytes)
  }

  /** Takes one back that nobody looks at any more, once; what is small, or not its own, is left alone. */
  give({ buffer }: Buffer): void {
    if (!this.#own.has(buffer)) return
    if (this.#restingBytes + buffer.byteLength > restingBytesMax) {
      freeMemory(buffer)
      return
    }
    this.#resting.push(buffer)
    this.#restingBytes += buffer.byteLength
  }

  /** Bytes at rest. */
  get restingBytes(): number {
    return this.#restingBytes
  }

  #make(size: number): Buffer {
    const made = Buffer.allocUnsafeSlow(size)
    this.#own.add(made.buffer)
    return made
  }
}
