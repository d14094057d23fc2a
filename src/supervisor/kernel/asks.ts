/**
 * Requests that this thread waits for. Every one settles: by its answer, a refusal, its deadline, an abort, or the end
 * of whom it asked.
 */
import type { Clock, TimerHandle } from '../../actors/runtime/clock.ts'
import { type Handled, StarfishError } from '../../messages/errors.ts'

/** The result of a request. */
export type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown }

interface PendingAsk {
  readonly to: string
  readonly type: string
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  readonly timer: TimerHandle
  readonly forgetSignal: (() => void) | undefined
  /** How far it came, as far as this thread can see. */
  handledOf: () => Handled
}

/** Options of an ask. */
export interface AskOptions {
  /** Deadline, milliseconds from now. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** The open requests of one thread. */
export class Asks {
  readonly #clock: Clock
  readonly #pending = new Map<number, PendingAsk>()
  #nextId = 1

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#pending.size
  }

  /** Opens a request; `post` sends it under the id it is given and answers how to see how far it came. */
  open(to: string, type: string, options: AskOptions, post: (requestId: number) => () => Handled): Promise<unknown> {
    if (!(options.timeoutMs > 0)) {
      const reason = `ask needs a timeoutMs above 0, got ${options.timeoutMs}`
      return Promise.reject(new StarfishError('BAD_CONFIG', reason, { details: { to, type }, handled: 'no' }))
    }
    if (options.signal?.aborted) return Promise.reject(abortError(to, type, 'no', options.signal.reason))
    return new Promise((resolve, reject) => {
      const requestId = this.#nextId++
      const timer = this.#clock.setTimeout(() => this.#timeOut(requestId, options.timeoutMs), options.timeoutMs)
      const forgetSignal = this.#listen(requestId, options.signal)
      const pending: PendingAsk = { to, type, resolve, reject, timer, forgetSignal, handledOf: () => 'no' }
      this.#pending.set(requestId, pending)
      pending.handledOf = post(requestId)
    })
  }

  /** Settles a request; a late or unknown one is ignored. */
  settle(requestId: number, outcome: Outcome): void {
    const pending = this.#take(requestId)
    if (pending === undefined) return
    if (outcome.ok) pending.resolve(outcome.value)
    else pending.reject(outcome.error)
  }

  /** Fails every open request. */
  failAll(makeError: (to: string, handled: Handled) => StarfishError): void {
    for (const [requestId, pending] of [...this.#pending]) {
      this.settle(requestId, { ok: false, error: makeError(pending.to, pending.handledOf()) })
    }
  }

  #listen(requestId: number, signal: AbortSignal | undefined): (() => void) | undefined {
    if (signal === undefined) return undefined
    const abort = () => {
      const pending = this.#take(requestId)
      pending?.reject(abortError(pending.to, pending.type, pending.handledOf(), signal.reason))
    }
    signal.addEventListener('abort', abort, { once: true })
    return () => signal.removeEventListener('abort', abort)
  }

  #timeOut(requestId: number, timeoutMs: number): void {
    const pending = this.#take(requestId)
    if (pending === undefined) return
    const { to, type } = pending
    const handled = pending.handledOf()
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
