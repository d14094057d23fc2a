/**
 * Reads fixed-size big-endian fields off a slice of bytes, one after the other, and says by field name and offset
 * where bytes are missing.
 *
 * For messages that are taken apart into objects. The frame path of a server reads its few header fields in place.
 */
import { StarfishError } from '../errors.ts'

/** A cursor over `bytes[offset, end)`. Every read checks first and throws `BAD_FRAME` rather than read beyond the end. */
export class WireReader {
  readonly #bytes: Buffer
  readonly #message: string
  readonly #end: number
  #at: number

  /** `message` names what is being read, for errors: `event request`. */
  constructor(bytes: Uint8Array, message: string, offset = 0, end = bytes.length) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#message = message
    this.#at = offset
    this.#end = Math.min(end, bytes.length)
  }

  /** Offset of the next byte to be read. */
  get offset(): number {
    return this.#at
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#end - this.#at
  }

  u8(field: string): number {
    return this.#bytes.readUInt8(this.#advance(1, field))
  }

  u16(field: string): number {
    return this.#bytes.readUInt16BE(this.#advance(2, field))
  }

  u32(field: string): number {
    return this.#bytes.readUInt32BE(this.#advance(4, field))
  }

  u64(field: string): bigint {
    return this.#bytes.readBigUInt64BE(this.#advance(8, field))
  }

  /** The next `count` bytes: a view of the source, not a copy. */
  bytes(count: number, field: string): Buffer {
    const from = this.#advance(count, field)
    return this.#bytes.subarray(from, from + count)
  }

  /** Throws `BAD_FRAME` when bytes are left over. */
  end(): void {
    if (this.left > 0) {
      throw new StarfishError('BAD_FRAME', `${this.#message}: ${this.left} trailing bytes at offset ${this.#at}`, {
        details: { message: this.#message, field: 'end', offset: this.#at, trailingBytes: this.left },
      })
    }
  }

  #advance(count: number, field: string): number {
    const from = this.#at
    if (this.#end - from < count) {
      const left = Math.max(0, this.#end - from)
      throw new StarfishError(
        'BAD_FRAME',
        `${this.#message}: ${field} needs ${count} bytes at offset ${from}, ${left} are left`,
        { details: { message: this.#message, field, offset: from, neededBytes: count, leftBytes: left } },
      )
    }
    this.#at = from + count
    return from
  }
}
