/**
 * Where sends become batches: holds those that must wait in line, spreads messages over lanes, counts what is held.
 *
 * A send waits while its topic is not known, while there is no room, and behind those that wait.
 */
import { createClockTimers } from '../../../../actors/runtime/chart-timers.ts'
import type { ChartTimers } from '../../../../actors/runtime/compiled-chart.ts'
import { Deadlines } from '../../../../actors/runtime/deadlines.ts'
import { isStarfishError, StarfishError } from '../../../../messages/errors.ts'
import { logMessageBytes } from '../../../../messages/log/message-v1.ts'
import { LargeBuffers } from '../../../../messages/wire/large-buffers.ts'
import { timerMsMax } from '../../client-options.ts'
import type { LogRequests } from '../log-requests.ts'
import { type ProducerMessage, producerMessageBytes, toLogMessage } from '../message.ts'
import type { TopicDirectory } from '../topic-directory.ts'
import type { ProducerBatch } from './batch.ts'
import { Delivery, notTaken, type SentMessage } from './delivery.ts'
import { expireLane, Lane, type LanePlane } from './lane.ts'
import { LaneMoves, mayMove, moveMessages } from './lane-moves.ts'
import { ProducerLanes } from './producer-lanes.ts'
import { besideMessageBytes, type ProducerConfig } from './producer-options.ts'
import { messageTooLarge, notStored, partitionMissing, refusal } from './refusals.ts'
import type { TopicLanes } from './topic-lanes.ts'
import { Waiters } from './waiters.ts'
import { Linger, WaitingSend } from './waits.ts'

/** What a producer holds now. */
export interface ProducerFigures {
  /** Bytes of messages that are neither answered nor given up, and not in line. */
  readonly bufferedBytes: number
  /** Sends that wait for room, or for what partitions their topic has. */
  readonly sendsWaiting: number
  /** Batches in flight. */
  readonly inFlight: number
}

