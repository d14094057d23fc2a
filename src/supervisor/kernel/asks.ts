/**
 * Requests that this thread waits for. Every one settles: by its answer, a refusal, its deadline, an abort, or the end
 * of whom it asked.
 */
import type { ActorEvent, AskOptions } from '../../actors/runtime/actor-runtime.ts'
import type { Clock } from '../../actors/runtime/clock.ts'
import { Deadline, Deadlines } from '../../actors/runtime/deadlines.ts'
import { type Keyed, KeyedTable } from '../../actors/runtime/keyed-table.ts'
import { badArgument } from '../../messages/argument-check.ts'
import { type Handled, StarfishError } from '../../messages/errors.ts'
import { show } from '../../messages/option-faults.ts'
import { createEnvelope, type Envelope, type Receipts } from '../../messages/thread/envelope.ts'
import { timerMsMax } from '../option-check.ts'
import { type ActorCell, actorStorage } from './cell.ts'

/** The result of a request. */
export type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown }

class PendingAsk extends Deadline implements Keyed {
  /** The id of the request. */
  readonly key: number
  readonly envelope: Envelope
  readonly timeoutMs: number
  readonly resolve: (value: unknown) => void
  readonly #reject: (error: unknown) => void
  /** The actor in whose name it was made; undefined for the program's own. */
  readonly #asker: ActorCell | undefined
  forgetSignal: (() => void) | undefined
  /** An actor of this thread has begun to handle it. */
  startedHere = false

  constructor(
    envelope: Envelope,
    timeoutMs: number,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
    asker: ActorCell | undefined,
  ) {
    super()
    this.key = envelope.requestId
    this.envelope = envelope
    this.timeoutMs = timeoutMs
    this.resolve = resolve
    this.#reject = reject
    this.#asker = asker
  }

