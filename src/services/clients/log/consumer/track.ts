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
import { type TrackContext, type TrackEvent, type TrackFacts, trackMachine } from './track-machine.ts'

/** What the tracks of a consumer have in common. */
export interface TrackPlane {
  readonly requests: LogRequests
  readonly config: ConsumerConfig
  readonly timers: ChartTimers
  /** Bytes that a track may have fetched ahead, and those it asks for at once. */
  readonly shareBytes: number
  readonly fetchBytes: number
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
export class Track implements TrackFacts {
  readonly partition: number
  highWaterMark: number | undefined = undefined
  isPaused: boolean
  readonly #plane: TrackPlane
  readonly #chart: ChartInstance<Context>
  readonly #batches = new Fifo<ConsumedBatch>()
  /** Of what is fetched, and not released. */
  #bytes = 0
  /** The offset to be fetched next; else where it is to be looked for. */
  #next: number | 'start' | 'end'
  /** The offset to be handed out next, once that is known. */
  #position: number | undefined
  /** What is not there any more of `start` is no loss: nothing was promised yet. */
  #isAtStart: boolean
  failures = 0
  lastError: FailureRecord | undefined = undefined
  #skipped = 0
  #pending: PendingLog<FetchResponse> | undefined
  #locating: AbortController | undefined

  constructor(partition: number, from: number | 'start' | 'end', isPaused: boolean, plane: TrackPlane) {
    this.partition = partition
    this.isPaused = isPaused
    this.#plane = plane
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
    return backoffMs({ ...retry, jitter: 1 }, this.failures, random())
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
    this.go()
  }

  /** Fetches if there is room. */
  go(): void {
    if (this.#state !== 'resting' || !this.#hasRoom) return
    this.#tell('track.go')
    if (typeof this.#next === 'number') this.#fetch(this.#next)
    else void this.#locate(this.#next)
  }

  /** Goes on at an offset; what was fetched ahead is thrown away. */
  seek(to: number | 'start' | 'end'): void {
    for (const { bytes } of this.#batches.drain()) this.#bytes -= bytes
    this.#forget()
    this.#next = to
    this.#position = typeof to === 'number' ? to : undefined
    this.#isAtStart = false
    this.#skipped = 0
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

  get #hasRoom(): boolean {
    const { shareBytes, fetchBytes } = this.#plane
    return !this.isPaused && (this.#bytes === 0 || this.#bytes + fetchBytes <= shareBytes)
  }

  #fetch(offset: number): void {
    const { requests, config, fetchBytes } = this.#plane
    const maxWaitMs = requests.pollWaitMs(config.maxWaitMs)
    const content = {
      partitionId: this.partition,
      offset,
      maxBytes: fetchBytes,
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
        if (this.#pending === pending) this.#failed(error)
      },
    )
    this.#pending = pending
    requests.polls.open(pending)
  }

  #answered(offset: number, { highWaterMark, entries }: FetchResponse): void {
    this.#pending = undefined
    this.failures = 0
    this.#isAtStart = false
    this.#position ??= offset
    this.highWaterMark = highWaterMark
    if (entries.count > 0) {
      const batch = new ConsumedBatch(this.partition, offset, highWaterMark, this.#skipped, entries)
      this.#skipped = 0
      this.#next = batch.nextOffset
      this.#bytes += batch.bytes
      this.#batches.push(batch)
    }
    this.#tell('fetch.answered')
    if (entries.count > 0) this.#plane.arrived(this)
    this.go()
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
    this.#skipped = this.#position === undefined ? 0 : Math.max(0, offset - this.#position)
    this.#next = offset
    this.#position = offset
    this.#tell('position.found')
    this.go()
  }

  #failed(error: unknown): void {
    this.#pending = undefined
    this.#locating = undefined
    if (!isStarfishError(error)) throw error
    this.lastError = recordFailure(error, this.#plane.requests.config.clock.now())
    const where = this.#isAtStart ? 'start' : this.#plane.config.outOfRange
    if (error.code === 'OFFSET_OUT_OF_RANGE' && where !== 'fail') {
      this.#next = where
      this.#tell('range.left')
      this.go()
    } else if (error.retryable) {
      this.failures++
      this.#tell('request.failed')
    } else this.#plane.failed(error)
  }

  /** Whatever comes of what was asked, nobody wants it. */
  #forget(): void {
    const pending = this.#pending
    const locating = this.#locating
    this.#pending = undefined
    this.#locating = undefined
    if (pending !== undefined) this.#plane.requests.polls.abort(pending)
    locating?.abort()
  }

  #tell(type: TrackEvent['type']): void {
    trackChart().step(this.#chart, { type })
  }
}