/** The sends of one producer. */
export class SendDesk implements LanePlane {
  readonly requests: LogRequests
  readonly config: ProducerConfig
  readonly timers: ChartTimers
  readonly buffers = new LargeBuffers()
  readonly #topics: TopicDirectory
  readonly #lanes: ProducerLanes
  readonly #line = new Set<WaitingSend>()
  /** Topics whose partitions were asked for just now. */
  readonly #asked = new Set<string>()
  readonly #moves = new LaneMoves(topic => this.#move(topic))
  readonly #deadlines: Deadlines<ProducerBatch | WaitingSend>
  readonly #lingers: Deadlines<Linger>
  readonly #whenReady = new Waiters()
  readonly #whenEmpty = new Waiters()
  #gathered: Lane[] = []
  /** How long what is delivered just now may still take. */
  #leftMs: number
  #heldBytes = 0
  #isAdmitting = false
  #isClosed = false
  #closing: Promise<void> | undefined
  /** Made once, not for each tick. */
  readonly #flushTick = (): void => {
    const lanes = this.#gathered
    this.#gathered = []
    for (const lane of lanes) lane.due()
  }

  constructor(requests: LogRequests, topics: TopicDirectory, config: ProducerConfig) {
    const { clock } = requests.config
    this.requests = requests
    this.config = config
    this.timers = createClockTimers(clock, expireLane)
    this.#topics = topics
    this.#leftMs = config.timeoutMs
    this.#lanes = new ProducerLanes({
      random: requests.config.random,
      create: (topic, partition) => new Lane(topic, partition, this),
    })
    this.#deadlines = new Deadlines(clock, true, waiting => this.#expire(waiting))
    this.#lingers = new Deadlines(clock, true, ({ lane, batch }) => lane.due(batch))
  }

  /** Takes messages, which have been checked. */
  send(
    topic: string,
    messages: readonly ProducerMessage[],
    signal: AbortSignal | undefined,
    resolve: (sent: readonly SentMessage[]) => void,
    reject: (error: unknown) => void,
  ): void {
    const { clock, frameBytesMax } = this.requests.config
    const atMs = Math.floor(clock.now())
    const sizeMax = frameBytesMax - besideMessageBytes
    let bytes = 0
    let tooLarge = 0
    let isNamed = false
    for (let at = 0; at < messages.length; at++) {
      const message = messages[at]!
      const size = producerMessageBytes(message)
      bytes += size
      if (size > sizeMax) tooLarge ||= size
      isNamed ||= message.partition !== undefined
    }
    const refused = this.#refusalOf(tooLarge, signal)
    if (refused !== undefined) {
      reject(notTaken(refused, messages.length))
      return
    }
    const partitions = isNamed ? messages.map(({ partition }) => partition) : undefined
    const delivery = new Delivery(messages.length, partitions, resolve, reject)
    const lanes = this.#line.size === 0 && this.#hasRoom(bytes) ? this.#lanesOf(topic) : undefined
    if (lanes === undefined) this.#wait(new WaitingSend(topic, messages, atMs, bytes, delivery), signal)
    else {
      if (signal !== undefined) this.#listen(delivery, signal, undefined)
      this.#deliver(topic, messages, atMs, delivery, lanes)
    }
  }

  #refusalOf(tooLarge: number, signal: AbortSignal | undefined): StarfishError | undefined {
    if (this.#isClosed) return refusal('CLIENT_CLOSED', 'the producer is closed')
    if (signal?.aborted) return refusal('REQUEST_ABORTED', 'it was aborted before', signal.reason)
    return tooLarge === 0 ? undefined : messageTooLarge(tooLarge, this.requests.config.frameBytesMax)
  }

  ready(): Promise<void> {
    if (this.#isClosed) return Promise.reject(refusal('CLIENT_CLOSED', 'the producer is closed'))
    return this.#isReady ? Promise.resolve() : this.#whenReady.wait()
  }

  flush(): Promise<void> {
    for (const lane of this.#lanes) lane.due()
    return this.#isEmpty ? Promise.resolve() : this.#whenEmpty.wait()
  }

  figures(): ProducerFigures {
    let inFlight = 0
    for (const lane of this.#lanes) inFlight += lane.inFlight
    return { bufferedBytes: this.#heldBytes, sendsWaiting: this.#line.size, inFlight }
  }

  close(timeoutMs: number): Promise<void> {
    this.#closing ??= this.#close(timeoutMs)
    return this.#closing
  }

  // What lanes tell.

  drawProducerId(): bigint {
    const { random } = this.requests.config
    const half = () => BigInt(Math.floor(random() * 4_294_967_296))
    return (half() << 32n) | half()
  }

  opened(lane: Lane, batch: ProducerBatch): void {
    const nowMs = this.requests.config.clock.now()
    this.#deadlines.set(batch, this.#leftMs, nowMs)
    const { lingerMs } = this.config
    if (lingerMs > 0 && !this.#whenEmpty.hasAny) {
      this.#lingers.set(new Linger(lane, batch), lingerMs, nowMs)
      return
    }
    if (this.#gathered.length === 0) process.nextTick(this.#flushTick)
    this.#gathered.push(lane)
  }

  sealed(lane: Lane): void {
    this.#lanes.of(lane.topic)?.sealed(lane)
  }

  freed(bytes: number): void {
    this.#heldBytes -= bytes
    this.#admit()
  }

  over(batch: ProducerBatch): void {
    this.#deadlines.clear(batch)
    batch.release()
    this.freed(batch.messageBytes)
    this.#lanes.settled(batch.lane)
  }

  lost({ topic }: Lane): void {
    this.#forget(topic)
    this.#moves.begin(
      topic,
      [...this.#lanes].filter(lane => lane.topic === topic),
    )
  }

  settled(lane: Lane): void {
    this.#moves.settled(lane)
  }

  get #isReady(): boolean {
    return this.#line.size === 0 && this.#heldBytes < this.config.bufferBytesMax
  }

  get #isEmpty(): boolean {
    return this.#line.size === 0 && this.#heldBytes === 0
  }

  /** One that is larger than the bound passes alone. */
  #hasRoom(bytes: number): boolean {
    return this.#heldBytes === 0 || this.#heldBytes + bytes <= this.config.bufferBytesMax
  }

  #lanesOf(topic: string): TopicLanes | undefined {
    if (this.#moves.has(topic)) return undefined
    const known = this.#lanes.of(topic)
    if (known !== undefined) return known
    const partitions = this.#topics.partitionsOf(topic)
    return partitions === undefined || partitions.length === 0 ? undefined : this.#lanes.open(topic, partitions)
  }

  /** It may be another one of that name by now. */
  #forget(topic: string): void {
    this.#topics.forget(topic)
    this.#lanes.forget(topic)
  }

  #wait(waiting: WaitingSend, signal: AbortSignal | undefined): void {
    const { delivery } = waiting
    if (this.#line.size >= this.config.sendsWaitingMax) {
      delivery.abandon(refusal('OVERLOADED', `${this.#line.size} sends wait already`))
      return
    }
    this.#line.add(waiting)
    this.#deadlines.set(waiting, this.config.timeoutMs, this.requests.config.clock.now())
    if (signal !== undefined) this.#listen(delivery, signal, waiting)
    this.#admit()
  }

  #lookUp(topic: string): void {
    if (this.#asked.has(topic) || this.#moves.has(topic)) return
    this.#asked.add(topic)
    this.#topics.lookUp(topic).then(
      () => this.#lookedUp(topic),
      error => this.#lookedUp(topic, error),
    )
  }

  #lookedUp(topic: string, error?: unknown): void {
    this.#asked.delete(topic)
    if (error === undefined || isStarfishError(error, 'TOPIC_NOT_FOUND')) {
      this.#lanes.keep(name => this.#topics.partitionsOf(name))
    }
    for (const waiting of error === undefined ? [] : this.#line) {
      if (waiting.topic === topic) this.#refuse(waiting, notStored(error))
    }
    this.#admit()
  }

  /** What was for a topic that is gone goes to the one that there is now. */
  #move(topic: string): void {
    this.#topics.lookUp(topic).then(
      partitions => this.#moved(topic, partitions),
      error => {
        for (const lane of this.#endMove(topic)) lane.close(notStored(error))
        this.#admit()
      },
    )
  }

  #moved(topic: string, partitions: readonly number[]): void {
    const retired = this.#endMove(topic)
    const lanes = this.#lanes.open(topic, partitions)
    let bytesLost = 0
    // What waits in line comes behind what is moved.
    this.#isAdmitting = true
    for (const lane of retired) {
      const isThere = partitions.includes(lane.partition)
      for (const batch of lane.take()) {
        if (!mayMove(lane, batch, isThere)) {
          lane.giveUp(batch, batch.lastFailure ?? lane.lostBy!)
          continue
        }
        this.#deadlines.clear(batch)
        this.#leftMs = Math.max(1, Math.ceil(batch.dueMs - this.requests.config.clock.now()))
        bytesLost += moveMessages(topic, batch, lanes)
        batch.release()
      }
    }
    this.#isAdmitting = false
    this.#leftMs = this.config.timeoutMs
    this.freed(bytesLost)
  }

  #endMove(topic: string): readonly Lane[] {
    const lanes = this.#moves.end(topic)
    this.#lanes.drop(topic)
    return lanes
  }

  /** Delivers what waits, as far as topics are known and there is room. */
  #admit(): void {
    if (this.#isAdmitting) return
    this.#isAdmitting = true
    for (const waiting of this.#line) {
      const { topic, messages, atMs, bytes, delivery } = waiting
      if (!this.#hasRoom(bytes)) break
      const lanes = this.#lanesOf(topic)
      if (lanes === undefined) {
        this.#lookUp(topic)
        break
      }
      this.#leftMs = Math.max(1, Math.ceil(waiting.dueMs - this.requests.config.clock.now()))
      this.#leave(waiting)
      this.#deliver(topic, messages, atMs, delivery, lanes)
    }
    this.#leftMs = this.config.timeoutMs
    this.#isAdmitting = false
    this.#tellWaiters()
  }

  #deliver(
    topic: string,
    messages: readonly ProducerMessage[],
    atMs: number,
    delivery: Delivery,
    lanes: TopicLanes,
  ): void {
    for (let at = 0; at < messages.length; at++) {
      const partition = delivery.partitionOf(at)
      if (partition === undefined || lanes.has(partition)) continue
      this.#forget(topic)
      delivery.abandon(partitionMissing(topic, partition, at))
      return
    }
    for (let at = 0; at < messages.length; at++) {
      const message = toLogMessage(messages[at]!, atMs)
      const bytes = logMessageBytes(message)
      this.#heldBytes += bytes
      lanes.laneFor(delivery.partitionOf(at), message.key).add(message, bytes, delivery, at)
    }
  }

  #listen(delivery: Delivery, signal: AbortSignal, waiting: WaitingSend | undefined): void {
    const abort = () => {
      const isInLine = waiting !== undefined && this.#line.has(waiting)
      if (isInLine) this.#leave(waiting)
      const handled = isInLine ? 'no' : 'unknown'
      delivery.abandon(new StarfishError('REQUEST_ABORTED', 'the send was aborted', { handled, cause: signal.reason }))
      if (isInLine) this.#admit()
    }
    signal.addEventListener('abort', abort, { once: true })
    delivery.whenOver = () => signal.removeEventListener('abort', abort)
  }

  #leave(waiting: WaitingSend): void {
    this.#line.delete(waiting)
    this.#deadlines.clear(waiting)
  }

  #refuse(waiting: WaitingSend, error: StarfishError): void {
    this.#leave(waiting)
    waiting.delivery.abandon(error)
  }

  #expire(waiting: ProducerBatch | WaitingSend): void {
    if (!(waiting instanceof WaitingSend)) {
      waiting.lane.expire(waiting)
      return
    }
    const { timeoutMs } = this.config
    const { topic } = waiting
    const cause = this.requests.pool.trouble() ?? this.#topics.trouble
    const what = this.#topics.partitionsOf(topic) === undefined ? `to learn what partitions ${topic} has` : 'for room'
    const text = `the send waited ${timeoutMs} ms ${what}${cause === undefined ? '' : `: ${cause.message}`}`
    this.#refuse(waiting, new StarfishError('REQUEST_TIMEOUT', text, { details: { timeoutMs }, handled: 'no', cause }))
    this.#admit()
  }

  #tellWaiters(): void {
    if (this.#isReady) this.#whenReady.tell()
    if (this.#isEmpty) this.#whenEmpty.tell()
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#isClosed = true
    if (timeoutMs > 0) await this.#flushedOrAfter(timeoutMs)
    const closed = new StarfishError('CLIENT_CLOSED', 'the producer was closed before the messages were stored', {
      handled: 'no',
    })
    for (const waiting of this.#line) this.#refuse(waiting, closed)
    for (const lane of this.#lanes) lane.close(closed)
    this.#deadlines.close()
    this.#lingers.close()
    this.#tellWaiters()
  }

  #flushedOrAfter(timeoutMs: number): Promise<void> {
    const { clock } = this.requests.config
    return new Promise(resolve => {
      const timer = clock.setTimeout(resolve, Math.min(timeoutMs, timerMsMax))
      void this.flush().then(() => {
        clock.clearTimeout(timer)
        resolve()
      })
    })
  }
}
