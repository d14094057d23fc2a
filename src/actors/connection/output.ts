/**
 * Output buffers: replies of many frames are gathered in one and given to the socket in one write. A connection has one
 * only from its first reply to the write, so idle connections cost none; a buffer that the kernel did not take at once
 * stays with the socket until it did, then comes back.
 */

import { LargeBuffers } from '../../messages/wire/large-buffers.ts'

/** Size of a pooled buffer, in bytes. Larger replies get a buffer of their own, of what large buffers there are. */
export const OUTPUT_BUFFER_BYTES = 65_536

/** Who is told that a buffer has been written. */
export interface OutputOwner {
  onWritten(): void
}

/** A buffer on its way from replies to a socket. */
export interface OutputBuffer {
  readonly bytes: Buffer
  lengthBytes: number
  /** Of it, what a socket was given and has not written. */
  givenBytes: number
  owner: OutputOwner | undefined
  /** The callback of the write, made once for each buffer rather than for each write. */
  readonly written: (error?: Error | null) => void
}

/** The buffers of one thread. */
export class OutputPool {
  /** Bytes that wait with sockets. */
  waitingBytes = 0
  readonly #keepMax: number
  readonly #resting: OutputBuffer[] = []
  readonly #large = new LargeBuffers()

  /** Keeps up to `keepMax` buffers at rest. */
  constructor(keepMax = 32) {
    this.#keepMax = keepMax
  }

  /** Buffers at rest. */
  get idle(): number {
    return this.#resting.length
  }

  /** A buffer with room for at least `bytes`. */
  take(owner: OutputOwner, bytes: number): OutputBuffer {
    const buffer =
      bytes > OUTPUT_BUFFER_BYTES
        ? this.#create(this.#large.take(bytes))
        : (this.#resting.pop() ?? this.#create(Buffer.allocUnsafeSlow(OUTPUT_BUFFER_BYTES)))
    buffer.owner = owner
    return buffer
  }

  #create(bytes: Buffer): OutputBuffer {
    const buffer: OutputBuffer = {
      bytes,
      lengthBytes: 0,
      givenBytes: 0,
      owner: undefined,
      written: error => {
        const { owner } = buffer
        this.give(buffer)
        // A write that failed is followed by the end of the socket, which may be in the middle of a step.
        if (!error) owner?.onWritten()
      },
    }
    return buffer
  }

  /** Counts a buffer as waiting until it is written: a socket is being given it. */
  wait(buffer: OutputBuffer): void {
    buffer.givenBytes = buffer.lengthBytes
    this.waitingBytes += buffer.givenBytes
  }

  /** Takes a buffer back that will not be written. */
  give(buffer: OutputBuffer): void {
    this.waitingBytes -= buffer.givenBytes
    buffer.owner = undefined
    buffer.lengthBytes = 0
    buffer.givenBytes = 0
    if (buffer.bytes.length > OUTPUT_BUFFER_BYTES) this.#large.give(buffer.bytes)
    else if (this.#resting.length < this.#keepMax) this.#resting.push(buffer)
  }
}
