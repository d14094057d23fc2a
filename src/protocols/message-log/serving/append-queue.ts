/**
 * The appends of a shard on their way to the owner of the store.
 *
 * ```
 * add -> flight: the appends of a turn of the event loop, or of the time that all seats are taken; one buffer, one ask
 *          | at the end of the turn, as soon as a seat is free; through a slot of shared memory
 *          v
 *        owner -> settled: what became of each, answered in the order of its partition
 *             -> timed out: answered requestTimeout
 *             -> lost in hand: answered storageError; untaken: sent again, in the old order, to the next incarnation
 * ```
 * Flights are addressed to one incarnation of the owner. When it is lost nothing is sent until all that were on their way have
 * come back, so that none of them can be stored behind a later one.
 */
import type { Clock } from '../../../actors/runtime/clock.ts'
import { decodeError } from '../../../messages/error-codec.ts'
import { StarfishError } from '../../../messages/errors.ts'
import type { AppendResult } from '../engine/contract.ts'
import { AppendBatchWriter, type AppendHead } from '../owner/append-batch.ts'
import type { AppendOutcomes } from '../owner/append-desk.ts'
import { FlightSlots, slotBytes } from './flight-slots.ts'
import { type InLane, PartitionLanes } from './partition-lanes.ts'
import { isOwnerLost, isUntaken, type StoreLink } from './store-link.ts'

/** Flights that are on their way at a time: one is being stored while the next one comes. More only make them smaller. */
const seats = 2

/** A flight that has so many bytes takes no more: with a large append behind that it crosses in a buffer of 1 MiB. */
const flightBytesMax = 900_000

const bufferBytesMin = 16_384
const bufferBytesMax = 1_310_720

/** One append that waits for what becomes of it. */
export interface PendingAppend extends InLane<AppendOutcome> {
  /** Called once, in the order of the partition. */
  settled(outcome: AppendOutcome): void
}

/** The owner of the store, as it was when it was asked first. */
export interface KnownOwner {
  readonly incarnation: number
  /** It is on another thread, as all its incarnations are, so that it gets a copy of what it is sent. */
  readonly isElsewhere: boolean
}

/** What became of an append. */
export type AppendOutcome = AppendResult | { readonly error: unknown }

class Flight {
  readonly number: number
  /** Its appends are answered before they are committed. */
  readonly received: boolean
  readonly dueMs: number
  readonly writer: AppendBatchWriter
  readonly appends: PendingAppend[] = []
  bytes = 0
  /** Where it lies, if that is shared. */
  slot: SharedArrayBuffer | undefined
  /** Set when it is closed. */
  batch: Uint8Array | undefined

  constructor(number: number, received: boolean, dueMs: number, buffer: ArrayBufferLike) {
    this.number = number
    this.writer = new AppendBatchWriter(buffer)
    this.received = received
    this.dueMs = dueMs
    this.slot = buffer instanceof SharedArrayBuffer ? buffer : undefined
  }

  close(): Uint8Array {
    this.batch ??= this.writer.take()
    return this.batch
  }
}

/** Sends the appends of one shard to the owner, in order. */
export class AppendQueue {
  readonly #link: StoreLink
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #lanes = new PartitionLanes<AppendOutcome, PendingAppend>((append, outcome) => append.settled(outcome))
  /** Flights that are not on their way, in order; the last one may still be filled. */
  #waiting: Flight[] = []
  #filled: Flight | undefined
  #onTheirWay = 0
  /** Of the owner; undefined once it is known to be lost. */
  #incarnation: number | undefined
  #finding = false
  #planned = false
  #lastNumber = 0
  #bytes = 0
  /** What a flight begins with: room for as much as the last one had. */
  #bufferBytes = bufferBytesMin
  /** Buffers of flights that were answered, to be filled again: an owner elsewhere had a copy. */
  readonly #spare: ArrayBuffer[] = []
  readonly #sparesMax: number
  readonly #slots: FlightSlots

  /** `timeoutMs` is what each append has. */
  constructor(link: StoreLink, clock: Clock, timeoutMs: number, { incarnation, isElsewhere }: KnownOwner) {
    this.#link = link
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#incarnation = incarnation
    this.#sparesMax = isElsewhere ? seats : 0
    this.#slots = new FlightSlots(isElsewhere ? seats + 1 : 0)
  }

  /** Bytes of what is not settled, whether or not somebody still waits for it. */
  get bytes(): number {
    return this.#bytes
  }

  /** Copies the messages of an append: `bytes[start, end)`. */
  add(append: AppendHead, source: Uint8Array, start: number, end: number, pending: PendingAppend): void {
    const flight = this.#flightFor(append.acknowledgement === 'received')
    const { bytes } = flight.writer
    flight.writer.addFrom(append, source, start, end)
    flight.bytes = flight.writer.bytes
    this.#bytes += flight.bytes - bytes
    flight.appends.push(pending)
    this.#lanes.enter(pending)
  }

