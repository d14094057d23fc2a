/** Messages of a partition that were fetched together. */
import type { LogEntries } from '../../../../messages/log/batch-v1.ts'
import { type ConsumedMessage, readConsumed } from '../message.ts'

/** A batch as its reader gets it: at least one message, in order and without gaps. */
export class ConsumedBatch {
  /** Id of its partition. */
  readonly partition: number
  /** Offset of the first message. */
  readonly baseOffset: number
  readonly count: number
  /** Bytes that it takes, with the offsets. */
  readonly bytes: number
  /** The offset that the next message of the partition got when this was fetched. */
  readonly highWaterMark: number
  /** Messages that were no more when they were asked for, between those handed out before and these: see `outOfRange`. */
  readonly skipped: number
  readonly #entries: LogEntries
  #messages: readonly ConsumedMessage[] | undefined

  constructor(partition: number, baseOffset: number, highWaterMark: number, skipped: number, entries: LogEntries) {
    this.partition = partition
    this.baseOffset = baseOffset
    this.count = entries.count
    this.bytes = entries.end - entries.start
    this.highWaterMark = highWaterMark
    this.skipped = skipped
    this.#entries = entries
  }

  /** Made when they are first asked for. */
  get messages(): readonly ConsumedMessage[] {
    this.#messages ??= readConsumed(this.partition, this.#entries)
    return this.#messages
  }

  /** The offset behind its last message. */
  get nextOffset(): number {
    return this.baseOffset + this.count
  }

  /** Messages behind it that the partition had when it was fetched. */
  get lag(): number {
    return this.highWaterMark - this.nextOffset
  }

  /** Its messages from `offset` on, at least one. */
  from(offset: number): ConsumedBatch {
    if (offset <= this.baseOffset) return this
    const { partition, highWaterMark } = this
    const rest = new ConsumedBatch(partition, offset, highWaterMark, 0, {
      ...this.#entries,
      count: this.nextOffset - offset,
    })
    rest.#messages = this.messages.slice(offset - this.baseOffset)
    return rest
  }
}
