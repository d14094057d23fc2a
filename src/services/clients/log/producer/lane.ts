/**
 * The way of a producer to one partition: gathers messages into batches, sends them in order, and sends again what failed, in
 * order too and under the same sequence.
 *
 * ```
 *   add ─> open batch ─ full ─> ready ─┐
 *              └──────── due ──────────┴─> undecided: in flight, or to be sent again ─> answered, given up
 * ```
 * The chart says whether batches flow. What is undecided spans fewer sequences than the server keeps answers.
 */
import { compileChart } from '../../../../actors/runtime/chart-compiler/compile-chart.ts'
import type { ChartInstance, ChartTimers, CompiledChart } from '../../../../actors/runtime/compiled-chart.ts'
import { StarfishError } from '../../../../messages/errors.ts'
import type { LogMessage } from '../../../../messages/log/message-v1.ts'
import type { PartialBatch, ProduceResponse } from '../../../../messages/log/produce-v1.ts'
import type { LargeBuffers } from '../../../../messages/wire/large-buffers.ts'
import { keptAnswersMax } from '../../../../protocols/message-log/engine/contract.ts'
import type { Course } from '../../pending-request.ts'
import { logCall } from '../log-calls.ts'
import type { LogRequests } from '../log-requests.ts'
import { logResponseError } from '../log-response-error.ts'
import { ProducerBatch } from './batch.ts'
import type { Delivery } from './delivery.ts'
import { type LaneContext, type LaneEvent, type LaneFacts, laneMachine } from './lane-machine.ts'
import type { ProducerConfig } from './producer-options.ts'

/** What the lanes of a producer have in common. */
export interface LanePlane {
  readonly requests: LogRequests
  readonly config: ProducerConfig
  readonly timers: ChartTimers
  /** Where large batches lie. */
  readonly buffers: LargeBuffers
  drawProducerId(): bigint
  /** A batch has its first message. */
  opened(lane: Lane, batch: ProducerBatch): void
  /** It takes no more messages. */
  sealed(lane: Lane): void
  /** Messages of so many bytes are held no more. */
  freed(bytes: number): void
  /** A batch is answered or given up, with all that it has. */
  over(batch: ProducerBatch): void
  /** The partition is gone: all lanes of the topic are to be retired. */
  lost(lane: Lane): void
  /** Nothing is in flight any more of a lane that has retired. */
  settled(lane: Lane): void
}

type Context = LaneContext<Lane>

let compiled: CompiledChart<Context, LaneEvent> | undefined

/** The compiled chart of this thread. */
function laneChart(): CompiledChart<Context, LaneEvent> {
  compiled ??= compileChart(laneMachine) as unknown as CompiledChart<Context, LaneEvent>
  return compiled
}

/** Takes the timer of a lane's chart that is due. */
export function expireLane(instance: ChartInstance, slot: number): void {
  ;(instance.scope as Lane).resume(slot)
}

/**
 * A batch of so many bytes leaves at once while fewer than {@link earlyInFlight} are in flight, before the end of the tick: the
 * server works on it while the next is filled.
 */
const earlyBytes = 61_440
const earlyInFlight = 3

/** Sequences are u32. */
const sequences = 4_294_967_296

/** The record. */
export class Lane implements LaneFacts {
  readonly topic: string
  readonly partition: number
  pauseMs = 0
  /** What said that there is no such partition. */
  lostBy: StarfishError | undefined = undefined
  readonly #plane: LanePlane
  readonly #chart: ChartInstance<Context>
  readonly #course: Course = { carrier: undefined }
  #producerId: bigint
  /** Batches that were sent at least once. */
  #begun = 0
  /** Those that are not answered or given up, in order. */
  #undecided: ProducerBatch[] = []
  #inFlight = 0
  #ready: ProducerBatch[] = []
  #open: ProducerBatch | undefined
  #isRetired = false

