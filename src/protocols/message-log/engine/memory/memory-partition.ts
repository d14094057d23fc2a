/** One partition in memory: its batches, and the answers to its producers. */
import type { AppendRequest, AppendResult, ReadResult, RetentionPolicy, StoredBatch } from '../contract.ts'
import { offsetOutOfRange, sequenceExpired } from '../engine-errors.ts'
import { KeptAnswers } from '../kept-answers.ts'
import { readBatchesMax, takenBatches } from '../taken-batches.ts'

interface MemoryBatch extends StoredBatch {
  readonly storedMs: number
}

interface MemoryProducer {
  readonly answers: KeptAnswers
  usedMs: number
}

/** A partition of the memory engine. Everything is done at once. */
export class MemoryPartition {
  readonly id: number
  readonly #store: string
  readonly #batches: MemoryBatch[] = []
  readonly #producers = new Map<bigint, MemoryProducer>()
  #bytes = 0
  #highWaterMark = 0

  /** `store` is for errors. */
  constructor(id: number, store: string) {
    this.id = id
    this.#store = store
  }

  get highWaterMark(): number {
    return this.#highWaterMark
  }

  append({ count, messages, producer }: AppendRequest, nowMs: number): AppendResult {
    const answers = producer && this.#answersOf(producer.id, nowMs)
    const known = producer && answers?.find(producer.sequence)
    if (known === 'expired') throw sequenceExpired(this.#store, this.id, producer!.sequence)
    if (typeof known === 'object') return known
    const baseOffset = this.#highWaterMark
    this.#batches.push({ baseOffset, count, messages: new Uint8Array(messages), storedMs: nowMs })
    this.#bytes += messages.length
    this.#highWaterMark += count
    const answer = { sequence: producer?.sequence ?? 0, baseOffset, stored: count }
    answers?.keep(answer)
    return answer
  }

  read(offset: number, maxBytes: number): ReadResult {
    const highWaterMark = this.#highWaterMark
    const firstOffset = this.#batches[0]?.baseOffset ?? 0
    if (!(offset >= firstOffset && offset <= highWaterMark))
      throw offsetOutOfRange(this.id, offset, firstOffset, highWaterMark)
    const from = this.#batches.findLastIndex(({ baseOffset }) => baseOffset <= offset)
    const some = this.#batches.slice(from, from + readBatchesMax)
    const batches = offset === highWaterMark ? [] : takenBatches(some, offset, maxBytes)
    return { highWaterMark, batches }
  }

  /** Answers what it removed: batches and their bytes. */
  retain({ ageMs, partitionBytesMax, producerAgeMs }: RetentionPolicy, nowMs: number): [number, number] {
    const bytesBefore = this.#bytes
    let removed = 0
    for (const { messages, storedMs } of this.#batches.slice(0, -1)) {
      if (nowMs - storedMs <= ageMs && this.#bytes <= partitionBytesMax) break
      this.#bytes -= messages.length
      removed++
    }
    this.#batches.splice(0, removed)
    for (const [id, { usedMs }] of this.#producers) if (nowMs - usedMs > producerAgeMs) this.#producers.delete(id)
    return [removed, bytesBefore - this.#bytes]
  }

  #answersOf(id: bigint, nowMs: number): KeptAnswers {
    const producer = this.#producers.get(id) ?? { answers: new KeptAnswers(), usedMs: nowMs }
    producer.usedMs = nowMs
    this.#producers.set(id, producer)
    return producer.answers
  }
}
