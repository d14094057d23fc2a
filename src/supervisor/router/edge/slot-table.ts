/**
 * The sender's half of a direction: which message lies in which slot, and what became of those whose slots came back.
 *
 * Those in use stand in a ring in which a sweep looks at the oldest first and passes over those that are not finished; it
 * looks for as many as the receiver has counted, and gives up after a few misses, so that its cost is that of the messages
 * which came back, not of those under way. So one that is held for long (a postponed message) keeps nothing else waiting.
 *
 * Which slot comes next: see free-slots.ts.
 */
import type { Envelope, Fate } from '../../../messages/thread/envelope.ts'
import { type EdgeMemory, headerWord, slotState } from './edge-memory.ts'
import { FreeSlots } from './free-slots.ts'

/** An envelope's token once its slot came back, or its edge closed: what `handledOf` answers from then on. */
export const settledToken = { unsent: -1, notHandled: -2, perhapsHandled: -3 } as const

/** Unfinished messages in a row after which a sweep gives up. */
const patience = 16

/** A message that was under way when its edge closed. */
export interface SettledMessage {
  readonly message: Envelope
  readonly fate: Fate
}

/** The slots of one direction, on the sender's side. */
export class SlotTable {
  /** Messages whose slots came back finished. */
  handled = 0
  /** Messages that were handed back with a reason. */
  refused = 0
  readonly #header: Int32Array
  readonly #states: Uint8Array
  readonly #slots: number
  readonly #held: (Envelope | undefined)[] = []
  readonly #orders: Float64Array
  /** Where each stands in the order in which the receiver reads, modulo 2^32. */
  readonly #places: Int32Array
  readonly #ring: Int32Array
  #ringHead = 0
  #ringEnd = 0
  #inUse = 0
  /** Slots in the ring that hold no message any more. */
  #vacant = 0
  readonly #free: FreeSlots
  #order = 0

  constructor(memory: EdgeMemory) {
    this.#header = memory.header
    this.#states = memory.states
    this.#slots = memory.slots
    this.#orders = new Float64Array(memory.slots)
    this.#places = new Int32Array(memory.slots)
    this.#ring = new Int32Array(memory.slots)
    this.#free = new FreeSlots(memory.slots)
  }

  /** Slots that can be taken now. */
  get free(): number {
    return this.#slots - this.#inUse
  }

  /** Slots whose message has not been seen to end. */
  get inUse(): number {
    return this.#inUse - this.#vacant
  }

  /** Gives a message a slot and marks it posted. There must be a free one. */
  take(message: Envelope): void {
    const slot = this.#free.take()
    this.#held[slot] = message
    this.#orders[slot] = this.#order++
    message.token = slot
    this.#enter(slot)
    // A plain store: nobody looks before the message has crossed the port, whose lock publishes it.
    this.#states[slot] = slotState.posted
  }

  /** Notes that messages leave, which the receiver reads as those from `first` on. */
  place(messages: readonly Envelope[], first: number): void {
    for (let index = 0; index < messages.length; index++) this.#places[messages[index]!.token] = first + index
  }

  #enter(slot: number): void {
    this.#ring[this.#ringEnd] = slot
    this.#ringEnd = this.#after(this.#ringEnd)
    this.#inUse++
  }

  #after(index: number): number {
    return index + 1 === this.#slots ? 0 : index + 1
  }

  /** Takes back a slot of a message that was not posted after all. */
  undo(message: Envelope): void {
    this.#vacate(message.token, message)
  }

  /** Ends a message that the receiver has refused and said why; undefined when there is none in that slot. */
  refusedBecause(slot: number): Envelope | undefined {
    const message = this.#held[slot]
    if (message === undefined) return undefined
    this.#vacate(slot, message)
    this.refused++
    return message
  }

  #vacate(slot: number, message: Envelope): void {
    this.#held[slot] = undefined
    this.#vacant++
    message.token = settledToken.notHandled
  }

  /** Takes back slots whose messages are finished: the oldest few of them, or with `all` every one. */
  sweep(all = false): void {
    if (this.#inUse === 0) return
    let due = this.#vacant + ((Atomics.load(this.#header, headerWord.finished) - this.handled) | 0)
    let misses = 0
    for (let left = this.#inUse; due > 0 && left > 0 && (all || misses < patience); left--) {
      const slot = this.#ring[this.#ringHead]!
      this.#ringHead = this.#after(this.#ringHead)
      this.#inUse--
      const message = this.#held[slot]
      if (message === undefined) {
        this.#vacant--
        due--
        this.#free.giveBack(slot)
      } else if (this.#states[slot] === slotState.finished) {
        this.handled++
        due--
        this.#held[slot] = undefined
        message.token = settledToken.perhapsHandled
        this.#free.giveBack(slot)
      } else {
        this.#enter(slot)
        misses++
      }
    }
  }

  /** Whether the message of that slot may have been handled, as its state stands. */
  mayBeHandled(slot: number): boolean {
    const state = Atomics.load(this.#states, slot)
    return state === slotState.started || state === slotState.finished
  }

  /** Whether the message of that slot was revoked. */
  isRevoked(slot: number): boolean {
    return Atomics.load(this.#states, slot) === slotState.revoked
  }

  /**
   * Takes back the right to begin a message that has not begun; the receiver hands its slot back as refused. False when it
   * has begun, and may be handled.
   */
  revoke(slot: number): boolean {
    const fate = this.#revoke(slot)
    return fate !== 'inHand' && fate !== 'handled'
  }

  /**
   * Ends every message under way, in the order they were sent: those not begun are revoked, so that the receiver, if it
   * lives, can no longer begin them. Counts nothing itself.
   */
  settle(): SettledMessage[] {
    const slots: number[] = []
    for (let index = 0; index < this.#inUse; index++) {
      const slot = this.#ring[(this.#ringHead + index) % this.#slots]!
      if (this.#held[slot] !== undefined) slots.push(slot)
    }
    slots.sort((a, b) => this.#orders[a]! - this.#orders[b]!)
    this.#inUse = 0
    return slots.map(slot => {
      const message = this.#held[slot]!
      const fate = this.#revoke(slot)
      message.token = fate === 'handled' || fate === 'inHand' ? settledToken.perhapsHandled : settledToken.notHandled
      this.#held[slot] = undefined
      return { message, fate }
    })
  }

  #revoke(slot: number): Fate {
    const states = this.#states
    for (;;) {
      const state = Atomics.load(states, slot)
      switch (state) {
        case slotState.started:
          return 'inHand'
        case slotState.finished:
          return 'handled'
        case slotState.refused:
          return 'refused'
        default:
          if (Atomics.compareExchange(states, slot, state, slotState.revoked) === state) {
            return this.#isRead(slot) ? 'unprocessed' : 'lost'
          }
      }
    }
  }

  #isRead(slot: number): boolean {
    return ((Atomics.load(this.#header, headerWord.received) - this.#places[slot]!) | 0) > 0
  }
}
