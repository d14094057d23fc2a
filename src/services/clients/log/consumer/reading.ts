/**
 * Reads the partitions of a topic from where it is told, ahead of its reader, waiting where there is nothing yet.
 *
 * ```
 *   tracks, one for each partition ── batches ──> turn by turn ──> whoever asks for the next
 *      └─ fetch, long poll ─> requests
 * ```
 * It begins when it is first asked. What it hands out is the reader's until the next is asked for.
 */
import { createClockTimers } from '../../../../actors/runtime/chart-timers.ts'
import type { TimerHandle } from '../../../../actors/runtime/clock.ts'
import type { ChartTimers } from '../../../../actors/runtime/compiled-chart.ts'
import { isStarfishError, StarfishError } from '../../../../messages/errors.ts'
import { fetchBytesMax as entriesBytesMax } from '../../../../messages/log/response.ts'
import { backoffMs } from '../../../../supervisor/backoff.ts'
import { Fifo } from '../../../../supervisor/fifo.ts'
import type { FailureRecord } from '../../failure-record.ts'
import type { LogRequests } from '../log-requests.ts'
import { partitionNotFound, type TopicDirectory } from '../topic-directory.ts'
import type { ConsumedBatch } from './consumed-batch.ts'
import type { ConsumerConfig } from './consumer-options.ts'
import { PrefetchBudget } from './prefetch-budget.ts'
import { expireTrack, Track, type TrackPlane } from './track.ts'

/** What a consumer knows of a partition. */
export interface PartitionFigures {
  readonly partition: number
  /** The offset that is handed out next; undefined while it is not known. */
  readonly position: number | undefined
  /** The offset that the next message gets, as of the last answer; undefined before the first. */
  readonly highWaterMark: number | undefined
  /** Messages that were not handed out, as of the last answer. */
  readonly lag: number | undefined
  /** Of what is fetched ahead, and of what its reader has in hand. */
  readonly bufferedBytes: number
  readonly isPaused: boolean
  /** Of its requests, in a row; 0 once one was answered. */
  readonly failures: number
  /** What the last request that failed failed with; undefined while none has. It stays when others are answered. */
  readonly lastError: FailureRecord | undefined
}

interface Waiter {
  resolve(batch: ConsumedBatch | undefined): void
  reject(error: unknown): void
}

function partitionNotRead(topic: string, partition: number): StarfishError {
  const text = `the consumer of topic ${topic} reads no partition ${partition}`
  return new StarfishError('PARTITION_NOT_FOUND', text, { details: { topic, partition }, handled: 'no' })
}

/** The reading of one consumer. */
export class Reading implements TrackPlane {
  readonly requests: LogRequests
  readonly config: ConsumerConfig
  readonly timers: ChartTimers
  readonly #topics: TopicDirectory
  readonly #whenOver: () => void
  #budget: PrefetchBudget | undefined
  #tracks: readonly Track[] = []
  /** Whose turn it is. */
  #turn = 0
  readonly #waiters = new Fifo<Waiter>()
  /** What was asked for before it was known which partitions there are. */
  readonly #seeks = new Map<number, number>()
  readonly #pauses = new Set<number>()
  #isAllPaused = false
  /** What the reader has in hand, and how much of it was handed out. */
  #inHand: ConsumedBatch | undefined
  #isBegun = false
  #isOver = false
  #failure: StarfishError | undefined
  #failures = 0
  #retry: TimerHandle

