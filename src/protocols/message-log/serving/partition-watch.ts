/**
 * One wait for all long polls of a partition. It counts the bytes that come, so that each poll is looked at when as many have come
 * as it waits for, and not before: what a commit costs does not depend on how many wait.
 */
import type { ReadResult } from '../engine/contract.ts'
import { fetchedBytes, offsetBehind } from './fetched.ts'

/** What a watch knows of a poll. */
export interface Watched {
  /** Bytes of `(offset u64 | message)*` that it still waits for; 1 or more. */
  readonly missingBytes: number
  /** The count of its watch at which they have come. */
  targetBytes: number
}

/** The polls of one partition, and how far it has been looked at for them. */
export class PartitionWatch<P extends Watched> {
  readonly partitionId: number
  readonly polls = new Set<P>()
  readonly abort = new AbortController()
  /** Messages before it are counted. */
  seenOffset: number
  #countedBytes = 0
  /** No poll has a lower target. */
  #nextTargetBytes = Number.POSITIVE_INFINITY

  constructor(partitionId: number, seenOffset: number) {
    this.partitionId = partitionId
    this.seenOffset = seenOffset
  }

  /** Bytes that can come before somebody has to be looked at; 1 or more. */
  get roomBytes(): number {
    return Math.max(1, this.#nextTargetBytes - this.#countedBytes)
  }

  /** A poll that has seen all that is counted. One that has seen more is looked at too early, never too late. */
  add(poll: P): void {
    poll.targetBytes = this.#countedBytes + poll.missingBytes
    this.#nextTargetBytes = Math.min(this.#nextTargetBytes, poll.targetBytes)
    this.polls.add(poll)
  }

  /** Counts what was read from {@link seenOffset} on. */
  count(found: ReadResult): void {
    this.#countedBytes += fetchedBytes(found)
    this.seenOffset = offsetBehind(found, this.seenOffset)
  }

  /** Takes out those for whom there is enough, when so many bytes more than are counted have come. */
  takeDue(moreBytes = 0): P[] {
    const reachedBytes = this.#countedBytes + moreBytes
    const due: P[] = []
    if (this.#nextTargetBytes > reachedBytes) return due
    this.#nextTargetBytes = Number.POSITIVE_INFINITY
    for (const poll of this.polls) {
      if (poll.targetBytes <= reachedBytes) due.push(poll)
      else this.#nextTargetBytes = Math.min(this.#nextTargetBytes, poll.targetBytes)
    }
    for (const poll of due) this.polls.delete(poll)
    return due
  }
}
