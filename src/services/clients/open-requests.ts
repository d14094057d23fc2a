/**
 * The open requests of one client. Every one settles: by its answer, an error that is not tried again, its deadline, an
 * abort, or the end of the client.
 *
 * ```
 *   open ──> carrier has room ─── yes ──> sent ── succeed ──> resolved
 *      │             │ no                  │ fail
 *      │             v                     v
 *      │          queued <── pause ── retry policy ── give up ──> rejected
 *      └─ queue full: OVERLOADED
 * ```
 * The carrier is the connection pool: it takes a request or has no room, tells how each attempt ended, and calls `pump`
 * when it has room again.
 */
import type { Clock, Random } from '../../actors/runtime/clock.ts'
import { Deadline, Deadlines } from '../../actors/runtime/deadlines.ts'
import { type ErrorCode, StarfishError } from '../../messages/errors.ts'
import { timerMsMax } from './client-options.ts'
import type { PendingRequest } from './pending-request.ts'
import { decideRetry, type FailedAttempt, RetryBudget, type RetryDecision, type RetryPolicy } from './retry-policy.ts'

/** Who brings requests to servers. */
export interface Carrier<R extends PendingRequest> {
  /** Takes a request now, or says that there is no room for it. Never settles one before it returns. */
  send(request: R): boolean
  /** A request it had taken is over; `isOverdue` when that is because its deadline passed. */
  forget(request: R, isOverdue: boolean): void
  /** Why no connection is up; undefined when one is, or none was wanted yet. */
  trouble(): StarfishError | undefined
}

/** What {@link OpenRequests} needs. */
export interface OpenRequestsOptions {
  readonly clock: Clock
  readonly random: Random
  readonly retry: RetryPolicy
  /** Requests that may wait for a connection, and their bytes. */
  readonly queueRequestsMax: number
  readonly queueBytesMax: number
}

/** Counts since the client began, and what it holds now. */
export interface RequestFigures {
  readonly requests: number
  readonly answered: number
  readonly failed: number
  /**
   * Attempts after the first, of requests and of a producer's batches. What servers do over among themselves, as after the death of
   * the owner of a store, is none of them.
   */
  readonly retries: number
  /** Not settled yet. */
  readonly open: number
  /** Of those: waiting for a connection that has room. */
  readonly queued: number
  readonly queuedBytes: number
}

class Pause extends Deadline {
  readonly request: PendingRequest

  constructor(request: PendingRequest) {
    super()
    this.request = request
  }
}

/** The open requests. */
export class OpenRequests<R extends PendingRequest> {
  readonly #options: OpenRequestsOptions
  readonly #carrier: Carrier<R>
  readonly #budget: RetryBudget
  readonly #deadlines: Deadlines<R>
  readonly #pauses: Deadlines<Pause>
  /** In the order in which they came. */
  readonly #queue = new Set<R>()
  readonly #pausing = new Map<R, Pause>()
  #queuedBytes = 0
  #open = 0
  #requests = 0
  #answered = 0
  #failed = 0
  #retries = 0
  #isClosed = false
  #isPumping = false
  #emptied: (() => void) | undefined

  constructor(options: OpenRequestsOptions, carrier: Carrier<R>) {
    const { clock, retry } = options
    this.#options = options
    this.#carrier = carrier
    this.#budget = new RetryBudget(retry, clock.now())
    this.#deadlines = new Deadlines(clock, true, request => this.#timeOut(request))
    this.#pauses = new Deadlines(clock, true, pause => this.#resume(pause))
  }

