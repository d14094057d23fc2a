/**
 * Fetches that wait for messages.
 *
 * ```
 * looking -> answered        there are minBytes, or all that maxBytes take; maxWaitMs are over; the connection ends in good order
 *         -> watching        of a partition: one wait for all polls of this shard
 * watching -> looking        the high-water mark has moved on
 *          -> answered       as above, with what there is
 *          -> abandoned      connection gone
 * ```
 * An idle poll is a record in the set of its partition and in a list of deadlines: nothing is done for it.
 */
import type { Clock } from '../../../actors/runtime/clock.ts'
import { Deadline, Deadlines } from '../../../actors/runtime/deadlines.ts'
import type { Waiter } from '../../../actors/serving/protocol.ts'
import type { FetchRequest, LongPoll } from '../../../messages/log/fetch-v1.ts'
import type { LogReader, MaybeAsync, ReadResult } from '../engine/contract.ts'
import { logFigures } from '../log-figures.ts'
import { fetchAnswer, fetchedBytes, offsetBehind } from './fetched.ts'
import type { LateAnswers } from './late-answers.ts'
import { LateAnswer, type LogCall } from './log-call.ts'

/** The longest time that a timer can wait. */
const delayMsMax = 2_147_483_647

/** A Fetch that waits. */
class Poll extends Deadline implements Waiter {
  readonly isPatient = true
  readonly late = new LateAnswer()
  readonly request: FetchRequest
  /** As many bytes as are waited for: never more than fit the answer. */
  readonly wantedBytes: number
  readonly endMs: number
  readonly #polls: LongPolls
  /** Answered, or about to be. */
  isOver = false
  watch: PartitionWatch | undefined
  /** Messages before it have been looked at, and are so many bytes. */
  nextOffset: number
  seenBytes = 0

  constructor(polls: LongPolls, request: FetchRequest, { minBytes }: LongPoll, endMs: number) {
    super()
    this.#polls = polls
    this.request = request
    this.wantedBytes = Math.min(minBytes, request.maxBytes)
    this.endMs = endMs
    this.nextOffset = request.offset
  }

  abandoned(): void {
    this.#polls.leave(this)
  }

  ending(): void {
    this.#polls.finish(this)
  }
}

/** One wait for all polls of a partition that have seen the same. */
class PartitionWatch {
  readonly partitionId: number
  /** The high-water mark that its polls have seen. */
  readonly seenOffset: number
  readonly polls = new Set<Poll>()
  readonly abort = new AbortController()

  constructor(partitionId: number, seenOffset: number) {
    this.partitionId = partitionId
    this.seenOffset = seenOffset
  }
}

/** The long polls of one shard. */
export class LongPolls {
  readonly #reader: LogReader
  readonly #answers: LateAnswers
  readonly #clock: Clock
  readonly #deadlines: Deadlines<Poll>
  readonly #watches = new Map<number, PartitionWatch>()
  readonly #figures: Float64Array
  #count = 0
  #looks = 0

  /** Shows in `figures`, of `logFigures`, how many wait. */
  constructor(reader: LogReader, answers: LateAnswers, clock: Clock, figures: Float64Array) {
    this.#figures = figures
    this.#reader = reader
    this.#answers = answers
    this.#clock = clock
    this.#deadlines = new Deadlines(clock, true, poll => this.#expire(poll))
  }

  /** Polls that wait. */
  get count(): number {
    return this.#count
  }

  /** How often they have looked again. */
  get looks(): number {
    return this.#looks
  }

  /** Partitions that are watched for them. */
  get watched(): number {
    return this.#watches.size
  }

