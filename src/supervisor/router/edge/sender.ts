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

const nothing: never[] = []

/** Messages of one direction on their way out. */
export class Sender {
  readonly slots: SlotTable
  readonly #header: Int32Array
  /** What has its slot and leaves with the next batch. */
  #readyControl: Envelope[] = nothing
  #readyNormal: Envelope[] = nothing
  /** What waits for credit. */
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
    return this.ready + this.#control.size + this.#normal.size
  }

  /** Those of them that have their slots already. */
  get ready(): number {
    return this.#readyControl.length + this.#readyNormal.length
  }

  /** Takes a message. `sent` when it has credit, `full` when it was not taken. */
  offer(message: Envelope): 'sent' | 'waiting' | 'full' {
    const control = message.lane === 'control'
    const queue = control ? this.#control : this.#normal
    let beyond = queue.size - (control ? this.#controlRoom() : this.#normalRoom())
    if (beyond >= 0) {
      this.#look()
      beyond = queue.size - (control ? this.#controlRoom() : this.#normalRoom())
    }
    if (beyond >= this.#outboxMax) return 'full'
    if (beyond < 0 && queue.size === 0) {
      this.#spend(message, control)
      return 'sent'
    }
    message.token = settledToken.unsent
    queue.push(message)
    return beyond < 0 ? 'sent' : 'waiting'
  }

  /** Gives a message its credit and its slot: it leaves with the next batch. */
  #spend(message: Envelope, control: boolean): void {
    this.slots.take(message)
    if (control) {
      this.#postedControl = (this.#postedControl + 1) | 0
      // A row of one, as an ask is, without room for more.
      if (this.#readyControl.length === 0) this.#readyControl = [message]
      else this.#readyControl.push(message)
    } else {
      this.#postedNormal = (this.#postedNormal + 1) | 0
      if (this.#readyNormal.length === 0) this.#readyNormal = [message]
      else this.#readyNormal.push(message)
    }
  }

  /** The next batch: up to `limit` messages that have credit, control first. */
  take(limit: number): readonly Envelope[] {
    if (this.#control.size + this.#normal.size > 0) this.#spendOnWaiting(limit)
    if (this.ready === 0) return nothing
    const control = this.#readyControl
    const normal = this.#readyNormal
    if (control.length + normal.length > limit) {
      const first = control.splice(0, limit)
      return first.concat(normal.splice(0, limit - first.length))
    }
    if (normal.length > 0) this.#readyNormal = nothing
    if (control.length === 0) return normal
    this.#readyControl = nothing
    return normal.length === 0 ? control : control.concat(normal)
  }

  #spendOnWaiting(limit: number): void {
    this.#look()
    if (this.slots.free <= this.#reserve) this.slots.sweep(true)
    const { ready } = this
    const spent = this.#drain(this.#control, true, Math.min(limit - ready, this.#controlRoom()))
    this.#drain(this.#normal, false, Math.min(limit - ready - spent, this.#normalRoom()))
  }

  /** Gives credit to up to `limit` messages; those that were revoked while they waited are passed over. */
  #drain(queue: Fifo<Envelope>, control: boolean, limit: number): number {
    let spent = 0
    while (spent < limit && queue.size > 0) {
      const message = queue.shift()!
      if (message.token !== settledToken.unsent) continue
      this.#spend(message, control)
      spent++
    }
    return spent
  }

  /** Takes back a message of {@link Sender.take} that was not posted. */
  undo(message: Envelope): void {
    this.slots.undo(message)
    if (message.lane === 'control') this.#postedControl = (this.#postedControl - 1) | 0
    else this.#postedNormal = (this.#postedNormal - 1) | 0
  }

  /** Asks the receiver for a wake, if messages wait. True when there is room after all, so that no wake may come. */
  askForWake(): boolean {
    if (this.#control.size + this.#normal.size === 0) return false
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
    const control = [...this.#readyControl.splice(0), ...this.#control.drain()]
    const unsent = [...control, ...this.#readyNormal.splice(0), ...this.#normal.drain()].filter(message =>
      this.#isWanted(message),
    )
    const underWay = this.slots.settle()
    return { underWay, unsent, handledByReceiver: Atomics.load(this.#header, headerWord.finished) }
  }

  /** True for a message that was not posted and not revoked; its slot, if it had one, is given up. */
  #isWanted(message: Envelope): boolean {
    if (message.token < 0) return message.token === settledToken.unsent
    const isRevoked = this.slots.isRevoked(message.token)
    this.slots.undo(message)
    if (!isRevoked) message.token = settledToken.unsent
    return !isRevoked
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