  /** A rejection that nobody handles is the fault of who asked, not of who happens to be at work when it is told. */
  reject(error: unknown): void {
    if (this.#asker === undefined) actorStorage.exit(this.#reject, error)
    else actorStorage.run(this.#asker, this.#reject, error)
  }
}

/** The open requests of one thread. */
export class Asks {
  readonly #clock: Clock
  readonly #giveUpRemote: (envelope: Envelope) => Handled
  /** The last one that was opened: one that is answered before the next never enters the table. */
  #last: PendingAsk | undefined
  readonly #others = new KeyedTable<PendingAsk>()
  readonly #deadlines: Deadlines<PendingAsk>
  #nextId = 1

  /** Notes how far the requests to actors of this thread come; the token is the request's id. */
  readonly #receipts: Receipts = {
    origin: undefined,
    start: requestId => {
      const pending = this.#find(requestId)
      if (pending !== undefined) pending.startedHere = true
      // Its asker has been told that it will not be handled.
      return pending !== undefined
    },
    finish() {},
    putBack: requestId => {
      const pending = this.#find(requestId)
      if (pending !== undefined) pending.startedHere = false
    },
    refuse() {},
  }

  /**
   * `keepsAlive` is false on threads that outlive their requests anyway, which need no timer for that. `giveUpRemote`
   * sees to it that a request to another thread which has not begun never will, and tells whether it has.
   */
  constructor(clock: Clock, keepsAlive: boolean, giveUpRemote: (envelope: Envelope) => Handled) {
    this.#clock = clock
    this.#deadlines = new Deadlines(clock, keepsAlive, ({ envelope }) => this.timeOut(envelope.requestId))
    this.#giveUpRemote = giveUpRemote
  }

  get size(): number {
    return this.#last === undefined ? this.#others.size : this.#others.size + 1
  }

  /** Opens a request of that actor, or of the code that runs, and posts it. */
  open(
    asker: ActorCell | null,
    { to, event, codec }: Pick<Envelope, 'to' | 'event' | 'codec'>,
    options: AskOptions,
    post: (envelope: Envelope) => void,
  ): Promise<unknown> {
    const misuse = misuseOf(to, event, options)
    if (misuse !== undefined) return Promise.reject(misuse)
    if (options.signal?.aborted) return Promise.reject(abortError(to, event.type, 'no', options.signal.reason))
    return new Promise((resolve, reject) => {
      const { timeoutMs, signal } = options
      const requestId = this.#nextId++
      const nowMs = this.#clock.now()
      const receipts = this.#receipts
      const from = asker === null ? null : asker.entry.address
      const deadlineMs = nowMs + timeoutMs
      const envelope = createEnvelope({ from, to, event, codec, requestId, deadlineMs, receipts, token: requestId })
      const pending = new PendingAsk(envelope, timeoutMs, resolve, reject, asker ?? actorStorage.getStore())
      if (signal !== undefined) pending.forgetSignal = this.#listen(requestId, signal)
      if (this.#last !== undefined) this.#others.add(this.#last)
      this.#last = pending
      post(envelope)
      // Afterwards: it may be on its way by now, or refused.
      if (this.#find(requestId) !== undefined) this.#deadlines.set(pending, timeoutMs, nowMs)
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
    return envelope.receipts === this.#receipts && this.#find(envelope.requestId) === undefined
  }

  /** Fails the open requests that `select` picks. */
  fail(
    select: (envelope: Envelope) => boolean,
    makeError: (envelope: Envelope, handled: Handled) => StarfishError,
  ): void {
    for (const pending of this.#all()) {
      const { envelope } = pending
      if (!select(envelope)) continue
      this.settle(envelope.requestId, { ok: false, error: makeError(envelope, this.#giveUp(pending)) })
    }
  }

  /** Fails all open requests with SHUTTING_DOWN, and leaves no timer. */
  close(): void {
    this.fail(() => true, stoppedError)
    this.#deadlines.close()
  }

  #giveUp(pending: PendingAsk): Handled {
    return pending.startedHere ? 'unknown' : this.#giveUpRemote(pending.envelope)
  }

  #listen(requestId: number, signal: AbortSignal): () => void {
    const abort = () => {
      const pending = this.#take(requestId)
      if (pending === undefined) return
      const { to, event } = pending.envelope
      pending.reject(abortError(to, event.type, this.#giveUp(pending), signal.reason))
    }
    signal.addEventListener('abort', abort, { once: true })
    return () => signal.removeEventListener('abort', abort)
  }

  /** The deadline of a request has passed; of one that is settled nothing is told. */
  timeOut(requestId: number): void {
    const pending = this.#take(requestId)
    if (pending === undefined) return
    const { envelope, timeoutMs } = pending
    const { to } = envelope
    const { type } = envelope.event
    const handled = this.#giveUp(pending)
    const text = `${to} did not answer ${type} within ${timeoutMs} ms`
    pending.reject(new StarfishError('ASK_TIMEOUT', text, { details: { address: to, type, timeoutMs }, handled }))
  }

  #find(requestId: number): PendingAsk | undefined {
    return this.#last?.key === requestId ? this.#last : this.#others.get(requestId)
  }

  /** All of them, in the order they were opened. */
  #all(): PendingAsk[] {
    const others = this.#others.inOrder()
    return this.#last === undefined ? others : [...others, this.#last]
  }

  #take(requestId: number): PendingAsk | undefined {
    const pending = this.#find(requestId)
    if (pending === undefined) return undefined
    if (pending === this.#last) this.#last = undefined
    else this.#others.take(requestId)
    this.#deadlines.clear(pending)
    pending.forgetSignal?.()
    return pending
  }
}

/** What the caller of an ask did wrong, if anything. */
function misuseOf(to: unknown, event: ActorEvent, options: AskOptions): StarfishError | undefined {
  if (typeof to !== 'string' || to === '') return badArgument('ask', 'to', `is ${show(to)}, not an address`)
  if (typeof event?.type !== 'string')
    return badArgument('ask', 'event', `for ${to} is ${show(event)}, not an object with a type`)
  if (event.type.startsWith('xstate.'))
    return badArgument('ask', 'event', `for ${to} is of the type ${event.type}: xstate.* are XState's own`)
  const what = `of ${event.type} to ${to}`
  if (typeof options !== 'object' || options === null) return badArgument('ask', 'timeoutMs', `${what} is missing`)
  const { timeoutMs, signal } = options
  if (timeoutMs === undefined) return badArgument('ask', 'timeoutMs', `${what} is missing`)
  if (typeof timeoutMs !== 'number' || !(timeoutMs > 0 && timeoutMs <= timerMsMax))
    return badArgument(
      'ask',
      'timeoutMs',
      `${what} is ${show(timeoutMs)}, not a number above 0 and up to ${timerMsMax}`,
    )
  if (signal !== undefined && typeof signal?.addEventListener !== 'function')
    return badArgument('ask', 'signal', `${what} is no AbortSignal`)
  return undefined
}

function abortError(to: string, type: string, handled: Handled, cause: unknown): StarfishError {
  return new StarfishError('ASK_ABORTED', `the ask of ${type} to ${to} was aborted`, {
    details: { address: to, type },
    handled,
    cause,
  })
}

function stoppedError({ to, event }: Envelope, handled: Handled): StarfishError {
  return new StarfishError('SHUTTING_DOWN', `the system stopped before ${to} answered ${event.type}`, {
    details: { address: to, type: event.type },
    handled,
  })
}
