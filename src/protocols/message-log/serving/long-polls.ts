/**
 * Fetches that wait for messages.
 *
 * ```
 * looking -> answered        there are minBytes, or all that maxBytes take; maxWaitMs are over; the connection ends in good order
 *         -> watching        of a partition: one wait for all polls of this shard
 * watching -> due            as many bytes have come as it waits for; maxWaitMs are over
 *          -> abandoned      connection gone
 * due      -> looking        in turns, so that others are served however many are due at once
 * ```
 * An idle poll is a record in the set of its partition and in a list of deadlines: nothing is done for it. Those that ask the same
 * share a look.
 */
import type { Clock } from '../../../actors/runtime/clock.ts'
import { Deadline, Deadlines } from '../../../actors/runtime/deadlines.ts'
import type { Waiter } from '../../../actors/serving/protocol.ts'
import type { FetchRequest, LongPoll } from '../../../messages/log/fetch-v1.ts'
import { LOG_MESSAGE_BYTES_MIN } from '../../../messages/log/message-v1.ts'
import type { LogReader, MaybeAsync, MeasureResult, ReadResult } from '../engine/contract.ts'
import { offsetBytes } from '../engine/taken-batches.ts'
import { logFigures } from '../log-figures.ts'
import { fetchAnswer, fetchedBytes, offsetBehind, scarceFetchBytes } from './fetched.ts'
import type { LateAnswers } from './late-answers.ts'
import { LateAnswer, type LogCall } from './log-call.ts'
import { PartitionWatch, type Watched } from './partition-watch.ts'

/** The longest time that a timer can wait. */
const delayMsMax = 2_147_483_647

/** What any message brings. */
const fetchedBytesMin = offsetBytes + LOG_MESSAGE_BYTES_MIN

/** Polls that are due are looked at for so long, ms, in a turn of the event loop. */
const turnMs = 5
/** Looks between two at the clock. */
const looksATime = 16
/** Looks that are shared: those of a poll that has seen something already are two. */
const sharedMax = 2

/** A Fetch that waits. */
class Poll extends Deadline implements Waiter, Watched {
  readonly isPatient = true
  readonly late = new LateAnswer()
  readonly request: FetchRequest
  /** As many bytes as are waited for: never more than fit the answer. */
  readonly wantedBytes: number
  readonly endMs: number
  readonly #polls: LongPolls
  /** Answered, or about to be. */
  isOver = false
  watch: PartitionWatch<Poll> | undefined
  targetBytes = 0
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

  get missingBytes(): number {
    return Math.max(1, this.wantedBytes - this.seenBytes)
  }

  abandoned(): void {
    this.#polls.leave(this)
  }

  ending(): void {
    this.#polls.finish(this)
  }
}

/** What was found at a place. */
interface Look {
  readonly partitionId: number
  readonly offset: number
  readonly maxBytes: number
  readonly found: MaybeAsync<ReadResult>
}

/** The long polls of one shard. */
export class LongPolls {
  readonly #reader: LogReader
  readonly #answers: LateAnswers
  readonly #clock: Clock
  readonly #deadlines: Deadlines<Poll>
  readonly #figures: Float64Array
  readonly #watches = new Map<number, PartitionWatch<Poll>>()
  /** To be looked at, oldest first. */
  #due: Poll[] = []
  #isServing = false
  #isDuePlanned = false
  /** The last looks of this turn. */
  #shared: Look[] = []
  /** What was found in this turn of the event loop. */
  readonly #found: ReadResult[] = []
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

  /** How often the store was read to look again. */
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
    const isWanting = longPoll.maxWaitMs > 0 && this.#isWanting(poll)
    const found = isWanting ? undefined : this.#read(request.partitionId, request.offset, request.maxBytes)
    const isFound = found !== undefined && !(found instanceof Promise)
    if (isFound && (longPoll.maxWaitMs === 0 || this.#see(poll, found))) {
      call.answer(fetchAnswer(request.partitionId, found))
      return
    }
    this.#changeCount(1)
    call.defer(poll.late, poll)
    this.#setDeadline(poll)
    if (found instanceof Promise) this.#look(poll, found)
    else this.#watch(poll)
  }

