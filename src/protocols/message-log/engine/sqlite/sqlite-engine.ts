/**
 * A message log in an SQLite file: its writer. It belongs on a thread of its own, since a commit blocks its thread.
 *
 * ```
 * append -> offset -> tick: all appends of a turn of the event loop, of all connections and partitions
 *                      | setImmediate, or when it has tickBytesMax
 *                      v
 *           one transaction: rows of batches, answers of producers -> readers are told -> appends are answered
 * ```
 * `received` is answered where the offset is given out. A commit that fails takes all of its tick with it: offsets go back to
 * what is committed, and the answers of producers with them.
 */
import type { StatementSync } from 'node:sqlite'
import { Advances, whenAdvanced } from '../advances.ts'
import type {
  AppendRequest,
  AppendResult,
  AppendSink,
  LogEngine,
  LogEngineContext,
  ReadResult,
  RetentionPolicy,
  RetentionResult,
  Topic,
} from '../contract.ts'
import { checkAppend, sequenceExpired, storeClosed } from '../engine-errors.ts'
import type { KeptAnswer } from '../kept-answers.ts'
import type { SqliteLogConfig } from './config.ts'
import { rowBytesMax } from './packed-rows.ts'
import { PartitionTail } from './partition-tail.ts'
import { ProducerAnswers } from './producer-answers.ts'
import { Retention } from './retention.ts'
import { rowChecksum } from './row-checksum.ts'
import { guarded, sqliteFault } from './sqlite-faults.ts'
import { Store } from './store.ts'
import { StoreReads } from './store-reads.ts'
import { StoreTopics } from './store-topics.ts'
import { Tick } from './tick.ts'

/** A tick that has so many bytes of messages does not wait for more. */
const tickBytesMax = 16_777_216

/** The engine that writes a store. */
export class SqliteEngine implements LogEngine {
  readonly takesJoined = true
  readonly #context: LogEngineContext
  readonly #store: Store
  readonly #reads: StoreReads
  readonly #topics: StoreTopics
  readonly #producers: ProducerAnswers
  readonly #retention: Retention
  readonly #insert: StatementSync
  readonly #advances: Advances
  readonly #tails = new Map<number, PartitionTail>()
  /** Where rows of many appends are joined: SQLite copies what is bound. */
  readonly #joined = Buffer.allocUnsafeSlow(rowBytesMax)
  #tick: Tick | undefined
  #closed = false

