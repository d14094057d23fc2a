/** The appends between two commits: they are committed together, and answered then. */
import type { AppendResult } from '../contract.ts'
import type { PartitionTail } from './partition-tail.ts'

interface Waiting {
  readonly result: AppendResult
  resolve(result: AppendResult): void
  reject(error: unknown): void
}

/** What a commit has to do, and whom it answers. */
export class Tick {
  readonly tails = new Set<PartitionTail>()
  /** Of the messages. */
  bytes = 0
  /** Somebody wants it on the disk. */
  flushed = false
  /** Somebody was answered before the commit. */
  answeredEarly = false
  readonly #waiting: Waiting[] = []

  /** The result, after the commit. */
  wait(result: AppendResult): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ result, resolve, reject })
    })
  }

  answer(): void {
    for (const { result, resolve } of this.#waiting) resolve(result)
  }

  refuse(error: unknown): void {
    for (const { reject } of this.#waiting) reject(error)
  }
}
