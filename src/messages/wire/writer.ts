/**
 * Writes fixed-size big-endian fields into a buffer of known size, one after the other. The counterpart of the reader:
 * a value that does not fit its field is refused by name, never truncated.
 */
import { StarfishError } from '../errors.ts'
import { checkField } from './check-field.ts'

/** A cursor over a buffer of exactly the size of the message. */
export class WireWriter {
  readonly #bytes: Buffer
  readonly #message: string
  #at = 0

  /** `sizeBytes` is the whole message; `message` names it, for errors. */
  constructor(sizeBytes: number, message: string) {
    this.#bytes = Buffer.allocUnsafe(sizeBytes)
    this.#message = message
  }

  u8(value: number, field: string): this {
    this.#at = this.#bytes.writeUInt8(checkField(this.#message, field, value, 0xff), this.#at)
    return this
  }

  u16(value: number, field: string): this {
    this.#at = this.#bytes.writeUInt16BE(checkField(this.#message, field, value, 0xffff), this.#at)
    return this
  }

  u32(value: number, field: string): this {
    this.#at = this.#bytes.writeUInt32BE(checkField(this.#message, field, value, 0xffff_ffff), this.#at)
    return this
  }

  bytes(value: Uint8Array): this {
    this.#bytes.set(value, this.#at)
    this.#at += value.length
    return this
  }

  /** The message. Throws `BAD_FRAME` unless every byte of it has been written. */
  finish(): Buffer {
    if (this.#at !== this.#bytes.length) {
      throw new StarfishError('BAD_FRAME', `${this.#message}: ${this.#at} of ${this.#bytes.length} bytes were written`)
    }
    return this.#bytes
  }
}