  /** Whether there is less than it waits for, which is taken note of; false where only a read tells. */
  #isWanting(poll: Poll): boolean {
    const { partitionId, offset } = poll.request
    const measured = this.#reader.measure?.(partitionId, offset)
    if (measured === undefined || isEnough(poll, measured)) return false
    poll.nextOffset = measured.nextOffset
    poll.seenBytes = measured.bytes
    return true
  }

  /** Answers a poll now, with what there is. */
  finish(poll: Poll): void {
    if (poll.isOver) return
    this.leave(poll)
    const { late, request } = poll
    try {
      const { maxBytes } = request
      const isScarce = late.link.isOutputFull && maxBytes > scarceFetchBytes
      const found = this.#readShared(request, request.offset, isScarce ? scarceFetchBytes : maxBytes)
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
    this.#unwatch(poll)
  }

  #unwatch(poll: Poll): void {
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
    if (poll.endMs > this.#clock.now()) {
      this.#setDeadline(poll)
      return
    }
    this.#unwatch(poll)
    // Others may expire in this very turn: what they ask too is read once, and not all of it now.
    this.#due.push(poll)
    this.#planServing()
  }

  #fail(poll: Poll, error: unknown): void {
    if (poll.isOver) return
    this.leave(poll)
    this.#answers.fail(poll.late, error)
  }

  /** What is found at once is looked at in this turn of the event loop only. */
  #read(partitionId: number, offset: number, maxBytes: number): MaybeAsync<ReadResult> {
    const found = this.#reader.read(partitionId, offset, maxBytes)
    if (found instanceof Promise || this.#reader.release === undefined) return found
    if (this.#found.push(found) === 1) {
      setImmediate(() => {
        for (const each of this.#found.splice(0)) this.#reader.release?.(each)
      })
    }
    return found
  }

  /** The same; of those that are due in one turn and ask the same it is one look. */
  #readShared(request: FetchRequest, offset: number, maxBytes: number): MaybeAsync<ReadResult> {
    const { partitionId } = request
    const isSame = (look: Look) =>
      look.partitionId === partitionId && look.offset === offset && look.maxBytes === maxBytes
    const shared = this.#shared.find(isSame)
    if (shared !== undefined) return shared.found
    const found = this.#read(partitionId, offset, maxBytes)
    this.#looks++
    if (this.#isServing) this.#shared = [...this.#shared.slice(1 - sharedMax), { partitionId, offset, maxBytes, found }]
    return found
  }

  /** Takes note of what was found behind what was seen; true when the poll need not wait any longer. */
  #see(poll: Poll, found: ReadResult): boolean {
    poll.nextOffset = offsetBehind(found, poll.nextOffset)
    poll.seenBytes += fetchedBytes(found)
    const { nextOffset, seenBytes: bytes } = poll
    return isEnough(poll, { highWaterMark: found.highWaterMark, nextOffset, bytes })
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
    // What was found may be more than is to be answered now.
    const isAnswer = poll.seenBytes === 0 && !poll.late.link.isOutputFull
    if (!this.#see(poll, found)) {
      this.#watch(poll)
    } else if (isAnswer) {
      this.leave(poll)
      poll.late.answer(fetchAnswer(poll.request.partitionId, found))
    } else {
      this.finish(poll)
    }
  }

  #lookAgain(poll: Poll): void {
    if (poll.isOver) return
    const { request, nextOffset, seenBytes } = poll
    try {
      this.#look(poll, this.#readShared(request, nextOffset, request.maxBytes - seenBytes))
    } catch (error) {
      this.#fail(poll, error)
    }
  }

  #watch(poll: Poll): void {
    const { partitionId } = poll.request
    let watch = this.#watches.get(partitionId)
    if (watch !== undefined && watch.seenOffset > poll.nextOffset) {
      // What others found may be older than what the watch has seen.
      this.#shared = []
      this.#lookAgain(poll)
      return
    }
    if (watch === undefined) {
      watch = new PartitionWatch(partitionId, poll.nextOffset)
      this.#watches.set(partitionId, watch)
      void this.#wait(watch)
    }
    poll.watch = watch
    watch.add(poll)
  }

  async #wait(watch: PartitionWatch<Poll>): Promise<void> {
    const { partitionId, polls, abort } = watch
    let failure: { readonly error: unknown } | undefined
    try {
      do {
        await this.#reader.whenPast(partitionId, watch.seenOffset, abort.signal)
        await this.#countNew(watch)
      } while (polls.size > 0)
    } catch (error) {
      failure = { error }
    }
    if (this.#watches.get(partitionId) === watch) this.#watches.delete(partitionId)
    for (const poll of [...polls]) this.#fail(poll, failure?.error)
  }

  /** Reads no more than it takes to know who is due. */
  async #countNew(watch: PartitionWatch<Poll>): Promise<void> {
    this.#makeDue(watch.takeDue(fetchedBytesMin))
    while (watch.polls.size > 0) {
      this.#looks++
      const reading = this.#read(watch.partitionId, watch.seenOffset, watch.roomBytes)
      const found = reading instanceof Promise ? await reading : reading
      watch.count(found)
      this.#makeDue(watch.takeDue())
      if (watch.seenOffset >= found.highWaterMark) return
    }
  }

  /** Has polls looked at, or answered if their time is over. */
  #makeDue(polls: readonly Poll[]): void {
    for (const poll of polls) {
      poll.watch = undefined
      this.#due.push(poll)
    }
    if (!this.#isDuePlanned) this.#serveDue()
  }

  #serveDue(): void {
    if (this.#isServing || this.#due.length === 0) return
    this.#isServing = true
    const due = this.#due
    this.#due = []
    const endsMs = this.#clock.now() + turnMs
    let served = 0
    try {
      do {
        const poll = due[served++]!
        if (poll.endMs <= this.#clock.now()) this.finish(poll)
        else this.#lookAgain(poll)
      } while (served < due.length && (served % looksATime !== 0 || this.#clock.now() < endsMs))
    } finally {
      this.#isServing = false
      this.#shared = []
    }
    this.#due = [...due.slice(served), ...this.#due]
    if (this.#due.length > 0) this.#planServing()
  }

  #planServing(): void {
    if (this.#isDuePlanned) return
    this.#isDuePlanned = true
    setImmediate(() => {
      this.#isDuePlanned = false
      this.#serveDue()
    })
  }
}

/** Whether what there is behind the offset of a poll is to be answered. */
function isEnough({ request, wantedBytes }: Poll, { highWaterMark, nextOffset, bytes }: MeasureResult): boolean {
  if (nextOffset === request.offset) return false
  // What there is beyond it does not fit the answer.
  return bytes >= wantedBytes || nextOffset < highWaterMark
}