  /** @throws `STORAGE_FAILED`. */
  constructor(config: SqliteLogConfig, context: LogEngineContext) {
    this.#context = context
    this.#advances = new Advances(context.advances)
    this.#store = new Store(config, context.clock)
    const { connection } = this.#store
    this.#reads = new StoreReads(connection, config.path)
    this.#topics = new StoreTopics(this.#store)
    this.#producers = new ProducerAnswers(connection)
    this.#retention = new Retention(this.#store)
    this.#insert = connection.prepare(
      `INSERT INTO batches (partition_id, base_offset, count, stored_ms, end_bytes, checksum, messages)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    )
    // A writer before this one may have committed and not lived to tell.
    this.#advances.tellAll()
  }

  createTopic(name: string, partitions: number): Topic {
    return this.#open(() => this.#topics.create(name, partitions))
  }

  deleteTopic(name: string): void {
    const partitionIds = this.#open(() => {
      this.#commit()
      return this.#topics.delete(name)
    })
    for (const id of partitionIds) this.#tails.delete(id)
    for (const id of partitionIds) this.#advances.tell(id)
  }

  listTopics(): readonly Topic[] {
    return this.#open(() => this.#reads.listTopics())
  }

  append(request: AppendRequest): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      const sink: AppendSink = { stored: (_, result) => resolve(result), refused: (_, error) => reject(error) }
      this.appendTo(request, 0, sink)
    })
  }

  appendTo(request: AppendRequest, index: number, sink: AppendSink): void {
    try {
      this.#open(() => {
        checkAppend(request)
        const tail = this.#tail(request.partitionId)
        if (!this.#isRepeated(tail, request, index, sink)) this.#take(tail, request, index, sink)
      })
    } catch (error) {
      sink.refused(index, error)
    }
  }

  highWaterMark(partitionId: number): number {
    return this.#open(() => this.#reads.endOf(partitionId).nextOffset)
  }

  read(partitionId: number, offset: number, maxBytes: number): ReadResult {
    return this.#open(() => this.#reads.read(partitionId, offset, maxBytes))
  }

  whenPast(partitionId: number, offset: number, signal: AbortSignal): Promise<void> {
    return whenAdvanced(this.#advances, partitionId, offset, id => this.highWaterMark(id), signal)
  }

  async retain(policy: RetentionPolicy): Promise<RetentionResult> {
    const nowMs = this.#context.clock.now()
    const total = { batches: 0, bytes: 0 }
    const slices = this.#retention.run(policy, nowMs)
    for (;;) {
      const slice = this.#open(() => slices.next())
      if (slice.done) break
      total.batches += slice.value.batches
      total.bytes += slice.value.bytes
      await nextTurn()
    }
    while (this.#open(() => this.#expireProducers(nowMs - policy.producerAgeMs))) await nextTurn()
    return total
  }

  close(): void {
    if (this.#closed) return
    this.#commit()
    this.#closed = true
    this.#advances.wakeOwn()
    guarded(this.#store.path, () => this.#store.close())
  }

  /** Removes some; true when there may be more. */
  #expireProducers(usedBeforeMs: number): boolean {
    if (!Number.isFinite(usedBeforeMs)) return false
    this.#commit()
    let hasMore = false
    this.#store.transaction(false, () => {
      hasMore = this.#producers.expire(usedBeforeMs)
    })
    return hasMore
  }

  /** Answers a request whose first copy was taken before; false when there is none. */
  #isRepeated(tail: PartitionTail, request: AppendRequest, index: number, sink: AppendSink): boolean {
    const { partitionId, producer, acknowledgement } = request
    if (producer === undefined) return false
    const known = this.#producers.find(partitionId, producer.id, producer.sequence)
    if (known === 'new') return false
    if (known === 'expired') throw sequenceExpired(this.#store.path, partitionId, producer.sequence)
    const result = resultOf(known)
    const committed = known.baseOffset < tail.committedOffset
    if (acknowledgement === 'received' || (committed && acknowledgement === 'committed')) {
      sink.stored(index, result)
      return true
    }
    // A commit that writes nothing flushes nothing.
    if (committed) this.#producers.touch(partitionId, producer.id)
    const tick = this.#currentTick()
    tick.flushed ||= acknowledgement === 'flushed'
    tick.wait(result, index, sink)
    return true
  }

  #take(tail: PartitionTail, request: AppendRequest, index: number, sink: AppendSink): void {
    const { partitionId, count, messages, acknowledgement, producer } = request
    const result = { baseOffset: tail.take(request), stored: count }
    if (producer !== undefined) {
      this.#producers.keep(partitionId, producer.id, { sequence: producer.sequence, ...result })
    }
    const tick = this.#currentTick()
    tick.tails.add(tail)
    tick.bytes += messages.length
    tick.flushed ||= acknowledgement === 'flushed'
    tick.answeredEarly ||= acknowledgement === 'received'
    if (acknowledgement === 'received') sink.stored(index, result)
    else tick.wait(result, index, sink)
    if (tick.bytes >= tickBytesMax) this.#commit()
  }

  #currentTick(): Tick {
    if (this.#tick !== undefined) return this.#tick
    const tick = new Tick()
    this.#tick = tick
    setImmediate(() => {
      if (this.#tick === tick) this.#commit()
    })
    return tick
  }

  /** Commits the tick, if there is one. Never throws: whom it concerns is refused. */
  #commit(): void {
    const tick = this.#tick
    if (tick === undefined) return
    this.#tick = undefined
    const nowMs = this.#context.clock.now()
    const ends = new Map<PartitionTail, number>()
    try {
      const write = (): void => {
        for (const tail of tick.tails) ends.set(tail, this.#write(tail, nowMs))
        this.#producers.write(nowMs)
      }
      this.#store.transaction(tick.flushed, write, tick.bytes)
    } catch (cause) {
      this.#tails.clear()
      this.#producers.forget()
      const error = sqliteFault(cause, this.#store.path, 'unknown')
      tick.refuse(error)
      if (tick.answeredEarly) this.#context.onLost(error)
      return
    }
    for (const [tail, endBytes] of ends) tail.settle(endBytes)
    this.#producers.settle()
    for (const { partitionId } of tick.tails) this.#advances.tell(partitionId)
    tick.answer()
  }

  /** Answers the bytes of all messages that the partition ever had. */
  #write(tail: PartitionTail, nowMs: number): number {
    const storedMs = Math.trunc(nowMs)
    let stored = 0
    const { partitionId } = tail
    for (const row of tail.rows(this.#joined)) {
      const { baseOffset, count, endBytes, messages } = row
      this.#insert.run(partitionId, baseOffset, count, storedMs, endBytes, rowChecksum(partitionId, row), messages)
      stored = endBytes
    }
    return stored
  }

  /** @throws `PARTITION_NOT_FOUND`. */
  #tail(partitionId: number): PartitionTail {
    const known = this.#tails.get(partitionId)
    if (known !== undefined) return known
    const tail = new PartitionTail(partitionId, this.#reads.endOf(partitionId))
    this.#tails.set(partitionId, tail)
    return tail
  }

  #open<T>(call: () => T): T {
    if (this.#closed) throw storeClosed(this.#store.path)
    return guarded(this.#store.path, call)
  }
}

function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

function resultOf({ baseOffset, stored }: KeptAnswer): AppendResult {
  return { baseOffset, stored }
}