  /** Takes a new request; `nowMs` is now. */
  open(request: R, signal?: AbortSignal, nowMs = this.#options.clock.now()): void {
    this.#requests++
    if (this.#isClosed) this.#refuse(request, 'CLIENT_CLOSED', 'the client is closed')
    else if (signal?.aborted) this.#refuse(request, 'REQUEST_ABORTED', 'it was aborted before', signal.reason)
    else if (this.#trySend(request)) this.#accept(request, signal, nowMs)
    else if (this.#isFullFor(request)) this.#refuse(request, 'OVERLOADED', `${this.#queue.size} wait already`)
    else {
      this.#enqueue(request)
      this.#accept(request, signal, nowMs)
    }
  }

  /** The answer to a request that was sent. */
  succeed<A>(request: PendingRequest<A>, answer: A): void {
    if (request.stage !== 'sent') return
    this.#answered++
    this.#end(request as unknown as R)
    request.resolve(answer)
  }

  /** An attempt failed. `error.handled` is about that attempt alone. */
  fail(request: R, error: StarfishError): void {
    if (request.stage !== 'sent') return
    if (error.handled !== 'no') request.handled = 'unknown'
    request.lastFailure = error
    const nowMs = this.#options.clock.now()
    const decision = this.#decisionOn(request, error, nowMs)
    if (typeof decision === 'number') {
      this.#spend()
      this.#pauseFor(request, decision, nowMs)
    } else this.#reject(request, error)
  }

  /** Nobody waits for a request any more: it is rejected with REQUEST_ABORTED, unless it is over. */
  abort(request: R, reason?: unknown): void {
    if (request.stage === 'over') return
    this.#giveUp(request, false)
    const text = `${request.describe()} was aborted`
    this.#reject(request, this.#error(request, 'REQUEST_ABORTED', text, reason))
  }

  /** Takes a request back that waits for a connection, unsettled; false when it does not. */
  withdraw(request: R): boolean {
    if (request.stage !== 'queued') return false
    this.#dequeue(request)
    this.#end(request)
    return true
  }

  /** The pause before a request that failed is tried again, which is counted then; or why it is not. For those not {@link PendingRequest.isRetried}. */
  retry(failed: Omit<FailedAttempt, 'inBudget'>): RetryDecision {
    const decision = this.#isClosed ? 'deadline' : this.#decide(failed, this.#options.clock.now())
    if (typeof decision === 'number') this.#spend()
    return decision
  }

  /** An attempt came to nothing through no fault of the request: it waits for another connection, out of its turn. */
  requeue(request: R): void {
    if (request.stage !== 'sent') return
    request.handled = 'unknown'
    this.#enqueue(request)
  }

  /** Sends what waits, as far as there is room. Nothing when told so by what it does itself: a dial. */
  pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    for (const request of this.#queue) {
      if (!this.#offer(request)) break
      this.#dequeue(request)
    }
    this.#isPumping = false
  }

  /** There is nobody to send what waits to. */
  rejectQueued(error: StarfishError): void {
    for (const request of [...this.#queue]) {
      this.#dequeue(request)
      this.#reject(request, error)
    }
  }

  get hasQueued(): boolean {
    return this.#queue.size > 0
  }

  /** Takes no further request; settles when none is open. After `timeoutMs` those that have not been sent are rejected. */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosed = true
    if (this.#open > 0 && timeoutMs > 0) await this.#emptiedOrAfter(timeoutMs)
    for (const request of [...this.#queue, ...this.#pausing.keys()]) {
      this.#leave(request)
      const text = `the client was closed before ${request.describe()} was sent`
      this.#reject(request, this.#error(request, 'CLIENT_CLOSED', text))
    }
  }

  figures(): RequestFigures {
    return {
      requests: this.#requests,
      answered: this.#answered,
      failed: this.#failed,
      retries: this.#retries,
      open: this.#open,
      queued: this.#queue.size,
      queuedBytes: this.#queuedBytes,
    }
  }

  #accept(request: R, signal: AbortSignal | undefined, nowMs: number): void {
    this.#open++
    this.#budget.earn()
    this.#deadlines.set(request, request.timeoutMs, nowMs)
    if (signal !== undefined) this.#listen(request, signal)
  }

  #isFullFor({ bytes }: R): boolean {
    const { queueRequestsMax, queueBytesMax } = this.#options
    return this.#queue.size >= queueRequestsMax || this.#queuedBytes + bytes > queueBytesMax
  }

  /** A client that closes begins no further attempt. */
  #decisionOn(request: R, error: StarfishError, nowMs: number): RetryDecision | undefined {
    if (this.#isClosed || !request.isRetried) return undefined
    const { attempts: attempt, isIdempotent, dueMs } = request
    return this.#decide({ attempt, error, isIdempotent, leftMs: dueMs - nowMs }, nowMs)
  }

  #decide(failed: Omit<FailedAttempt, 'inBudget'>, nowMs: number): RetryDecision {
    const { retry, random } = this.#options
    return decideRetry({ ...failed, inBudget: this.#budget.left(nowMs) > 0 }, retry, random)
  }

  #spend(): void {
    this.#retries++
    this.#budget.spend()
  }

  /** Those that wait go first. */
  #trySend(request: R): boolean {
    return this.#queue.size === 0 && this.#offer(request)
  }

  #offer(request: R): boolean {
    if (!this.#carrier.send(request)) return false
    request.stage = 'sent'
    request.attempts++
    return true
  }

  #enqueue(request: R): void {
    request.stage = 'queued'
    this.#queue.add(request)
    this.#queuedBytes += request.bytes
  }

  #dequeue(request: R): void {
    this.#queue.delete(request)
    this.#queuedBytes -= request.bytes
  }

