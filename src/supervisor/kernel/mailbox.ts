/**
 * The mailbox of an actor: bounded, with a control lane that is served first and messages put aside by `postpone`.
 *
 *   control ──────────────┐
 *   resumed (postponed) ──┼─> take()
 *   normal ───────────────┘
 */
import type { MailboxOptions } from '../../actors/runtime/mailbox-options.ts'
import type { Envelope } from '../../messages/thread/envelope.ts'
import { Fifo } from '../fifo.ts'

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

/** A bounded queue of envelopes. The control lane is not bounded here: what travels on it is bounded where it arises. */
export class Mailbox {
  readonly #options: Required<MailboxOptions>
  readonly #control = new Fifo<Envelope>()
  readonly #normal = new Fifo<Envelope>()
  readonly #resumed = new Fifo<Envelope>()
  #postponed: Envelope[] = []

  constructor(options: Required<MailboxOptions>) {
    this.#options = options
  }

  /** Messages that can be taken now. */
  get ready(): number {
    return this.#control.size + this.#resumed.size + this.#normal.size
  }

  /** Messages that count against the bound. */
  get depth(): number {
    return this.#normal.size + this.#resumed.size + this.#postponed.length
  }

  /** Puts a message in; answers the one that does not fit: the message itself, or the one that gives way to it. */
  put(envelope: Envelope): Envelope | undefined {
    if (envelope.lane === 'control') {
      this.#control.push(envelope)
      return undefined
    }
    if (this.depth < this.#options.messagesMax) {
      this.#normal.push(envelope)
      return undefined
    }
    const { overflow } = this.#options
    if (overflow === 'reject') return envelope
    const dropped = overflow === 'drop_oldest' ? this.#normal.shift() : this.#normal.pop()
    if (dropped === undefined) return envelope
    this.#normal.push(envelope)
    return dropped
  }

  /** The next message: control first, then what was postponed before the last state change, then in order of arrival. */
  take(): Envelope | undefined {
    return this.#control.shift() ?? this.#resumed.shift() ?? this.#normal.shift()
  }

  /** Puts the message in hand aside until {@link resume}. */
  postpone(envelope: Envelope): void {
    this.#postponed.push(envelope)
  }

  /** Makes the postponed messages the next ones, in their order of arrival. */
  resume(): void {
    if (this.#postponed.length === 0) return
    const waiting = this.#resumed.drain()
    for (const envelope of this.#postponed) this.#resumed.push(envelope)
    for (const envelope of waiting) this.#resumed.push(envelope)
    this.#postponed = []
  }

  /** True when messages were put aside. */
  get hasPostponed(): boolean {
    return this.#postponed.length > 0
  }

  /** The age of the oldest normal message, milliseconds; 0 when there is none. */
  ageMs(nowMs: number): number {
    const oldest = this.#normal.peek()
    return oldest === undefined ? 0 : nowMs - oldest.admittedAtMs
  }

  /** Takes everything out, in the order in which it would have been served. */
  drain(): Envelope[] {
    const all = [...this.#control.drain(), ...this.#resumed.drain(), ...this.#postponed, ...this.#normal.drain()]
    this.#postponed = []
    return all
  }
}
