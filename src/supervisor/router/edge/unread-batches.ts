/**
 * Batches that were posted and may not have been read: what is posted again when the other thread cannot read one.
 *
 * What a thread can write another may be unable to read: a value that is nested deeper than its stack goes, a buffer for
 * which it has no memory. Such a batch is lost whole, and teaches the reader no names; so the reader passes over all that
 * comes after it until the sender starts over. From there on one batch is on its way at a time, each posted again once,
 * and the one that cannot be read is taken apart: what fails alone is to blame.
 *
 * ```
 * posted    1 2 3 4              ──> reader: 2 unreadable, passes over 3 4
 * again       2a ─ 2b ✗ ─ 2c ─ 3 ─ 4       one at a time, confirmed each; 2b is to blame
 * ```
 */
import type { BatchNotice } from '../../../messages/thread/edge.ts'
import { Fifo } from '../../fifo.ts'
import type { BatchContent } from './batch-encoder.ts'
import { headerWord } from './edge-memory.ts'

/** The batches of one direction, on the sender's side. Counts are modulo 2^32. */
export class UnreadBatches {
  readonly #header: Int32Array
  readonly #batches = new Fifo<BatchContent>()
  #posted = 0
  /** The first is on its way, or about to be. */
  #again: BatchContent[] = []

  constructor(header: Int32Array) {
    this.#header = header
  }

  /** What is to be posted again next; undefined when nothing is. */
  get next(): BatchContent | undefined {
    return this.#again[0]
  }

  /** Batches that are not known to have been read. */
  get size(): number {
    return this.#batches.size
  }

  /** Notes that a batch was posted. */
  add(content: BatchContent): void {
    this.#posted = (this.#posted + 1) | 0
    if (this.#again.length === 0) this.#batches.push(content)
  }

  /** Lets go of what the other thread has read. */
  forgetRead(): void {
    this.#keep((this.#posted - Atomics.load(this.#header, headerWord.readBatches)) | 0)
  }

  #keep(count: number): void {
    while (this.#batches.size > count) this.#batches.shift()
  }

  /** Takes a notice; false when it is of one that was passed over, and will be posted again anyway. */
  heed({ batch, unreadable }: BatchNotice): boolean {
    if (this.#again.length > 0) {
      if (batch !== this.#posted) return false
      if (unreadable === undefined) this.#again.shift()
      return true
    }
    if (unreadable === undefined) return false
    this.#keep((this.#posted - batch + 1) | 0)
    this.#again = this.#batches.drain()
    return true
  }

  /** Takes the next one apart. One that has a single part is taken out, and answered. */
  takeApart(): BatchContent | undefined {
    const whole = this.#again.shift()
    if (whole === undefined) return undefined
    const parts = partsOf(whole)
    if (parts.length < 2) return whole
    this.#again.unshift(...parts)
    return undefined
  }

  /** Puts a batch in front of all that is to be posted again. */
  putFirst(content: BatchContent): void {
    this.#again.unshift(content)
  }
}

/** What can be posted by itself of a batch, in the order of its reading: each reply, the refusals, each message. */
export function partsOf({ messages, replies, refusals }: BatchContent): BatchContent[] {
  const parts: BatchContent[] = []
  for (let index = 0; index < replies.length; index += 2) {
    parts.push({ messages: [], replies: replies.slice(index, index + 2), refusals: [] })
  }
  if (refusals.length > 0) parts.push({ messages: [], replies: [], refusals })
  for (const message of messages) parts.push({ messages: [message], replies: [], refusals: [] })
  return parts
}
