/** A socket without a kernel: what comes and what is taken is said by a script. As much of `net.Socket` as connections use. */
import type { Socket } from 'node:net'

interface PendingWrite {
  readonly bytes: Uint8Array
  readonly done: () => void
}

type Listener = (this: unknown, argument?: unknown) => void

/** The socket, and what the script does to it. */
export class ScriptedSocket {
  readonly remoteAddress = '192.0.2.7'
  readonly remotePort = 7
  bytesRead = 0
  bytesWritten = 0
  destroyed = false
  writableEnded = false
  wasReset = false
  paused = false
  /** What came last, as the server was given it. */
  lastChunk = Buffer.alloc(0)
  /** Output that the peer has taken. */
  readonly taken: Buffer[] = []
  readonly #listeners = new Map<string, Listener>()
  readonly #writes: PendingWrite[] = []
  #onFinished: (() => void) | undefined
  #isClosed = false

  /** The socket as the server sees it. */
  get asSocket(): Socket {
    return this as unknown as Socket
  }

  get writableLength(): number {
    return this.#writes.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  on(event: string, listener: Listener): this {
    this.#listeners.set(event, listener)
    return this
  }

  pause(): this {
    this.paused = true
    return this
  }

  resume(): this {
    this.paused = false
    return this
  }

  write(bytes: Uint8Array, done: () => void): boolean {
    if (this.writableEnded || this.destroyed) throw new Error('written after its end')
    this.bytesWritten += bytes.length
    this.#writes.push({ bytes, done })
    return true
  }

  end(onFinished: () => void): this {
    this.writableEnded = true
    this.#onFinished = onFinished
    return this
  }

  destroy(): this {
    this.destroyed = true
    return this
  }

  resetAndDestroy(): this {
    this.wasReset = true
    return this.destroy()
  }

  /** Bytes come, in memory of their own. */
  receive(bytes: Buffer): void {
    this.bytesRead += bytes.length
    const chunk = Buffer.allocUnsafeSlow(bytes.length)
    chunk.set(bytes)
    this.lastChunk = chunk
    this.#emit('data', chunk)
  }

  /** The peer's FIN comes. */
  receiveEnd(): void {
    this.#emit('end')
  }

  /** The peer takes output, oldest first: all, or so many writes. What was written is looked at now, as a kernel would. */
  take(writes: number = Number.POSITIVE_INFINITY): void {
    for (let left = writes; left > 0 && this.#writes.length > 0 && !this.destroyed; left--) {
      const write = this.#writes.shift()!
      this.taken.push(Buffer.from(write.bytes))
      write.done()
    }
    if (!this.writableEnded || this.destroyed || this.#writes.length > 0) return
    const finished = this.#onFinished
    this.#onFinished = undefined
    finished?.()
  }

  /** It is gone: closed by either side. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.destroyed = true
    this.#emit('close')
  }

  #emit(event: string, argument?: unknown): void {
    this.#listeners.get(event)?.call(this, argument)
  }
}