  /** Answers a Fetch once there is what it waits for; throws what it is refused with at once. */
  fetch(call: LogCall, request: FetchRequest, longPoll: LongPoll): void {
    const poll = new Poll(this, request, longPoll, this.#clock.now() + longPoll.maxWaitMs)
    const found = this.#read(request, request.offset, request.maxBytes)
    if (!(found instanceof Promise) && (longPoll.maxWaitMs === 0 || this.#see(poll, found))) {
      call.answer(fetchAnswer(request.partitionId, found))
      return
    }
    this.#changeCount(1)
    call.defer(poll.late, poll)
    this.#setDeadline(poll)
    if (found instanceof Promise) this.#look(poll, found)
    else this.#watch(poll)
  }

  /** Answers a poll now, with what there is. */
  finish(poll: Poll): void {
    if (poll.isOver) return
    this.leave(poll)
    const { late, request } = poll
    try {
      const found = this.#read(request, request.offset, request.maxBytes)
      if (found instanceof Promise) {
        void this.#answers.await(late, found, result => fetchAnswer(request.partitionId, result))
      } else {
        late.answer(fetchAnswer(request.partitionId, found))
      }
    } catch (error) {
      this.#answers.fail(late, error)
    }
  }

  /** Forgets a poll. */
  leave(poll: Poll): void {
    if (poll.isOver) return
    poll.isOver = true
    this.#changeCount(-1)
    this.#deadlines.clear(poll)
    const { watch } = poll
    if (watch === undefined) return
    poll.watch = undefined
    watch.polls.delete(poll)
    if (watch.polls.size > 0) return
    watch.abort.abort()
    if (this.#watches.get(watch.partitionId) === watch) this.#watches.delete(watch.partitionId)
  }

  #changeCount(change: number): void {
    this.#count += change
    this.#figures[logFigures.at.longPollsWaiting] = this.#count
  }

  #setDeadline(poll: Poll): void {
    const nowMs = this.#clock.now()
    this.#deadlines.set(poll, Math.min(Math.max(poll.endMs - nowMs, 1), delayMsMax), nowMs)
  }

  #expire(poll: Poll): void {
    if (poll.endMs > this.#clock.now()) this.#setDeadline(poll)
    else this.finish(poll)
  }

  #fail(poll: Poll, error: unknown): void {
    if (poll.isOver) return
    this.leave(poll)
    this.#answers.fail(poll.late, error)
  }

  #read({ partitionId }: FetchRequest, offset: number, maxBytes: number): MaybeAsync<ReadResult> {
    return this.#reader.read(partitionId, offset, maxBytes)
  }

  /** Takes note of what was found behind what was seen; true when the poll need not wait any longer. */
  #see(poll: Poll, found: ReadResult): boolean {
    const { nextOffset } = poll
    poll.nextOffset = offsetBehind(found, nextOffset)
    poll.seenBytes += fetchedBytes(found)
    if (poll.nextOffset === poll.request.offset) return false
    // What there is beyond it does not fit the answer.
    return poll.seenBytes >= poll.wantedBytes || poll.nextOffset < found.highWaterMark
  }

  /** Looks at what came behind what was seen, and answers or waits on. */
  #look(poll: Poll, found: MaybeAsync<ReadResult>): void {
    if (found instanceof Promise) {
      found.then(
        result => this.#look(poll, result),
        error => this.#fail(poll, error),
      )
      return
    }
    if (poll.isOver) return
    const isFirst = poll.seenBytes === 0
    if (!this.#see(poll, found)) {
      this.#watch(poll)
    } else if (isFirst) {
      this.leave(poll)
      poll.late.answer(fetchAnswer(poll.request.partitionId, found))
    } else {
      this.finish(poll)
    }
  }

  #lookAgain(poll: Poll): void {
    if (poll.isOver) return
    this.#looks++
    try {
      this.#look(poll, this.#read(poll.request, poll.nextOffset, poll.request.maxBytes - poll.seenBytes))
    } catch (error) {
      this.#fail(poll, error)
    }
  }

  #watch(poll: Poll): void {
    const { partitionId } = poll.request
    let watch = this.#watches.get(partitionId)
    if (watch !== undefined && watch.seenOffset > poll.nextOffset) {
      this.#lookAgain(poll)
      return
    }
    if (watch === undefined) {
      watch = new PartitionWatch(partitionId, poll.nextOffset)
      this.#watches.set(partitionId, watch)
      void this.#wait(watch)
    }
    poll.watch = watch
    watch.polls.add(poll)
  }

  async #wait(watch: PartitionWatch): Promise<void> {
    const { partitionId, seenOffset, polls, abort } = watch
    let failure: { readonly error: unknown } | undefined
    try {
      await this.#reader.whenPast(partitionId, seenOffset, abort.signal)
    } catch (error) {
      failure = { error }
    }
    if (this.#watches.get(partitionId) === watch) this.#watches.delete(partitionId)
    for (const poll of [...polls]) {
      polls.delete(poll)
      poll.watch = undefined
      if (failure === undefined) this.#lookAgain(poll)
      else this.#fail(poll, failure.error)
    }
  }
}
