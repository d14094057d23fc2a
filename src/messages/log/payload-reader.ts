/**
 * Reads the fields of a payload where they lie in a chunk, and remembers the first fault instead of throwing it: a server
 * meets bad payloads at line rate, and an error with a stack costs a hundred times what the refusal does.
 *
 * After a fault every read gives 0 or nothing, so that decoders need not look at each; whoever started the decoder looks at
 * {@link PayloadReader.fault} at its end and throws the result away. One reader serves all frames of a decoder.
 */
import { readBigU64, readI32, readU16, readU32, readU64 } from '../wire/in-place.ts'

const empty = Buffer.alloc(0)

/** What is wrong with a payload. */
export interface PayloadFault {
  readonly field: string
  /** Offset in the payload. */
  readonly offset: number
  /** `count 0 at offset 4`. */
  readonly text: string
}

/** A cursor over a payload. */
export class PayloadReader {
  bytes: Buffer = empty
  /** Offset in `bytes` of the next byte to be read. */
  at = 0
  /** Offset in `bytes` of the end of the payload. */
  end = 0
  fault: PayloadFault | undefined
  #start = 0

  /** Points the reader at the payload `bytes[start, end)`. */
  move(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes
    this.at = start
    this.end = end
    this.fault = undefined
    this.#start = start
  }

  /** Offset in `bytes` of the next `count` bytes, which are passed; -1 when they are not there. */
  take(count: number, field: string): number {
    const { at } = this
    if (this.end - at < count) {
      this.refuse(field, at, `${field} needs ${count} bytes, ${this.end - at} are left`)
      return -1
    }
    this.at = at + count
    return at
  }

  u16(field: string): number {
    const at = this.take(2, field)
    return at < 0 ? 0 : readU16(this.bytes, at)
  }

  u32(field: string): number {
    const at = this.take(4, field)
    return at < 0 ? 0 : readU32(this.bytes, at)
  }

  i32(field: string): number {
    const at = this.take(4, field)
    return at < 0 ? 0 : readI32(this.bytes, at)
  }

  /** Exact up to 2^53 - 1, else some greater number. */
  u64(field: string): number {
    const at = this.take(8, field)
    return at < 0 ? 0 : readU64(this.bytes, at)
  }

  /** An u64 that has to be at most 2^53 - 1. */
  safeU64(field: string): number {
    const value = this.u64(field)
    if (value > Number.MAX_SAFE_INTEGER) this.refuse(field, this.at - 8, `${field} is above 2^53 - 1`)
    return value
  }

  /** Any u64. */
  bigU64(field: string): bigint {
    const at = this.take(8, field)
    return at < 0 ? 0n : readBigU64(this.bytes, at)
  }

  /** A count of things of at least `bytesEach`, all of which fit what is left. */
  count(field: string, bytesEach: number, min: 0 | 1): number {
    const count = this.u32(field)
    const left = this.end - this.at
    if (this.fault !== undefined) return 0
    if (count < min) this.refuse(field, this.at - 4, `${field} ${count}`)
    else if (count * bytesEach > left)
      this.refuse(field, this.at - 4, `${field} ${count} is more than ${left} bytes hold`)
    return this.fault === undefined ? count : 0
  }

  /** Remembers a fault at `at` in `bytes`, unless there is one, and ends the payload there. */
  refuse(field: string, at: number, text: string): void {
    this.at = this.end
    if (this.fault !== undefined) return
    const offset = at - this.#start
    this.fault = { field, offset, text: `${text} at offset ${offset}` }
  }

  /** Refuses what is left, and lets go of the bytes: a reader that waits must not keep a large frame alive. */
  finish(): void {
    const left = this.end - this.at
    if (left > 0) this.refuse('end', this.at, `${left} trailing bytes`)
    this.bytes = empty
  }
}
