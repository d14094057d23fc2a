/**
 * The appends of one tick of a shard, as they cross to the owner of the store: one buffer, big-endian.
 *
 * ```
 * append       partitionId u32 | count u32 | flags u8 | producer | messageBytes u32 | messages
 * flags        bits 0-1 acknowledgement: 0 committed, 1 received, 2 flushed | bit 2: there is a producer | bit 3: joined
 * producer     id u64 | sequence u32
 * ```
 * Appends of one message each that follow each other, to one partition, with one acknowledgement and no producer, are joined: they
 * cross as one, each of whose messages is an append of its own. So thousands of them cost their owner what a batch does.
 *
 * Messages are copied into the buffer; what is read of it are views, which are good until the appends are answered.
 */
import { acknowledgements } from '../../../messages/log/codes.ts'
import { endOfLogMessage } from '../../../messages/log/message-v1.ts'
import { copyBytes, writeBigU64, writeU32 } from '../../../messages/wire/in-place.ts'
import { WireReader } from '../../../messages/wire/reader.ts'
import type { AppendRequest } from '../engine/contract.ts'

const acknowledgementBits = 0b011
const producerBit = 0b100
const joinedBit = 0b1000

/** Of the messages of joined appends: one that is larger stays alone. */
const joinedBytesMax = 65_536

const headBytes = 9
const producerBytes = 12
const lengthBytes = 4

const nothing = Buffer.alloc(0)

/** An append without its messages. */
export type AppendHead = Omit<AppendRequest, 'messages'>

/** An append as it crosses. */
export interface CrossingAppend extends AppendRequest {
  /** Its place among the appends of its batch; that of the first of those that are joined. */
  readonly index: number
  /** Appends that are joined in it, of one message each; 1 for one that is not joined. */
  readonly appends: number
}

/** In a buffer: where the last append begins, if others may be joined to it. */
interface OpenRun extends Pick<AppendHead, 'partitionId' | 'acknowledgement'> {
  readonly at: number
  count: number
}

/** Gathers appends, in `buffer` if they fit. */
export class AppendBatchWriter {
  /** What was taken goes with its batch; a new one is made when something is added. */
  #buffer: Buffer
  #at = 0
  #count = 0
  #run: OpenRun | undefined

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
  addFrom(head: AppendHead, bytes: Uint8Array, start: number, end: number): void {
    if (this.#join(head, bytes, start, end)) return
    const { partitionId, count, acknowledgement, producer } = head
    const messageBytes = end - start
    const mayBeJoined = count === 1 && producer === undefined && messageBytes < joinedBytesMax
    this.#run = mayBeJoined ? { partitionId, acknowledgement, at: this.#at, count } : undefined
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

  /** Makes it one with the append before it, if it may be. */
  #join({ partitionId, count, acknowledgement, producer }: AppendHead, bytes: Uint8Array, start: number, end: number) {
    const run = this.#run
    if (
      run === undefined ||
      count !== 1 ||
      producer !== undefined ||
      partitionId !== run.partitionId ||
      acknowledgement !== run.acknowledgement
    )
      return false
    const messagesAt = run.at + headBytes + lengthBytes
    const messageBytes = this.#at - messagesAt + end - start
    if (messageBytes > joinedBytesMax) return false
    this.#makeRoom(end - start)
    const buffer = this.#buffer
    run.count++
    writeU32(buffer, run.at + 4, run.count)
    buffer[run.at + 8]! |= joinedBit
    writeU32(buffer, messagesAt - lengthBytes, messageBytes)
    copyBytes(bytes, start, end, buffer, this.#at)
    this.#at += end - start
    this.#count++
    return true
  }

  /** What was gathered, in a buffer of its own; it begins anew with an empty one. */
  take(): Uint8Array {
    const taken = this.#buffer.subarray(0, this.#at)
    this.#buffer = nothing
    this.#at = 0
    this.#count = 0
    this.#run = undefined
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
export function readAppendBatch(bytes: Uint8Array): CrossingAppend[] {
  const reader = new WireReader(bytes, 'append batch')
  const crossing: CrossingAppend[] = []
  for (let index = 0; reader.left > 0; ) {
    const partitionId = reader.u32('partitionId')
    const count = reader.u32('count')
    const flags = reader.u8('flags')
    const producer =
      (flags & producerBit) === 0 ? undefined : { id: reader.u64('producerId'), sequence: reader.u32('sequence') }
    const messages = reader.bytes(reader.u32('messageBytes'), 'messages')
    const acknowledgement = acknowledgements[(flags & acknowledgementBits) as 0 | 1 | 2]
    const appends = (flags & joinedBit) === 0 ? 1 : count
    crossing.push({ partitionId, count, messages, acknowledgement, producer, index, appends })
    index += appends
  }
  return crossing
}

/** The appends that are joined in one, each by itself. */
export function splitAppend(append: CrossingAppend): CrossingAppend[] {
  if (append.appends === 1) return [append]
  const { messages, index, appends, ...head } = append
  const bytes = Buffer.from(messages.buffer, messages.byteOffset, messages.byteLength)
  let at = 0
  return Array.from({ length: appends }, (_, nth) => {
    const from = at
    at = endOfLogMessage(bytes, from)
    return { ...head, count: 1, messages: messages.subarray(from, at), index: index + nth, appends: 1 }
  })
}