  #pauseFor(request: R, pauseMs: number, nowMs: number): void {
    const pause = new Pause(request)
    request.stage = 'pausing'
    this.#pausing.set(request, pause)
    this.#pauses.set(pause, pauseMs, nowMs)
  }

  #resume({ request }: Pause): void {
    const paused = request as R
    this.#unpause(paused)
    if (!this.#trySend(paused)) this.#enqueue(paused)
  }

  #unpause(request: R): void {
    this.#pauses.clear(this.#pausing.get(request)!)
    this.#pausing.delete(request)
  }

  /** Takes a request that was not sent from where it waits. */
  #leave(request: R): void {
    if (request.stage === 'queued') this.#dequeue(request)
    else this.#unpause(request)
  }

  #listen(request: R, signal: AbortSignal): void {
    const abort = () => this.abort(request, signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    request.forgetSignal = () => signal.removeEventListener('abort', abort)
  }

  #timeOut(request: R): void {
    const trouble = request.stage === 'queued' && request.handled === 'no' ? this.#carrier.trouble() : undefined
    this.#giveUp(request, true)
    const { timeoutMs, lastFailure } = request
    const late = `${request.describe()} was not answered within ${timeoutMs} ms`
    const after = lastFailure === undefined ? '' : `; before that ${lastFailure.message}`
    this.#reject(
      request,
      trouble === undefined
        ? this.#error(request, 'REQUEST_TIMEOUT', late + after, lastFailure)
        : this.#error(request, 'CONNECT_FAILED', `${trouble.message}; gave up after ${timeoutMs} ms`, trouble),
    )
  }

  #emptiedOrAfter(timeoutMs: number): Promise<void> {
    const { clock } = this.#options
    return new Promise(resolve => {
      const timer = clock.setTimeout(resolve, Math.min(timeoutMs, timerMsMax))
      this.#emptied = () => {
        clock.clearTimeout(timer)
        resolve()
      }
    })
  }

  /** Ends the attempt of a request that will not be waited for. */
  #giveUp(request: R, isOverdue: boolean): void {
    if (request.stage === 'sent') {
      request.handled = 'unknown'
      this.#carrier.forget(request, isOverdue)
    } else this.#leave(request)
  }

  #error(request: R, code: ErrorCode, text: string, cause?: unknown): StarfishError {
    const { timeoutMs, handled } = request
    return new StarfishError(code, text, { details: { timeoutMs }, handled, cause })
  }

  #refuse(request: R, code: ErrorCode, why: string, cause?: unknown): void {
    this.#failed++
    request.stage = 'over'
    request.reject(new StarfishError(code, `${request.describe()} was not sent: ${why}`, { handled: 'no', cause }))
  }

  #reject(request: R, error: StarfishError): void {
    this.#failed++
    this.#end(request)
    request.reject(withHistory(error, request))
  }

  #end(request: R): void {
    request.stage = 'over'
    this.#deadlines.clear(request)
    request.forgetSignal?.()
    this.#open--
    if (this.#open === 0) this.#emptied?.()
  }
}

/** The error, with what is true of all attempts and not of the last alone. */
function withHistory(error: StarfishError, { attempts, handled }: PendingRequest): StarfishError {
  if (attempts < 2 && error.handled === handled) return error
  const { code, message, details, cause } = error
  return new StarfishError(code, message, { details: { ...details, attempts }, handled, cause })
}
