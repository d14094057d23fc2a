/** The writer and the reader of a batch's binary part. In place, without an object per value. */
import { runHeadBytes } from '../../../messages/thread/edge.ts'
import type { EventReader, EventWriter } from '../../../messages/thread/event-codec.ts'

const bytesInitial = 16_384

/** The fixed fields of a run's message. */
export interface RunHead {
  readonly slot: number
  readonly bits: number
  readonly codec: number
  /** Numbers of names, or `nameFollows`. */
  readonly to: number
  readonly from: number
  readonly bodyBytes: number
  readonly texts: number
}

/**
 * Appends to an ArrayBuffer that doubles as needed; {@link BatchWriter.take} hands it over and starts a new one. Texts go
 * to an array beside it.
 */
export class BatchWriter implements EventWriter {
  /** Bytes written. May be set back to undo. */
  at = 0
  /** Takes the texts, from `textAt` on. */
  texts: unknown[] = []
  textAt = 0
  #buffer: ArrayBuffer | undefined
  #view!: DataView
  #octets!: Uint8Array
  #size = bytesInitial

  #reserve(more: number): void {
    const needed = this.at + more
    if (this.#buffer !== undefined && needed <= this.#size) return
    while (this.#size < needed) this.#size *= 2
    const buffer = new ArrayBuffer(this.#size)
    const octets = new Uint8Array(buffer)
    if (this.#buffer !== undefined) octets.set(this.#octets.subarray(0, this.at))
    this.#buffer = buffer
    this.#octets = octets
    this.#view = new DataView(buffer)
  }

  u8(value: number): void {
    this.#reserve(1)
    this.#octets[this.at++] = value
  }

  u16(value: number): void {
    this.#reserve(2)
    this.#view.setUint16(this.at, value)
    this.at += 2
  }

  u32(value: number): void {
    this.#reserve(4)
    this.#view.setUint32(this.at, value)
    this.at += 4
  }

  f64(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.at, value)
    this.at += 8
  }

  text(value: string): void {
    if (typeof value !== 'string') throw new TypeError(`a text is to be written, not ${typeof value}`)
    this.texts[this.textAt++] = value
  }

  bytes(value: Uint8Array): void {
    this.#reserve(4 + value.length)
    this.#view.setUint32(this.at, value.length)
    this.#octets.set(value, this.at + 4)
    this.at += 4 + value.length
  }

  /** Leaves room for `length` bytes and returns where it begins. */
  skip(length: number): number {
    this.#reserve(length)
    const start = this.at
    this.at += length
    return start
  }

  /** Writes the fixed fields of a run's message into the room that {@link BatchWriter.skip} left at `start`. */
  head(start: number, head: RunHead): void {
    const view = this.#view
    view.setUint32(start, head.slot)
    this.#octets[start + 4] = head.bits
    view.setUint16(start + 5, head.codec)
    view.setUint16(start + 7, head.to)
    view.setUint16(start + 9, head.from)
    view.setUint32(start + 11, head.bodyBytes)
    view.setUint32(start + 15, head.texts)
  }

  /** The buffer with what was written, for good; undefined when nothing was. The next one has the size this one grew to. */
  take(): ArrayBuffer | undefined {
    const buffer = this.at === 0 ? undefined : this.#buffer
    if (buffer === undefined) return undefined
    this.#size = Math.max(bytesInitial, 2 ** Math.ceil(Math.log2(this.at)))
    this.#buffer = undefined
    this.at = 0
    return buffer
  }
}

/** Reads an ArrayBuffer, and the texts beside it, that a {@link BatchWriter} filled. */
export class BatchReader implements EventReader {
  at = 0
  /** Where the event at hand ends; reading past it throws. */
  end: number
  /** The next text, and where those of the event at hand end. */
  textAt = 0
  textEnd = 0
  /** Bytes of the whole buffer. */
  readonly byteLength: number
  /** Of the message at hand; see {@link BatchReader.head}. */
  slot = 0
  bits = 0
  codec = 0
  to = 0
  from = 0
  bodyBytes = 0
  texts = 0
  readonly #octets: Uint8Array
  readonly #view: DataView
  readonly #texts: readonly unknown[]

  constructor(buffer: ArrayBuffer, texts: readonly unknown[]) {
    this.#octets = new Uint8Array(buffer)
    this.#view = new DataView(buffer)
    this.#texts = texts
    this.byteLength = buffer.byteLength
    this.end = buffer.byteLength
  }

  #advance(length: number): number {
    const at = this.at
    if (at + length > this.end)
      throw new RangeError(`${length} bytes at ${at} reach past the event, which ends at ${this.end}`)
    this.at = at + length
    return at
  }

  /** Reads the fixed fields of a run's message, which may lie anywhere in the buffer. */
  head(): void {
    this.end = this.byteLength
    const at = this.#advance(runHeadBytes)
    const view = this.#view
    this.slot = view.getUint32(at)
    this.bits = this.#octets[at + 4]!
    this.codec = view.getUint16(at + 5)
    this.to = view.getUint16(at + 7)
    this.from = view.getUint16(at + 9)
    this.bodyBytes = view.getUint32(at + 11)
    this.texts = view.getUint32(at + 15)
  }

  u8(): number {
    return this.#octets[this.#advance(1)]!
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2))
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4))
  }

  f64(): number {
    return this.#view.getFloat64(this.#advance(8))
  }

  text(): string {
    if (this.textAt >= this.textEnd) throw new RangeError('the event has no more texts')
    return this.beside()
  }

  /** The next of what stands beside the bytes, whatever the event at hand has of it. */
  beside(): string {
    return this.#texts[this.textAt++] as string
  }

  bytes(): Uint8Array {
    const length = this.u32()
    const start = this.#advance(length)
    return new Uint8Array(this.#view.buffer, start, length)
  }
}