  constructor(topic: string, partition: number, plane: LanePlane) {
    this.topic = topic
    this.partition = partition
    this.#plane = plane
    this.#producerId = plane.drawProducerId()
    this.#chart = laneChart().create(this as unknown as Lane, plane.timers, this)
    laneChart().start(this.#chart)
  }

  get hasInFlight(): boolean {
    return this.#inFlight > 0
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Holds no message that is neither answered nor given up. */
  get isIdle(): boolean {
    return this.#undecided.length === 0 && this.#ready.length === 0 && this.#open === undefined
  }

  /** Takes a message of `bytes`, the one at `at` of its delivery. */
  add(message: LogMessage, bytes: number, delivery: Delivery, at: number): void {
    const { batchBytesMax, lingerMs } = this.#plane.config
    let open = this.#open
    if (open !== undefined && open.bytesWith(bytes) > batchBytesMax) {
      this.#seal(open)
      this.pump()
      open = undefined
    }
    if (open === undefined) {
      open = new ProducerBatch(this, this.#plane.buffers)
      this.#open = open
      open.add(message, bytes, delivery, at, batchBytesMax)
      this.#plane.opened(this, open)
    } else open.add(message, bytes, delivery, at, batchBytesMax)
    if (lingerMs === 0 && this.#inFlight < earlyInFlight && open.messageBytes >= earlyBytes) this.due(open)
  }

  /** The batch that is being filled is to be sent. */
  due(batch: ProducerBatch | undefined = this.#open): void {
    if (batch === undefined || batch !== this.#open) return
    batch.isDue = true
    this.pump()
  }

  /** Sends what may be sent. */
  pump(): void {
    for (const batch of this.#undecided) {
      if (!this.#isFlowing) return
      if (batch.pending === undefined) this.#send(batch)
    }
    while (this.#isFlowing && this.#mayBegin) {
      const batch = this.#ready.shift() ?? this.#takeDue()
      if (batch === undefined) return
      this.#begin(batch)
    }
  }

  /** The deadline of a batch has passed. What is in flight has a deadline of its own. */
  expire(batch: ProducerBatch): void {
    if (batch.pending !== undefined) return
    this.giveUp(batch, this.#tooLate(batch))
    this.pump()
  }

  /** The deadline of a batch has passed: tells what failed before. */
  #tooLate(batch: ProducerBatch): StarfishError {
    const { timeoutMs } = this.#plane.config
    const text = `Produce of partition ${this.partition} was not answered within ${timeoutMs} ms`
    const { handled, lastFailure: cause } = batch
    const details = { partition: this.partition, timeoutMs, attempts: batch.attempts }
    const after = cause === undefined ? '' : `; before that ${cause.message}`
    return new StarfishError('REQUEST_TIMEOUT', text + after, { details, handled, cause })
  }

  /** The pause is over. */
  resume(slot: number): void {
    laneChart().expire(this.#chart, slot)
    this.pump()
  }

  /** Sends nothing any more. What it has is kept for {@link take}. */
  retire(): void {
    this.#isRetired = true
    this.#withdraw()
    this.#tell('lane.close')
  }

  /** Takes the batches that it has, in order; nothing is in flight. */
  take(): readonly ProducerBatch[] {
    const batches = [...this.#undecided, ...this.#ready, this.#open].filter(batch => batch !== undefined)
    this.#undecided = []
    this.#ready = []
    this.#open = undefined
    return batches
  }

  /** Gives everything up. */
  close(error: StarfishError): void {
    this.#tell('lane.close')
    for (const batch of [...this.#undecided, ...this.#ready, this.#open]) {
      if (batch === undefined) continue
      const { pending } = batch
      if (pending?.stage === 'sent') batch.handled = 'unknown'
      batch.pending = undefined
      if (pending !== undefined) this.#plane.requests.open.abort(pending)
      this.giveUp(batch, error)
    }
  }

  get #isFlowing(): boolean {
    return this.#chart.configuration === laneChart().configurations.indexOf('flowing')
  }

  get #mayBegin(): boolean {
    const [oldest] = this.#undecided
    if (this.#undecided.length >= this.#plane.config.inFlightMax) return false
    return oldest === undefined || this.#begun - oldest.index < keptAnswersMax
  }

  #seal(batch: ProducerBatch): void {
    this.#open = undefined
    this.#ready.push(batch)
    this.#plane.sealed(this)
  }

  #takeDue(): ProducerBatch | undefined {
    const open = this.#open
    if (!open?.isDue) return undefined
    this.#open = undefined
    this.#plane.sealed(this)
    return open
  }

  /** Sends a batch for the first time. */
  #begin(batch: ProducerBatch): void {
    const sequence = this.#begun % sequences
    if (sequence === 0 && this.#begun > 0) this.#producerId = this.#plane.drawProducerId()
    batch.index = this.#begun++
    batch.producer = { producerId: this.#producerId, sequence }
    this.#undecided.push(batch)
    this.#send(batch)
  }

  #send(batch: ProducerBatch): void {
    const { requests, config } = this.#plane
    const { acknowledgement } = config
    const { producer } = batch
    const leftMs = batch.dueMs - requests.config.clock.now()
    const content = { partitionId: this.partition, acknowledgement, producer, batch: batch.seal() }
    const pending = requests.create(
      logCall.produce,
      content,
      { timeoutMs: Math.max(1, Math.ceil(leftMs)), isIdempotent: true, isRetried: false },
      answer => this.#answered(batch, answer),
      error => this.#failed(batch, error as StarfishError),
    )
    pending.course = this.#course
    batch.pending = pending
    batch.attempts++
    this.#inFlight++
    requests.open.open(pending)
  }

  #answered(batch: ProducerBatch, { baseOffset, partial }: ProduceResponse): void {
    if (partial !== undefined && partial.stored < batch.count) {
      this.#answeredInPart(batch, baseOffset, partial)
      return
    }
    this.#landed(batch)
    this.#decided(batch)
    batch.storedAt(this.partition, baseOffset)
    this.#plane.over(batch)
    this.#settle()
  }

  /** The rest was certainly not stored: it is a batch of its own, as a repeat would be answered so again. */
  #answeredInPart(batch: ProducerBatch, baseOffset: number, { stored, errorCode }: PartialBatch): void {
    const { pending } = batch
    this.#landed(batch)
    this.#decided(batch)
    const error = logResponseError({ errorCode, text: 'the rest was not stored' }, pending!, 'a server')
    const first = batch.splitOff(stored)
    first.storedAt(this.partition, baseOffset)
    batch.handled = 'no'
    this.#again(batch, error, () => this.#ready.unshift(batch))
    // Last: what takes the room is behind the rest.
    this.#plane.freed(first.messageBytes)
  }

  #failed(batch: ProducerBatch, error: StarfishError): void {
    if (batch.pending === undefined) return
    this.#landed(batch)
    if (error.handled !== 'no') batch.handled = 'unknown'
    this.#again(batch, error, () => {})
  }

  /** An attempt failed: the batch is tried again, in its order, or given up. */
  #again(batch: ProducerBatch, error: StarfishError, putBack: () => void): void {
    const { requests } = this.#plane
    const { attempts: attempt, dueMs } = batch
    const leftMs = dueMs - requests.config.clock.now()
    if (error.code === 'REQUEST_TIMEOUT' && leftMs < 1) {
      this.giveUp(batch, this.#tooLate(batch))
      this.#settle()
      return
    }
    batch.lastFailure = error
    if (error.code === 'PARTITION_NOT_FOUND' || (this.#isRetired && error.retryable && leftMs > 0)) {
      putBack()
      this.#lose(error)
      return
    }
    const decision = requests.open.retry({ attempt, error, isIdempotent: true, leftMs })
    if (typeof decision === 'number') {
      putBack()
      this.pauseMs = this.#isFlowing ? decision : Math.max(this.pauseMs, decision)
      this.#withdraw()
      this.#tell('batch.failed')
    } else {
      this.giveUp(batch, error)
    }
    this.#settle()
  }

  /** What failed is kept, to go another way. */
  #lose(error: StarfishError): void {
    if (error.code === 'PARTITION_NOT_FOUND') this.lostBy ??= error
    if (!this.#isRetired) this.#plane.lost(this)
    this.#settle()
  }

  /** What has not left yet must not overtake what failed. */
  #withdraw(): void {
    for (const batch of this.#undecided) {
      if (batch.pending !== undefined && this.#plane.requests.open.withdraw(batch.pending)) this.#landed(batch)
    }
  }

  /** Its attempt is over. */
  #landed(batch: ProducerBatch): void {
    batch.pending = undefined
    this.#inFlight--
  }

  #settle(): void {
    if (this.#isRetired) {
      if (this.#inFlight === 0) this.#plane.settled(this)
      return
    }
    if (this.#inFlight === 0 && !this.#isFlowing) this.#tell('lane.settled')
    else this.pump()
  }

  #decided(batch: ProducerBatch): void {
    const at = this.#undecided.indexOf(batch)
    if (at >= 0) this.#undecided.splice(at, 1)
  }

  /** Tells whose messages they are that they are given up. */
  giveUp(batch: ProducerBatch, { code, message, details, cause }: StarfishError): void {
    this.#decided(batch)
    this.#ready = this.#ready.filter(ready => ready !== batch)
    if (batch === this.#open) this.#open = undefined
    const { attempts, handled } = batch
    const told = { ...details, partition: this.partition, attempts }
    batch.failed(new StarfishError(code, message, { details: told, handled, cause }))
    this.#plane.over(batch)
  }

  #tell(type: LaneEvent['type']): void {
    laneChart().step(this.#chart, { type })
  }
}
