/**
 * A partition of a consumer: knows its position, fetches ahead as far as there is room.
 *
 * ```
 *   fetch ─> batches, in order ─> reader ─> released, room for the next fetch
 * ```
 * One fetch is in flight at most; the chart says so. A request that is not waited for any more is aborted, and its end ignored.
 */
import { compileChart } from '../../../../actors/runtime/chart-compiler/compile-chart.ts'
import type { ChartInstance, ChartTimers, CompiledChart } from '../../../../actors/runtime/compiled-chart.ts'
import { isStarfishError, type StarfishError } from '../../../../messages/errors.ts'
import type { LogEntries } from '../../../../messages/log/batch-v1.ts'
import type { FetchResponse } from '../../../../messages/log/fetch-v1.ts'
import { backoffMs } from '../../../../supervisor/backoff.ts'
import { Fifo } from '../../../../supervisor/fifo.ts'
import { type FailureRecord, recordFailure } from '../../failure-record.ts'
import { logCall } from '../log-calls.ts'
import type { LogRequests } from '../log-requests.ts'
import type { PendingLog } from '../pending-log.ts'
import { ConsumedBatch } from './consumed-batch.ts'
import type { ConsumerConfig } from './consumer-options.ts'
import { oldestOffset } from './oldest-offset.ts'
import type { BudgetUser, PrefetchBudget } from './prefetch-budget.ts'
import { type TrackContext, type TrackEvent, type TrackFacts, trackMachine } from './track-machine.ts'

/** What the tracks of a consumer have in common. */
export interface TrackPlane {
  readonly requests: LogRequests
  readonly config: ConsumerConfig
  readonly timers: ChartTimers
  /** A batch came. */
  arrived(track: Track): void
  /** An error that no other try mends. */
  failed(error: StarfishError): void
}

type Context = TrackContext<Track>

let compiled: CompiledChart<Context, TrackEvent> | undefined

/** The compiled chart of this thread. */
function trackChart(): CompiledChart<Context, TrackEvent> {
  compiled ??= compileChart(trackMachine) as unknown as CompiledChart<Context, TrackEvent>
  return compiled
}

/** Takes the timer of a track's chart that is due. */
export function expireTrack(instance: ChartInstance, slot: number): void {
  ;(instance.scope as Track).expire(slot)
}

/** The record. */
export class Track implements TrackFacts, BudgetUser {
  readonly partition: number
  highWaterMark: number | undefined = undefined
  isPaused: boolean
  readonly #plane: TrackPlane
  readonly #budget: PrefetchBudget
  readonly #chart: ChartInstance<Context>
  readonly #batches = new Fifo<ConsumedBatch>()
  /** Of what is fetched, and not released. */
  #bytes = 0
  /** What the fetch in flight took room for. */
  #askedBytes = 0
  /** What the next fetch takes room for. */
  #nextBytes: number
  /** The offset to be fetched next; else where it is to be looked for. */
  #next: number | 'start' | 'end'
  /** The offset to be handed out next, once that is known. */
  #position: number | undefined
  /** What is not there any more of `start` is no loss: nothing was promised yet. */
  #isAtStart: boolean
  failures = 0
  lastError: FailureRecord | undefined = undefined
  /** The offset that was asked for and is out of range, while one in range is looked for. */
  #lostFrom: number | undefined
  /** Answers in a row that came in haste. */
  #hasty = 0
  #askedAtMs = 0
  #skipped = 0
  #pending: PendingLog<FetchResponse> | undefined
  #locating: AbortController | undefined

