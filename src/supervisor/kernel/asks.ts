/**
 * Requests that this thread waits for. Every one settles: by its answer, a refusal, its deadline, an abort, or the end
 * of whom it asked.
 */
import type { Clock, TimerHandle } from '../../actors/runtime/clock.ts'
import { type Handled, StarfishError } from '../../messages/errors.ts'
import { createEnvelope, type Envelope, localReceipts, type Receipts } from '../../messages/thread/envelope.ts'

/** The result of a request. */
export type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown }

interface PendingAsk {
  readonly envelope: Envelope
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  readonly timer: TimerHandle
  readonly forgetSignal: (() => void) | undefined
  /** An actor of this thread has begun to handle it. */
  startedHere: boolean
}

/** The longest time a timer takes, ms: 24 days. */
const timeoutMsMax = 2_147_483_647

/** Options of an ask. */
export interface AskOptions {
  /** Deadline, milliseconds from now. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** The open requests of one thread. */
export class Asks {
  readonly #clock: Clock
  readonly #giveUpRemote: (envelope: Envelope) => Handled
  readonly #pending = new Map<number, PendingAsk>()
  #nextId = 1

  /** Notes how far the requests to actors of this thread come; the token is the request's id. */
  readonly #receipts: Receipts = {
    start: requestId => {
      const pending = this.#pending.get(requestId)
      if (pending !== undefined) pending.startedHere = true
      // Its asker has been told that it will not be handled.
      return pending !== undefined
    },
    finish() {},
    putBack: requestId => {
      const pending = this.#pending.get(requestId)
      if (pending !== undefined) pending.startedHere = false
    },
    refuse() {},
  }

  /** `giveUpRemote` sees to it that a request to another thread which has not begun never will, and tells whether it has. */
  constructor(clock: Clock, giveUpRemote: (envelope: Envelope) => Handled) {
    this.#clock = clock
    this.#giveUpRemote = giveUpRemote
  }

  get size(): number {
    return this.#pending.size
  }

  /** Opens a request and posts it. */
  open(
    from: string | null,
    to: string,
    event: { readonly type: string },
    options: AskOptions,
    post: (envelope: Envelope) => void,
  ): Promise<unknown> {
    if (!(options.timeoutMs > 0 && options.timeoutMs <= timeoutMsMax)) {
      const reason = `ask needs a timeoutMs above 0 and up to ${timeoutMsMax}, got ${options.timeoutMs}`
      return Promise.reject(
        new StarfishError('BAD_CONFIG', reason, { details: { to, type: event.type }, handled: 'no' }),
      )
    }
    if (options.signal?.aborted) return Promise.reject(abortError(to, event.type, 'no', options.signal.reason))
    return new Promise((resolve, reject) => {
      const requestId = this.#nextId++
      const deadlineMs = this.#clock.now() + options.timeoutMs
      const envelope: Envelope = {
        ...createEnvelope({ from, to, event, requestId, deadlineMs }),
        receipts: this.#receipts,
        token: requestId,
      }
      const timer = this.#clock.setTimeout(() => this.#timeOut(requestId, options.timeoutMs), options.timeoutMs)
      const forgetSignal = this.#listen(requestId, options.signal)
      this.#pending.set(requestId, { envelope, resolve, reject, timer, forgetSignal, startedHere: false })
      post(envelope)
    })
  }

  /** Settles a request; a late or unknown one is ignored. */
  settle(requestId: number, outcome: Outcome): void {
    const pending = this.#take(requestId)
    if (pending === undefined) return
    if (outcome.ok) pending.resolve(outcome.value)
    else pending.reject(outcome.error)
  }

  /** True for a request of this thread that was settled meanwhile: nobody wants it any more. */
  isOver(envelope: Envelope): boolean {
    return envelope.receipts === this.#receipts && !this.#pending.has(envelope.requestId)
  }

  /** True for a message of this thread, asked or sent. */
  isLocal(envelope: Envelope): boolean {
    return envelope.receipts === this.#receipts || envelope.receipts === localReceipts
  }

  /** Fails the open requests that `select` picks. */
  fail(
    select: (envelope: Envelope) => boolean,
    makeError: (envelope: Envelope, handled: Handled) => StarfishError,
  ): void {
    for (const pending of [...this.#pending.values()]) {
      const { envelope } = pending
      if (!select(envelope)) continue
      this.settle(envelope.requestId, { ok: false, error: makeError(envelope, this.#giveUp(pending)) })
    }
  }

  #giveUp(pending: PendingAsk): Handled {
    return pending.startedHere ? 'unknown' : this.#giveUpRemote(pending.envelope)
  }

  #listen(requestId: number, signal: AbortSignal | undefined): (() => void) | undefined {
    if (signal === undefined) return undefined
    const abort = () => {
      const pending = this.#take(requestId)
      if (pending === undefined) return
      const { to, event } = pending.envelope
      pending.reject(abortError(to, event.type, this.#giveUp(pending), signal.reason))
    }
    signal.addEventListener('abort', abort, { once: true })
    return () => signal.removeEventListener('abort', abort)
  }

  #timeOut(requestId: number, timeoutMs: number): void {
    const pending = this.#take(requestId)
    if (pending === undefined) return
    const { to } = pending.envelope
    const { type } = pending.envelope.event
    const handled = this.#giveUp(pending)
    const text = `${to} did not answer ${type} within ${timeoutMs} ms`
    pending.reject(new StarfishError('ASK_TIMEOUT', text, { details: { address: to, type, timeoutMs }, handled }))
  }

  #take(requestId: number): PendingAsk | undefined {
    const pending = this.#pending.get(requestId)
    if (pending === undefined) return undefined
    this.#pending.delete(requestId)
    this.#clock.clearTimeout(pending.timer)
    pending.forgetSignal?.()
    return pending
  }
}

function abortError(to: string, type: string, handled: Handled, cause: unknown): StarfishError {
  return new StarfishError('ASK_ABORTED', `the ask of ${type} to ${to} was aborted`, {
    details: { address: to, type },
    handled,
    cause,
  })
}
