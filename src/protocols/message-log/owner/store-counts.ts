/** What the owner of a store counts. */
import type { RetentionResult } from '../engine/contract.ts'
import { logFigures } from '../log-figures.ts'
import type { AppendCounts } from './append-desk.ts'

const { at } = logFigures

/** Counts into a section of `logFigures`. */
export class StoreCounts implements AppendCounts {
  readonly #figures: Float64Array
  /** Of this incarnation. */
  #inHand = 0

  constructor(figures: Float64Array) {
    this.#figures = figures
  }

  taken(appends: number): void {
    this.#inHand += appends
    this.#figures[at.appendsWaiting] = this.#inHand
  }

  stored(appends: number, messages: number, bytes: number): void {
    this.taken(-appends)
    this.#figures[at.appends]! += appends
    this.#figures[at.messages]! += messages
    this.#figures[at.bytes]! += bytes
  }

  failed(appends: number): void {
    this.taken(-appends)
    this.#figures[at.appendsFailed]! += appends
  }

  removed({ batches, bytes }: RetentionResult): void {
    this.#figures[at.batchesRemoved]! += batches
    this.#figures[at.bytesRemoved]! += bytes
  }

  retentionFailed(): void {
    this.#figures[at.retentionsFailed]!++
  }
}
