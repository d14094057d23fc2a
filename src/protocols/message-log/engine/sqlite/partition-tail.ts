/** The end of one partition as its writer knows it: what is committed, and the appends of the tick behind it. */
import type { AppendRequest, StoredBatch } from '../contract.ts'
import { packedRows } from './packed-rows.ts'
import type { PartitionEnd } from './store-reads.ts'

/** A row of the table of batches, but for the time. */
export interface TailRow extends StoredBatch {
  readonly endBytes: number
}

/** Gives out offsets, and makes rows of what got them. */
export class PartitionTail {
  readonly partitionId: number
  #committed: PartitionEnd
  #nextOffset: number
  #taken: AppendRequest[] = []

  constructor(partitionId: number, committed: PartitionEnd) {
    this.partitionId = partitionId
    this.#committed = committed
    this.#nextOffset = committed.nextOffset
  }

  /** Readers see the messages below it. */
  get committedOffset(): number {
    return this.#committed.nextOffset
  }

  /** Answers the offset of the first message. */
  take(request: AppendRequest): number {
    const baseOffset = this.#nextOffset
    this.#taken.push(request)
    this.#nextOffset += request.count
    return baseOffset
  }

  /** What was taken since the last commit; each is there until the next one is asked for, see {@link packedRows}. */
  *rows(joined: Uint8Array): Generator<TailRow> {
    const { nextOffset } = this.#committed
    let { endBytes } = this.#committed
    for (const row of packedRows(this.#taken, nextOffset, joined)) {
      endBytes += row.messages.length
      yield { ...row, endBytes }
    }
  }

  /** After the commit. */
  settle(endBytes: number): void {
    this.#committed = { nextOffset: this.#nextOffset, endBytes }
    this.#taken = []
  }
}
