/** The appends between two commits: they are committed together, and answered then. */
import type { AppendResult, AppendSink } from '../contract.ts'
import type { PartitionTail } from './partition-tail.ts'

/** What a commit has to do, and whom it answers. */
export class Tick {
  readonly tails = new Set<PartitionTail>()
  /** Of the messages. */
  bytes = 0
  /** Somebody wants it on the disk. */
  flushed = false
  /** Somebody was answered before the commit. */
  answeredEarly = false
  readonly #results: AppendResult[] = []
  readonly #indexes: number[] = []
  readonly #sinks: AppendSink[] = []

  /** Tells `sink` the result after the commit. */
  wait(result: AppendResult, index: number, sink: AppendSink): void {
    this.#results.push(result)
    this.#indexes.push(index)
    this.#sinks.push(sink)
  }

  answer(): void {
    for (let at = 0; at < this.#sinks.length; at++) this.#sinks[at]!.stored(this.#indexes[at]!, this.#results[at]!)
  }

  refuse(error: unknown): void {
    for (let at = 0; at < this.#sinks.length; at++) this.#sinks[at]!.refused(this.#indexes[at]!, error)
  }
}
