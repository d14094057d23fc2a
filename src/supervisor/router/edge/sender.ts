/**
 * The sending side of a direction: what waits, and what may go.
 *
 * Credit is a window of messages that were posted and not yet read by the receiver, a lane each. It returns through a
 * counter in shared memory; only when messages wait does the sender ask, by a flag, to be woken. The flag is set before
 * the counter is looked at once more, and the receiver moves the counter before it looks at the flag: one of the two
 * always sees the other, so no wake is lost.
 */
import type { Envelope } from '../../../messages/thread/envelope.ts'
import { Fifo } from '../../fifo.ts'
import { type EdgeMemory, headerWord } from './edge-memory.ts'
import { type SettledMessage, SlotTable, settledToken } from './slot-table.ts'

/** Control messages that may be posted and not yet read: the lane's own window. */
export const controlWindow = 256

/** Messages of one direction on their way out. */
export class Sender {
  readonly slots: SlotTable
  readonly #header: Int32Array
  readonly #control = new Fifo<Envelope>()
  readonly #normal = new Fifo<Envelope>()
  readonly #window: number
  readonly #outboxMax: number
  /** Slots that the normal lane leaves to control. */
  readonly #reserve: number
  /** Posted modulo 2^32, as the receiver counts what it read. */
  #postedControl = 0
  #postedNormal = 0
  /** What the receiver had read when it was last looked at: its memory is looked at no more than is needed. */
  #readControl = 0
  #readNormal = 0

  constructor(memory: EdgeMemory, window: number, outboxMax: number) {
    this.slots = new SlotTable(memory)
    this.#header = memory.header
    this.#window = window
    this.#outboxMax = outboxMax
    this.#reserve = Math.min(controlWindow, memory.slots >> 2)
  }

  /** Messages that have not been posted. */
  get waiting(): number {
    return this.#control.size + this.#normal.size
  }

  /** Queues a message. `sent` when it has credit, `full` when it was not taken. */
  offer(message: Envelope): 'sent' | 'waiting' | 'full' {
    const control = message.lane === 'control'
    const queue = control ? this.#control : this.#normal
    let beyond = queue.size - (control ? this.#controlRoom() : this.#normalRoom())
    if (beyond >= 0) {
      this.#look()
      beyond = queue.size - (control ? this.#controlRoom() : this.#normalRoom())
    }
    if (beyond >= this.#outboxMax) return 'full'
    message.token = settledToken.unsent
    queue.push(message)
    return beyond < 0 ? 'sent' : 'waiting'
  }

  /** Takes up to `limit` messages that have credit out of the queues, control first, and marks them posted. */
  take(limit: number): Envelope[] {
    if (this.#control.size > this.#controlRoom() || this.#normal.size > this.#normalRoom()) this.#look()
    if (this.slots.free <= this.#reserve) this.slots.sweep(true)
    const batch: Envelope[] = []
    this.#mark(batch, this.#control, Math.min(limit, this.#controlRoom()))
    const control = batch.length
    this.#postedControl = (this.#postedControl + control) | 0
    this.#mark(batch, this.#normal, Math.min(limit - control, this.#normalRoom()))
    this.#postedNormal = (this.#postedNormal + batch.length - control) | 0
    return batch
  }

  /** Moves up to `limit` messages; those that were revoked while they waited are passed over. */
  #mark(batch: Envelope[], queue: Fifo<Envelope>, limit: number): void {
    for (let left = limit; left > 0 && queue.size > 0; ) {
      const message = queue.shift()!
      if (message.token !== settledToken.unsent) continue
      this.slots.take(message)
      batch.push(message)
      left--
    }
  }

  /** Takes back a message of {@link Sender.take} that was not posted. */
  undo(message: Envelope): void {
    this.slots.undo(message)
    if (message.lane === 'control') this.#postedControl = (this.#postedControl - 1) | 0
    else this.#postedNormal = (this.#postedNormal - 1) | 0
  }

  /** Asks the receiver for a wake, if messages wait. True when there is room after all, so that no wake may come. */
  askForWake(): boolean {
    if (this.waiting === 0) return false
    Atomics.store(this.#header, headerWord.creditWanted, 1)
    this.#look()
    if (this.#hasRoom()) return true
    if (this.slots.free > this.#reserve) return false
    Atomics.store(this.#header, headerWord.slotsWanted, 1)
    this.slots.sweep(true)
    return this.#hasRoom()
  }

  #hasRoom(): boolean {
    return (this.#control.size > 0 && this.#controlRoom() > 0) || (this.#normal.size > 0 && this.#normalRoom() > 0)
  }

  /** Ends the direction: what is under way is revoked and told, what waits is handed back. */
  settle(): { readonly underWay: SettledMessage[]; readonly unsent: Envelope[]; readonly handledByReceiver: number } {
    Atomics.store(this.#header, headerWord.closed, 1)
    const underWay = this.slots.settle()
    const unsent = [...this.#control.drain(), ...this.#normal.drain()].filter(
      ({ token }) => token === settledToken.unsent,
    )
    return { underWay, unsent, handledByReceiver: Atomics.load(this.#header, headerWord.finished) }
  }

  #look(): void {
    this.#readControl = Atomics.load(this.#header, headerWord.readControl)
    this.#readNormal = Atomics.load(this.#header, headerWord.readNormal)
  }

  #controlRoom(): number {
    const unread = (this.#postedControl - this.#readControl) | 0
    return Math.min(controlWindow - unread, this.slots.free)
  }

  #normalRoom(): number {
    const unread = (this.#postedNormal - this.#readNormal) | 0
    return Math.min(this.#window - unread, Math.max(0, this.slots.free - this.#reserve))
  }
}
