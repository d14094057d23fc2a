/** Messages that are sent to a partition together: their bytes, and whose they are. */
import { Deadline } from '../../../../actors/runtime/deadlines.ts'
import type { Handled, StarfishError } from '../../../../messages/errors.ts'
import type { LogBatch } from '../../../../messages/log/batch-v1.ts'
import {
  endOfLogMessage,
  type LogMessage,
  readLogMessage,
  writeLogMessage,
} from '../../../../messages/log/message-v1.ts'
import type { ProducerSequence } from '../../../../messages/log/produce-v1.ts'
import { copyBytes, writeU32 } from '../../../../messages/wire/in-place.ts'
import type { LargeBuffers } from '../../../../messages/wire/large-buffers.ts'
import type { PendingLog } from '../pending-log.ts'
import type { Delivery } from './delivery.ts'
import type { Lane } from './lane.ts'

/** Messages of one delivery that are one behind the other in it and in the batch. */
class Share {
  readonly delivery: Delivery
  /** The place of the first in the delivery. */
  readonly at: number
  count: number

  constructor(delivery: Delivery, at: number, count: number) {
    this.delivery = delivery
    this.at = at
    this.count = count
  }
}

const countBytes = 4
const nothing = Buffer.allocUnsafeSlow(0)
const firstBytes = 1_024
/** One that has more is likely to be filled. */
const smallBytes = 16_384

/** A batch of a lane: falls due when its first message has waited as long as a send may. */
export class ProducerBatch extends Deadline {
  readonly lane: Lane
  count = 0
  /** It is sent as soon as that is possible, and takes no further message then. */
  isDue = false
  /** How many batches of the lane were sent before it. */
  index = -1
  /** What it is sent with, each time. */
  producer: ProducerSequence | undefined = undefined
  /** Its attempt, while there is one. */
  pending: PendingLog | undefined = undefined
  attempts = 0
  handled: Handled = 'no'
  lastFailure: StarfishError | undefined = undefined
  readonly #shares: Share[] = []
  readonly #buffers: LargeBuffers
  #bytes: Buffer
  #end = countBytes

  constructor(lane: Lane, buffers: LargeBuffers, bytes: Buffer = Buffer.allocUnsafeSlow(firstBytes)) {
    super()
    this.lane = lane
    this.#buffers = buffers
    this.#bytes = bytes
  }

  /** Bytes of its messages. */
  get messageBytes(): number {
    return this.#end - countBytes
  }

  /** Bytes with one more message of `bytes`. */
  bytesWith(bytes: number): number {
    return this.#end + bytes
  }

  /** Takes the message at `at` of a delivery, which has `bytes`; it grows up to `bytesMax`. */
  add(message: LogMessage, bytes: number, delivery: Delivery, at: number, bytesMax: number): void {
    const needed = this.#end + bytes
    if (needed > this.#bytes.length) {
      const wanted = needed > smallBytes ? bytesMax : Math.min(bytesMax, this.#bytes.length * 4)
      this.#grow(Math.max(needed, wanted))
    }
    this.#end = writeLogMessage(this.#bytes, this.#end, message)
    this.#share(delivery, at)
  }

  /** As it is sent. */
  seal(): LogBatch {
    writeU32(this.#bytes, 0, this.count)
    return { bytes: this.#bytes, start: 0, end: this.#end, count: this.count }
  }

  /** Tells whose messages they are that all are stored, from `baseOffset` on. */
  storedAt(partition: number, baseOffset: number): void {
    let offset = baseOffset
    for (const { delivery, at, count } of this.#shares) {
      delivery.stored(at, count, partition, offset)
      offset += count
    }
  }

  /** Hands every message out, in order: its bytes, whose it is and its place there. */
  giveAll(take: (message: LogMessage, bytes: number, delivery: Delivery, at: number) => void): void {
    let from = countBytes
    for (const { delivery, at, count } of this.#shares) {
      for (let given = 0; given < count; given++) {
        const end = endOfLogMessage(this.#bytes, from)
        take(readLogMessage(this.#bytes, from), end - from, delivery, at + given)
        from = end
      }
    }
  }

  /** Tells whose messages they are that they are given up. */
  failed(error: StarfishError): void {
    for (const { delivery, count } of this.#shares) delivery.failed(count, error)
  }

  /** It is over: nobody looks at its bytes any more. It holds no send: one that has grown old would keep them all. */
  release(): void {
    this.#buffers.give(this.#bytes)
    this.#bytes = nothing
    this.#shares.length = 0
  }

  /** Takes the first `count` messages out, fewer than there are, into a batch of their own. */
  splitOff(count: number): ProducerBatch {
    let end = countBytes
    for (let left = count; left > 0; left--) end = endOfLogMessage(this.#bytes, end)
    const first = new ProducerBatch(this.lane, this.#buffers, Buffer.from(this.#bytes.subarray(0, end)))
    first.#end = end
    first.count = count
    this.#bytes.copyWithin(countBytes, end, this.#end)
    this.#end -= end - countBytes
    this.count -= count
    for (let left = count; left > 0; ) {
      const share = this.#shares.shift()!
      const taken = Math.min(left, share.count)
      first.#shares.push(new Share(share.delivery, share.at, taken))
      left -= taken
      if (taken < share.count) {
        this.#shares.unshift(new Share(share.delivery, share.at + taken, share.count - taken))
      }
    }
    return first
  }

  #share(delivery: Delivery, at: number): void {
    this.count++
    const last = this.#shares.at(-1)
    if (last !== undefined && last.delivery === delivery && last.at + last.count === at) last.count++
    else this.#shares.push(new Share(delivery, at, 1))
  }

  #grow(size: number): void {
    const bytes = this.#buffers.take(size)
    copyBytes(this.#bytes, 0, this.#end, bytes, 0)
    this.#buffers.give(this.#bytes)
    this.#bytes = bytes
  }
}