  constructor(
    partition: number,
    from: number | 'start' | 'end',
    isPaused: boolean,
    budget: PrefetchBudget,
    plane: TrackPlane,
  ) {
    this.partition = partition
    this.isPaused = isPaused
    this.#plane = plane
    this.#budget = budget
    this.#nextBytes = budget.fetchBytes
    this.#isAtStart = from === 'start'
    // That is mostly 0: it is looked for only if that is out of range.
    this.#next = from === 'start' ? 0 : from
    this.#position = typeof this.#next === 'number' && !this.#isAtStart ? this.#next : undefined
    this.#chart = trackChart().create(this, plane.timers, this)
    trackChart().start(this.#chart)
  }

  // What the chart asks.

  get isPositionKnown(): boolean {
    return typeof this.#next === 'number'
  }

  get backoffMs(): number {
    const { retry, random } = this.#plane.requests.config
    return backoffMs({ ...retry, jitter: 1 }, Math.max(this.failures, this.#hasty), random())
  }

  // What the reader asks.

  get position(): number | undefined {
    return this.#position
  }

  get bufferedBytes(): number {
    return this.#bytes
  }

  get hasBatch(): boolean {
    return !this.isPaused && this.#batches.size > 0
  }

  /** The next batch. Its bytes count until they are released. */
  take(): ConsumedBatch {
    return this.#batches.shift()!
  }

  /** Everything before `offset` was handed out. */
  passed(offset: number): void {
    this.#position = offset
  }

  release(bytes: number): void {
    this.#bytes -= bytes
    this.#budget.release(bytes)
    this.go()
  }

  get wantedBytes(): number {
    return this.#mayGo && typeof this.#next === 'number' ? this.#nextBytes : 0
  }

  /** Fetches if there is room. */
  go(): void {
    if (!this.#mayGo) return
    if (typeof this.#next !== 'number') {
      this.#tell('track.go')
      void this.#locate(this.#next)
    } else if (this.#budget.reserve(this, this.#nextBytes)) {
      this.#askedBytes = this.#nextBytes
      this.#tell('track.go')
      this.#fetch(this.#next)
    }
  }

  /** What is fetched ahead is thrown away, and fetched again when it is asked for. */
  giveBack(): void {
    const first = this.#batches.shift()
    if (first === undefined) return
    const position = this.#position
    this.#bytes -= first.bytes
    this.#budget.release(first.bytes)
    this.seek(first.baseOffset, first.skipped)
    this.#position = position
  }

  /** Goes on at an offset, before which so many messages are no more; what was fetched ahead is thrown away. */
  seek(to: number | 'start' | 'end', skipped = 0): void {
    this.#forget()
    this.#next = to
    this.#nextBytes = this.#budget.fetchBytes
    this.#position = typeof to === 'number' ? to : undefined
    this.#isAtStart = false
    this.#lostFrom = undefined
    this.#skipped = skipped
    this.#hasty = 0
    this.#tell('track.seek')
    this.go()
  }

  expire(slot: number): void {
    trackChart().expire(this.#chart, slot)
    this.go()
  }

  end(): void {
    this.#forget()
    this.#tell('track.end')
  }

  get #state(): string {
    return trackChart().configurations[this.#chart.configuration]!
  }

  get #mayGo(): boolean {
    if (this.isPaused || this.#state !== 'resting') return false
    return this.#bytes === 0 || this.#bytes + this.#nextBytes <= this.#budget.shareBytes
  }

  #fetch(offset: number): void {
    const { requests, config } = this.#plane
    const maxWaitMs = requests.pollWaitMs(config.maxWaitMs)
    const content = {
      partitionId: this.partition,
      offset,
      maxBytes: this.#budget.fetchBytes,
      longPoll: { maxWaitMs, minBytes: 1 },
    }
    // The chart tries again, so that what is wrong is known here.
    const attempts = { isIdempotent: true, isRetried: false, timeoutMs: requests.config.timeoutMs + maxWaitMs }
    const pending = requests.create(
      logCall.fetch,
      content,
      attempts,
      answer => {
        if (this.#pending === pending) this.#answered(offset, answer)
      },
      error => {
        if (this.#pending === pending) this.#failed(error, offset)
      },
    )
    this.#pending = pending
    this.#askedAtMs = requests.config.clock.now()
    requests.polls.open(pending)
  }

  #answered(offset: number, { highWaterMark, entries }: FetchResponse): void {
    this.#pending = undefined
    this.failures = 0
    this.#isAtStart = false
    this.#position ??= offset
    this.highWaterMark = highWaterMark
    const isKept = this.#keep(offset, highWaterMark, entries)
    if (entries.count === 0 && this.#isEarly) this.#hasty++
    else this.#hasty = 0
    this.#tell(this.#hasty > 0 ? 'fetch.hasty' : 'fetch.answered')
    if (isKept) this.#plane.arrived(this)
    this.#budget.serve()
    this.go()
  }

  /** A server that keeps answering so soon would be asked without a pause. */
  get #isEarly(): boolean {
    const { clock, retry } = this.#plane.requests.config
    return clock.now() - this.#askedAtMs < Math.min(this.#plane.config.maxWaitMs, retry.maxMs)
  }

  /** Whether there are messages, and room for them. */
  #keep(offset: number, highWaterMark: number, entries: LogEntries): boolean {
    const { fetchBytes } = this.#budget
    const askedBytes = this.#askedBytes
    this.#askedBytes = 0
    this.#nextBytes = fetchBytes
    if (entries.count === 0) {
      this.#budget.keep(askedBytes, 0)
      return false
    }
    const batch = new ConsumedBatch(this.partition, offset, highWaterMark, this.#skipped, entries)
    const isKept = this.#budget.keep(askedBytes, batch.bytes)
    // The next message is probably of the same kind.
    if (!isKept || batch.lag > 0) this.#nextBytes = Math.max(fetchBytes, batch.bytes)
    if (!isKept) return false
    this.#skipped = 0
    this.#next = batch.nextOffset
    this.#bytes += batch.bytes
    this.#batches.push(batch)
    return true
  }

  async #locate(where: 'start' | 'end'): Promise<void> {
    const { requests } = this.#plane
    const { partition } = this
    const locating = new AbortController()
    const { signal } = locating
    this.#locating = locating
    try {
      const offset =
        where === 'end'
          ? await requests.ask(logCall.getOffset, { partitionId: partition }, true, { signal })
          : await oldestOffset(requests, partition, signal)
      if (this.#locating === locating) this.#found(offset)
    } catch (error) {
      if (this.#locating === locating) this.#failed(error)
    }
  }

  #found(offset: number): void {
    this.#locating = undefined
    const from = this.#lostFrom
    this.#lostFrom = undefined
    if (from !== undefined) this.#skipped += Math.max(0, offset - from)
    this.#next = offset
    // What was fetched ahead comes before it.
    if (from === undefined || this.#position === from) this.#position = offset
    this.#tell('position.found')
    this.go()
  }

  /** `offset` is that of a fetch. */
  #failed(error: unknown, offset?: number): void {
    this.#pending = undefined
    this.#locating = undefined
    this.#giveUpRoom()
    if (!isStarfishError(error)) throw error
    this.lastError = recordFailure(error, this.#plane.requests.config.clock.now())
    const where = this.#isAtStart ? 'start' : this.#plane.config.outOfRange
    if (error.code === 'OFFSET_OUT_OF_RANGE' && where !== 'fail') {
      if (!this.#isAtStart) this.#lostFrom = offset
      this.#next = where
      // What is looked for once more was not there when it was found.
      this.#tell(this.#hasty++ === 0 ? 'range.left' : 'fetch.hasty')
      this.go()
    } else if (error.retryable) {
      this.failures++
      this.#tell('request.failed')
    } else this.#plane.failed(error)
  }

  #giveUpRoom(): void {
    const bytes = this.#askedBytes
    this.#askedBytes = 0
    if (bytes > 0) this.#budget.release(bytes)
  }

  /** Whatever was fetched ahead, and comes of what was asked: nobody wants it. */
  #forget(): void {
    this.#budget.leave(this)
    for (const { bytes } of this.#batches.drain()) {
      this.#bytes -= bytes
      this.#budget.release(bytes)
    }
    const pending = this.#pending
    const locating = this.#locating
    this.#pending = undefined
    this.#locating = undefined
    if (pending !== undefined) this.#plane.requests.polls.abort(pending)
    locating?.abort()
    this.#giveUpRoom()
  }

  #tell(type: TrackEvent['type']): void {
    trackChart().step(this.#chart, { type })
  }
}
