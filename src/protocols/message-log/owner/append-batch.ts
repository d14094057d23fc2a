/**
 * The appends of one tick of a shard, as they cross to the owner of the store: one buffer, big-endian.
 *
 * ```
 * append       partitionId u32 | count u32 | flags u8 | producer | messageBytes u32 | messages
 * flags        bits 0-1 acknowledgement: 0 committed, 1 received, 2 flushed | bit 2: there is a producer
 * producer     id u64 | sequence u32
 * ```
 * Messages are copied into the buffer; what is read of it are views, which are good until the appends are answered.
 */
import { acknowledgements } from '../../../messages/log/codes.ts'
import { copyBytes, writeBigU64, writeU32 } from '../../../messages/wire/in-place.ts'
import { WireReader } from '../../../messages/wire/reader.ts'
import type { AppendRequest } from '../engine/contract.ts'

const acknowledgementBits = 0b011
const producerBit = 0b100

const headBytes = 9
const producerBytes = 12
const lengthBytes = 4

const nothing = Buffer.alloc(0)

/** An append without its messages. */
export type AppendHead = Omit<AppendRequest, 'messages'>

/** Gathers appends, in `buffer` if they fit. */
export class AppendBatchWriter {
  /** What was taken goes with its batch; a new one is made when something is added. */
  #buffer: Buffer
  #at = 0
  #count = 0

  constructor(buffer: ArrayBufferLike) {
    this.#buffer = Buffer.from(buffer)
  }

  /** Appends in it. */
  get count(): number {
    return this.#count
  }

  get bytes(): number {
    return this.#at
  }

  /** Copies the messages. */
  add({ messages, ...head }: AppendRequest): void {
    this.addFrom(head, messages, 0, messages.length)
  }

  /** Copies the messages that are `bytes[start, end)`. */
  addFrom(
    { partitionId, count, acknowledgement, producer }: AppendHead,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const messageBytes = end - start
    const size = headBytes + (producer === undefined ? 0 : producerBytes) + lengthBytes + messageBytes
    this.#makeRoom(size)
    const buffer = this.#buffer
    let at = this.#at
    writeU32(buffer, at, partitionId)
    writeU32(buffer, at + 4, count)
    buffer[at + 8] = acknowledgements.indexOf(acknowledgement) | (producer === undefined ? 0 : producerBit)
    at += headBytes
    if (producer !== undefined) {
      writeBigU64(buffer, at, producer.id)
      writeU32(buffer, at + 8, producer.sequence)
      at += producerBytes
    }
    writeU32(buffer, at, messageBytes)
    copyBytes(bytes, start, end, buffer, at + lengthBytes)
    this.#at = at + lengthBytes + messageBytes
    this.#count++
  }

  /** What was gathered, in a buffer of its own; it begins anew with an empty one. */
  take(): Uint8Array {
    const taken = this.#buffer.subarray(0, this.#at)
    this.#buffer = nothing
    this.#at = 0
    this.#count = 0
    return taken
  }

  #makeRoom(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    const larger = Buffer.from(new ArrayBuffer(Math.max(2 * this.#buffer.length, this.#at + bytes)))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer = larger
  }
}

/** The appends in a buffer, in order. @throws `BAD_FRAME` for bytes that are none. */
export function readAppendBatch(bytes: Uint8Array): AppendRequest[] {
  const reader = new WireReader(bytes, 'append batch')
  const appends: AppendRequest[] = []
  while (reader.left > 0) {
    const partitionId = reader.u32('partitionId')
    const count = reader.u32('count')
    const flags = reader.u8('flags')
    const producer =
      (flags & producerBit) === 0 ? undefined : { id: reader.u64('producerId'), sequence: reader.u32('sequence') }
    const messages = reader.bytes(reader.u32('messageBytes'), 'messages')
    const acknowledgement = acknowledgements[(flags & acknowledgementBits) as 0 | 1 | 2]
    appends.push({ partitionId, count, messages, acknowledgement, producer })
  }
  return appends
}
