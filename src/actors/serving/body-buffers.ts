/**
 * Memory for frames that come in several chunks, used again when the frame was handled: without that each large frame leaves twice
 * its bytes to be collected. For protocols that keep nothing of a frame beyond the call that hands it to them.
 */

/** What sizes are rounded up to: buffers of a size are many's, then. */
const unitBytes = 65_536

/** What may be at rest. */
const restingBytesMax = 2_097_152

/** The buffers of one thread. */
export class BodyBuffers {
  readonly #resting: ArrayBufferLike[] = []
  #restingBytes = 0

  /** A buffer of `bytes`, with whatever is in it. */
  take(bytes: number): Buffer {
    if (bytes < unitBytes / 2) return Buffer.allocUnsafeSlow(bytes)
    const size = Math.ceil(bytes / unitBytes) * unitBytes
    const at = this.#resting.findLastIndex(({ byteLength }) => byteLength === size)
    if (at < 0) return Buffer.allocUnsafeSlow(size).subarray(0, bytes)
    const [buffer] = this.#resting.splice(at, 1) as [ArrayBufferLike]
    this.#restingBytes -= size
    return Buffer.from(buffer, 0, bytes)
  }

  /** Takes one back that nobody looks at any more, and that was not given before. */
  give({ buffer }: Buffer): void {
    const { byteLength } = buffer
    if (byteLength === 0 || byteLength % unitBytes !== 0 || this.#restingBytes + byteLength > restingBytesMax) return
    this.#resting.push(buffer)
    this.#restingBytes += byteLength
  }

  /** Bytes at rest. */
  get restingBytes(): number {
    return this.#restingBytes
  }
}