  /** `whenOver` is called when it has ended. */
  constructor(requests: LogRequests, topics: TopicDirectory, config: ConsumerConfig, whenOver: () => void) {
    this.requests = requests
    this.config = config
    this.timers = createClockTimers(requests.config.clock, expireTrack)
    this.#topics = topics
    this.#whenOver = whenOver
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** The next batch, of the partition whose turn it is; undefined once it was closed. Rejects once it has failed. */
  next(): Promise<ConsumedBatch | undefined> {
    this.#letGo()
    if (!this.#isBegun) this.#begin()
    const batch = this.#takeNext()
    if (batch !== undefined) return Promise.resolve(batch)
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.#isOver) return Promise.resolve(undefined)
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }))
  }

  /** Whether a batch that was handed out is still its reader's: a seek takes it back. */
  isInHand(batch: ConsumedBatch): boolean {
    return this.#inHand === batch
  }

  /** Takes the batch in hand back, if it is of one of these partitions, all unless told. It is handed out again, whole. */
  takeBack(partitions: readonly number[] | undefined): void {
    const batch = this.#inHand
    if (batch === undefined || partitions?.includes(batch.partition) === false) return
    this.seek(batch.partition, batch.baseOffset, batch.skipped)
  }

  /** Messages of the batch in hand before `offset` were handed out. */
  passed(offset: number): void {
    if (this.#inHand !== undefined) this.#trackOf(this.#inHand.partition)?.passed(offset)
  }

  seek(partition: number, offset: number, skipped = 0): void {
    if (this.#inHand?.partition === partition) this.#letGo()
    this.#checkRead(partition)
    const track = this.#trackOf(partition)
    if (track === undefined) this.#seeks.set(partition, offset)
    else track.seek(offset, skipped)
  }

  setPaused(partitions: readonly number[] | undefined, isPaused: boolean): void {
    for (const partition of partitions ?? []) this.#checkRead(partition)
    if (partitions === undefined) {
      this.#isAllPaused = isPaused
      this.#pauses.clear()
    } else {
      for (const partition of partitions) {
        if (isPaused) this.#pauses.add(partition)
        else this.#pauses.delete(partition)
      }
    }
    for (const track of this.#tracks) {
      if (partitions !== undefined && !partitions.includes(track.partition)) continue
      track.isPaused = isPaused
      if (!isPaused) track.go()
    }
    this.#budget?.serve()
    this.#serve()
  }

  figures(): PartitionFigures[] {
    return this.#tracks.map(({ partition, position, highWaterMark, bufferedBytes, isPaused, failures, lastError }) => {
      const lag = position === undefined || highWaterMark === undefined ? undefined : highWaterMark - position
      return { partition, position, highWaterMark, lag, bufferedBytes, isPaused, failures, lastError }
    })
  }

  /** Ends it: whoever waits gets nothing, or the error. */
  end(failure?: StarfishError): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#failure = failure
    this.requests.config.clock.clearTimeout(this.#retry)
    this.#budget?.close()
    this.requests.watch(-this.#tracks.length)
    for (const track of this.#tracks) track.end()
    for (const { resolve, reject } of this.#waiters.drain()) {
      if (failure === undefined) resolve(undefined)
      else reject(failure)
    }
    this.#whenOver()
  }

  // What tracks tell.

  arrived(): void {
    this.#serve()
  }

  failed(error: StarfishError): void {
    if (error.code === 'PARTITION_NOT_FOUND') this.#topics.forget(this.config.topic)
    this.end(error)
  }

  #begin(): void {
    this.#isBegun = true
    this.#topics.lookUp(this.config.topic).then(
      partitions => this.#open(partitions),
      error => this.#notFound(error),
    )
  }

  #open(all: readonly number[]): void {
    if (this.#isOver) return
    const { topic, from, fetchBytesMax, prefetchBytesMax, partitions = all } = this.config
    const begins = typeof from === 'string' ? [] : Object.keys(from).map(Number)
    const named = [...partitions, ...begins, ...this.#seeks.keys(), ...this.#pauses]
    const unknown = named.find(partition => !all.includes(partition))
    if (unknown !== undefined) {
      this.end(partitionNotFound(topic, unknown))
      return
    }
    const fetchMax = Math.min(fetchBytesMax, entriesBytesMax(this.requests.config.frameBytesMax))
    const budget = new PrefetchBudget(prefetchBytesMax, fetchMax, partitions.length, () => this.#reclaim())
    this.#budget = budget
    this.#tracks = partitions.map(partition => {
      const begin = typeof from === 'string' ? from : (from[partition] ?? 'start')
      const isPaused = this.#isAllPaused || this.#pauses.has(partition)
      return new Track(partition, this.#seeks.get(partition) ?? begin, isPaused, budget, this)
    })
    this.requests.watch(this.#tracks.length)
    for (const track of this.#tracks) track.go()
  }

  /** As long as no server says that there is no such topic, it may be found. */
  #notFound(error: unknown): void {
    if (this.#isOver) return
    if (!isStarfishError(error)) throw error
    if (!error.retryable) {
      this.end(error)
      return
    }
    const { retry, clock, random } = this.requests.config
    this.#failures++
    this.#retry = clock.setTimeout(() => this.#begin(), backoffMs({ ...retry, jitter: 1 }, this.#failures, random()))
  }

  /** Throws PARTITION_NOT_FOUND for a partition that is certainly not read. */
  #checkRead(partition: number): void {
    const { topic, partitions } = this.config
    const isRead =
      this.#tracks.length > 0 ? this.#trackOf(partition) !== undefined : partitions?.includes(partition) !== false
    if (!isRead) throw partitionNotRead(topic, partition)
  }

  #trackOf(partition: number): Track | undefined {
    return this.#tracks.find(track => track.partition === partition)
  }

  #reclaim(): void {
    for (const track of this.#tracks) if (track.isPaused) track.giveBack()
  }

  #letGo(): void {
    const batch = this.#inHand
    this.#inHand = undefined
    if (batch !== undefined) this.#trackOf(batch.partition)?.release(batch.bytes)
  }

  #takeNext(): ConsumedBatch | undefined {
    const tracks = this.#tracks
    if (this.#isOver) return undefined
    for (let passed = 0; passed < tracks.length; passed++) {
      const track = tracks[this.#turn]!
      this.#turn = this.#turn + 1 === tracks.length ? 0 : this.#turn + 1
      if (!track.hasBatch) continue
      this.#inHand = track.take()
      return this.#inHand
    }
    return undefined
  }

  #serve(): void {
    while (this.#waiters.size > 0) {
      const batch = this.#takeNext()
      if (batch === undefined) return
      this.#waiters.shift()!.resolve(batch)
    }
  }
}