  #flightFor(received: boolean): Flight {
    const filled = this.#filled
    if (filled !== undefined && filled.received === received && filled.writer.bytes < flightBytesMax) return filled
    // What is answered before it is committed is looked at after that: it is no use for a slot.
    const buffer = (received ? undefined : this.#slots.take()) ?? this.#newBuffer()
    const flight = new Flight(++this.#lastNumber, received, this.#clock.now() + this.#timeoutMs, buffer)
    this.#filled = flight
    this.#waiting.push(flight)
    if (!this.#planned) {
      this.#planned = true
      setImmediate(() => {
        this.#planned = false
        this.#sendOff()
      })
    }
    return flight
  }

  #newBuffer(): ArrayBuffer {
    return this.#spare.pop() ?? new ArrayBuffer(this.#bufferBytes)
  }

  #sendOff(): void {
    if (this.#incarnation === undefined) {
      if (this.#onTheirWay === 0) void this.#findOwner()
      return
    }
    while (this.#onTheirWay < seats && this.#waiting.length > 0) {
      const flight = this.#waiting.shift()!
      if (this.#filled === flight) this.#filled = undefined
      this.#bufferBytes = Math.min(Math.max(bufferBytesMin, flight.bytes + (flight.bytes >> 2)), bufferBytesMax)
      void this.#send(flight, this.#incarnation)
    }
  }

  async #send(flight: Flight, incarnation: number): Promise<void> {
    const leftMs = flight.dueMs - this.#clock.now()
    if (leftMs <= 0) {
      this.#giveBack(flight)
      this.#refuse(flight, timedOut(this.#timeoutMs))
      return
    }
    this.#onTheirWay++
    const batch = this.#share(flight)
    try {
      const outcomes = await this.#link.askOnce({ type: 'store.append', incarnation, batch }, leftMs)
      if (outcomes.refusals.length === 0) this.#giveBack(flight)
      else this.#abandon(flight)
      this.#settle(flight, outcomes)
    } catch (error) {
      if (isOwnerLost(error)) this.#incarnation = undefined
      if (isUntaken(error)) this.#putBack(flight)
      else {
        this.#abandon(flight)
        this.#refuse(flight, error)
      }
    } finally {
      this.#onTheirWay--
      this.#sendOff()
    }
  }

  /** Closes a flight; what of it is not in a slot goes to one if it can. */
  #share(flight: Flight): Uint8Array {
    const batch = flight.close()
    // It may have grown out of its slot.
    if (flight.slot !== undefined && batch.buffer !== flight.slot) this.#giveBack(flight)
    if (flight.slot !== undefined || flight.received || batch.length > slotBytes) return batch
    const slot = this.#slots.take()
    if (slot === undefined) return batch
    const shared = new Uint8Array(slot, 0, batch.length)
    shared.set(batch)
    this.#spareBuffer(batch.buffer)
    flight.slot = slot
    flight.batch = shared
    return shared
  }

  /** Nobody looks at its slot any more. */
  #giveBack(flight: Flight): void {
    if (flight.slot !== undefined) this.#slots.giveBack(flight.slot)
    flight.slot = undefined
  }

  /** Somebody may. */
  #abandon(flight: Flight): void {
    if (flight.slot !== undefined) this.#slots.abandon()
    flight.slot = undefined
  }

  /** Before those that were made after it. */
  #putBack(flight: Flight): void {
    const at = this.#waiting.findIndex(({ number }) => number > flight.number)
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, flight)
  }

  #settle({ appends, bytes, batch }: Flight, { results, refusals }: AppendOutcomes): void {
    this.#bytes -= bytes
    this.#spareBuffer(batch!.buffer)
    let refused = 0
    for (let index = 0; index < appends.length; index++) {
      const append = appends[index]!
      const refusal = refusals[refused]
      if (refusal?.index === index) {
        refused++
        this.#lanes.settle(append, { error: decodeError(refusal.error) })
      } else {
        this.#lanes.settle(append, { baseOffset: results[2 * index]!, stored: results[2 * index + 1]! })
      }
    }
  }

  /** Only as large as what goes just now, so that an hour of plenty is not paid for ever after. */
  #spareBuffer(buffer: ArrayBufferLike): void {
    const { byteLength } = buffer
    if (
      buffer instanceof ArrayBuffer &&
      this.#spare.length < this.#sparesMax &&
      byteLength >= this.#bufferBytes / 2 &&
      byteLength <= 2 * this.#bufferBytes
    )
      this.#spare.push(buffer)
  }

  #refuse({ appends, bytes }: Flight, error: unknown): void {
    this.#bytes -= bytes
    for (const append of appends) this.#lanes.settle(append, { error })
  }

  /** Waits for the next incarnation as long as the first flight can, and sends what waits. */
  async #findOwner(): Promise<void> {
    const first = this.#waiting[0]
    if (this.#finding || first === undefined) return
    this.#finding = true
    try {
      const leftMs = Math.max(1, first.dueMs - this.#clock.now())
      this.#incarnation = (await this.#link.ask({ type: 'store.whenOpen' }, leftMs)).incarnation
    } catch (error) {
      this.#waiting.shift()
      if (this.#filled === first) this.#filled = undefined
      this.#giveBack(first)
      this.#refuse(first, error)
    } finally {
      this.#finding = false
      this.#sendOff()
    }
  }
}

function timedOut(timeoutMs: number): StarfishError {
  return new StarfishError('ASK_TIMEOUT', `not sent within ${timeoutMs} ms`, { details: { timeoutMs }, handled: 'no' })
}
