/**
 * The mailbox of an actor: bounded, with a control lane that is served first and messages put aside by `postpone`.
 *
 *   control ──────────────┐
 *   resumed (postponed) ──┼─> take()
 *   normal ───────────────┘
 *
 * What was postponed arrived before what is resumed and has not been taken again, and that before what is normal.
 *
 * As a rule there are normal messages only, of many mailboxes in turn: two counts tell it, so that the other queues, which
 * would have to be fetched from memory, are not looked at.
 */
import type { MailboxOptions, Overflow } from '../../actors/runtime/mailbox-options.ts'
import type { Envelope } from '../../messages/thread/envelope.ts'
import { Fifo } from '../fifo.ts'
import type { ActorCell } from './cell.ts'

/** Fills in the defaults: what the child's spec says, else its definition, else 1,000 messages and `reject`. */
export function resolveMailboxOptions(
  options: MailboxOptions | undefined,
  spec: MailboxOptions = {},
): Required<MailboxOptions> {
  return {
    messagesMax: spec.messagesMax ?? options?.messagesMax ?? 1_000,
    overflow: spec.overflow ?? options?.overflow ?? 'reject',
  }
}

/**
 * A bounded queue of envelopes. The control lane is not bounded here: what travels on it is bounded where it arises. What
 * it extends is its queue of normal messages: one object less to fetch for each of them.
 */
export class Mailbox extends Fifo<Envelope> {
  /** Whose it is, as long as that incarnation takes messages: who knows the mailbox need not fetch the way to it. */
  cell: ActorCell | undefined
  /** True while its cell has a place in the dispatcher's queue. Kept here, where a message comes by in any case. */
  queued = false
  readonly #messagesMax: number
  readonly #overflow: Overflow
  readonly #control = new Fifo<Envelope>()
  readonly #resumed = new Fifo<Envelope>()
  readonly #postponed = new Fifo<Envelope>()
  /** Messages of the control lane among those that were put aside. */
  #controlAside = 0
  /** Messages that are taken before the normal ones. */
  #ahead = 0
  /** Messages besides the normal ones that count against the bound. */
  #aside = 0

  constructor({ messagesMax, overflow }: Required<MailboxOptions>) {
    super()
    this.#messagesMax = messagesMax
    this.#overflow = overflow
  }

  /** Messages that can be taken now. */
  get ready(): number {
    return this.#ahead + this.size
  }

  /** Messages that count against the bound. */
  get depth(): number {
    return this.size + this.#aside
  }

  /** To be called when another queue than the normal one was changed. */
  #recount(): void {
    this.#ahead = this.#control.size + this.#resumed.size
    this.#aside = this.#resumed.size + this.#postponed.size - this.#controlAside
  }

  /** Puts a message in; answers the one that does not fit: the message itself, or the one that gives way to it. */
  put(envelope: Envelope): Envelope | undefined {
    if (envelope.lane === 'control') {
      this.#control.push(envelope)
      this.#ahead++
      return undefined
    }
    if (this.depth < this.#messagesMax) {
      this.push(envelope)
      return undefined
    }
    if (this.#overflow === 'reject') return envelope
    const dropped = this.#overflow === 'drop_oldest' ? this.#dropOldest() : this.#dropNewest()
    this.#recount()
    if (dropped === undefined) return envelope
    this.push(envelope)
    return dropped
  }

  #dropOldest(): Envelope | undefined {
    return this.#postponed.shiftFirst(isNormal) ?? this.#resumed.shiftFirst(isNormal) ?? this.shift()
  }

  #dropNewest(): Envelope | undefined {
    return this.pop() ?? this.#resumed.popLast(isNormal) ?? this.#postponed.popLast(isNormal)
  }

  /** The next message: control first, then what was postponed before the last state change, then in order of arrival. */
  take(): Envelope | undefined {
    return this.#ahead === 0 ? this.shift() : this.#takeAhead()
  }

  #takeAhead(): Envelope | undefined {
    const envelope = this.#control.shift() ?? this.#takeResumed()
    this.#recount()
    return envelope
  }

  #takeResumed(): Envelope | undefined {
    const envelope = this.#resumed.shift()
    if (envelope?.lane === 'control') this.#controlAside--
    return envelope
  }

  /** Puts the message in hand aside until {@link resume}. */
  postpone(envelope: Envelope): void {
    this.#postponed.push(envelope)
    if (envelope.lane === 'control') this.#controlAside++
    this.#recount()
  }

  /** Makes the postponed messages the next ones, in their order of arrival. */
  resume(): void {
    if (this.#postponed.size === 0) return
    for (const envelope of this.#resumed.drain()) this.#postponed.push(envelope)
    for (const envelope of this.#postponed.drain()) this.#resumed.push(envelope)
    this.#recount()
  }

  /** True when messages were put aside. */
  get hasPostponed(): boolean {
    return this.#postponed.size > 0
  }

  /** The age of the oldest normal message, milliseconds; 0 when there is none. */
  ageMs(nowMs: number): number {
    const oldest = this.peek()
    return oldest === undefined ? 0 : nowMs - oldest.admittedAtMs
  }

  /** Takes everything out, in the order in which it would have been served. */
  override drain(): Envelope[] {
    const all = [this.#control, this.#resumed, this.#postponed].flatMap(queue => queue.drain()).concat(super.drain())
    this.#controlAside = 0
    this.#recount()
    return all
  }
}

function isNormal(envelope: Envelope): boolean {
  return envelope.lane === 'normal'
}
