/**
 * The receiving side of a direction: admits what arrives, and writes how far each message has come.
 *
 * A message is counted as read before its mailbox is asked, `started` before its handler runs, and `finished` after it: at
 * whatever instant the thread dies, what was last written errs on the side of `unknown`.
 */
import { recordBits } from '../../../messages/thread/edge.ts'
import type { AnyEvent, Envelope, Receipts, Refusal, ThreadId } from '../../../messages/thread/envelope.ts'
import { type EdgeMemory, headerWord, slotState } from './edge-memory.ts'
import type { KnownNames } from './names.ts'

/** What a receiver needs of its edge. */
export interface ReceiverHost {
  deliver(message: Envelope, names: KnownNames, to: number): 'admitted' | Refusal
  /** Posts a wake at once. */
  wake(): void
  /** Sends a refusal with the next batch. */
  refuse(slot: number, reason: Refusal): void
  /** Calls {@link Receiver.lookForWaiting} soon. */
  lookSoon(): void
}

/** Messages of one direction as they come in; the receipts of all of them. */
export class Receiver implements Receipts {
  readonly origin: ThreadId | undefined
  /** Messages read. */
  received = 0
  /** Batches that came, those that could not be read among them, modulo 2^32. */
  batches = 0
  readonly #header: Int32Array
  readonly #states: Uint8Array
  readonly #host: ReceiverHost
  /** Messages whose credit has returned. */
  #returned = 0
  #readNormal = 0
  #readControl = 0
  #finished = 0
  /** Messages have ended since it was last looked whether the sender waits for their slots. */
  #hasEnded = false

  constructor(memory: EdgeMemory, host: ReceiverHost, origin: ThreadId | undefined) {
    this.origin = origin
    this.#header = memory.header
    this.#states = memory.states
    this.#host = host
  }

  /** Offers one message to the mailbox of the name with the number `to`, unless the sender has revoked it. */
  admit(
    slot: number,
    bits: number,
    names: KnownNames,
    to: number,
    from: string | null,
    event: AnyEvent | undefined,
    toIncarnation: number,
    requestId: number,
    deadlineMs: number | undefined,
  ): void {
    const control = (bits & recordBits.control) !== 0
    if (control) this.#readControl = (this.#readControl + 1) | 0
    else this.#readNormal = (this.#readNormal + 1) | 0
    this.received++
    // What is overlooked here is found by the step that begins it.
    if (this.#states[slot] !== slotState.posted) {
      this.#handBack(slot)
      return
    }
    this.#header[headerWord.received] = this.received
    if (event === undefined) {
      this.refuse(slot, 'BAD_FRAME')
      return
    }
    const message: Envelope = {
      to: names.texts[to]!,
      toIncarnation,
      from,
      event,
      lane: control ? 'control' : 'normal',
      requestId,
      deadlineMs,
      codec: undefined,
      receipts: this,
      token: slot,
      route: undefined,
      admittedAtMs: 0,
    }
    const verdict = this.#host.deliver(message, names, to)
    if (verdict !== 'admitted') this.refuse(slot, verdict)
  }

  /** All batches that came are read: returns the credit of what was admitted, and wakes a sender that waits for it. */
  returnCredit(): void {
    // Whoever sees it late only keeps for longer what was read.
    this.#header[headerWord.readBatches] = this.batches
    if (this.received === this.#returned) return
    this.#returned = this.received
    // Seen by whoever sees the store behind it.
    this.#header[headerWord.readControl] = this.#readControl
    Atomics.store(this.#header, headerWord.readNormal, this.#readNormal)
    this.#wakeIf(headerWord.creditWanted)
  }

  start(token: number): boolean {
    if (this.#step(token, slotState.posted, slotState.started)) return true
    this.#handBack(token)
    return false
  }

  finish(token: number): void {
    // Counted before the byte says so: the sender never knows of more than the receiver has counted.
    this.#finished = (this.#finished + 1) | 0
    this.#header[headerWord.finished] = this.#finished
    this.#states[token] = slotState.finished
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#host.lookSoon()
  }

  /** Wakes a sender that waits for the slots of messages that have ended. */
  lookForWaiting(): void {
    if (!this.#hasEnded) return
    this.#hasEnded = false
    // The count once more, so that a sender which asks from here on sees it: one of the two always sees the other.
    Atomics.store(this.#header, headerWord.finished, this.#finished)
    this.#wakeIf(headerWord.slotsWanted)
  }

  putBack(token: number): void {
    // A sender that has closed has reported the message as in hand; it must stay so.
    if (Atomics.load(this.#header, headerWord.closed) === 0) this.#step(token, slotState.started, slotState.posted)
  }

  refuse(token: number, reason: Refusal): void {
    if (this.#step(token, slotState.posted, slotState.refused)) this.#host.refuse(token, reason)
    else this.#handBack(token)
  }

  /** Returns the slot of a message that the sender has revoked, unless it has closed the edge and looks no more. */
  #handBack(slot: number): void {
    if (Atomics.load(this.#header, headerWord.closed) !== 0) return
    if (this.#step(slot, slotState.revoked, slotState.refused)) this.#host.refuse(slot, 'OVERLOADED')
  }

  #step(slot: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#states, slot, from, to) === from
  }

  #wakeIf(word: number): void {
    if (Atomics.load(this.#header, word) !== 0 && Atomics.exchange(this.#header, word, 0) !== 0) this.#host.wake()
  }
}
