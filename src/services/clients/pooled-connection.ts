/**
 * A place in the pool: the record that its chart runs on, between one link and the open requests.
 *
 * The chart is stepped when a link opens, ends or is to be given up. Requests and answers pass it by.
 */
import { compileChart } from '../../actors/runtime/chart-compiler/compile-chart.ts'
import type { ChartInstance, CompiledChart } from '../../actors/runtime/compiled-chart.ts'
import { type Handled, isStarfishError, type StarfishError } from '../../messages/errors.ts'
import { backoffMs } from '../../supervisor/backoff.ts'
import { recordFailure } from './failure-record.ts'
import type { Link, LinkEnd, LinkOwner } from './link.ts'
import { closedError, connectError, lossError, sizeError } from './link-errors.ts'
import type { PendingRequest } from './pending-request.ts'
import { type Choosable, failuresAfter, type PlaceState, watchLeftMs } from './pool-decisions.ts'
import type { PooledServer, PoolPlane } from './pool-plane.ts'
import {
  type ConnectionFacts,
  type PooledConnectionContext,
  type PooledConnectionEvent,
  pooledConnectionMachine,
} from './pooled-connection-machine.ts'
import type { LostRequest } from './size-doubts.ts'

/** How long a connection that was told to end may take, ms. */
const drainTimeoutMs = 1_000

type PlaceContext = PooledConnectionContext<PooledConnection<PendingRequest>>

let compiled: CompiledChart<PlaceContext, PooledConnectionEvent> | undefined

/** The compiled chart of this thread. */
function connectionChart(): CompiledChart<PlaceContext, PooledConnectionEvent> {
  compiled ??= compileChart(chartSource) as unknown as CompiledChart<PlaceContext, PooledConnectionEvent>
  return compiled
}

/** Takes the timer of a connection's chart that is due. */
export function expirePooled(instance: ChartInstance, slot: number): void {
  ;(instance.scope as PooledConnection<PendingRequest>).expire(slot)
}

/** The record. */
export class PooledConnection<R extends PendingRequest> implements ConnectionFacts, LinkOwner<R>, Choosable {
  readonly server: PooledServer<R>
  readonly connectTimeoutMs: number
  readonly drainTimeoutMs = drainTimeoutMs
  readonly overloadPauseMs: number
  isUp = false
  isWary = false
  isPaused = false
  isClosing = false
  /** Chunks that came, as a mark of time. */
  heardCount = 0
  readonly #plane: PoolPlane<R>
  readonly #chart: ChartInstance<PlaceContext>
  #link: Link<R> | undefined
  /** A link that was given up in this step; its requests are settled after it. */
  #lost: Link<R> | undefined
  #end: LinkEnd | undefined
  /** The server ended it, and does not say why. */
  #isDropped = false
  #greeting: R | undefined
  /** It was greeted, and that was not answered, whichever way. */
  #isUnanswered = false
  /** The one request of its link has been sent. */
  #isSpent = false
  /** Answers that are owed and nobody waits for. */
  #abandoned = 0
  /** It is being given up for those. */
  #isCut = false
  #hasServed = false
  #wasUp = false
  #heardAtMs = 0
  #busySinceMs = 0

  constructor(server: PooledServer<R>, plane: PoolPlane<R>) {
    this.server = server
    this.#plane = plane
    this.connectTimeoutMs = plane.options.connectTimeoutMs
    this.overloadPauseMs = plane.options.overloadPauseMs
    this.#chart = connectionChart().create(this, plane.timers, this)
    connectionChart().start(this.#chart)
  }

  /** The state of its chart. */
  get state(): string {
    return connectionChart().configurations[this.#chart.configuration]!
  }

  get place(): PlaceState {
    const { state } = this
    if (state === 'idle') return 'idle'
    if (this.isUp) return 'up'
    return state === 'backingOff' || state.startsWith('connecting') ? 'trying' : 'other'
  }

  get inFlight(): number {
    return this.#link?.inFlight ?? 0
  }

  hasRoom(bytes: number): boolean {
    const link = this.#link!
    return !this.#isSpent && link.inFlight < this.#plane.options.inFlightMax && link.hasRoom(bytes)
  }

  /** It is up and has room. */
  send(request: R): void {
    const link = this.#link!
    if (link.inFlight === 0) this.#busySinceMs = this.#plane.clock.now()
    request.carrier = this
    request.heardBefore = this.heardCount
    this.#isSpent = this.#plane.wire.isOneShot === true
    link.send(request)
  }

  /** A request it was sent is over. */
  forget(request: R, isOverdue: boolean): void {
    this.#link?.forget(request)
    if (isOverdue && request.heardBefore === this.heardCount) this.isWary = true
    this.#abandoned++
    if (!this.#isCrowdedByAbandoned) return
    const link = this.#link
    // By then the request is over, and others that end with it.
    queueMicrotask(() => {
      if (this.#link === link && this.#isCrowdedByAbandoned) this.#cut()
    })
  }

  get #isCrowdedByAbandoned(): boolean {
    const live = this.inFlight - this.#abandoned
    return this.isUp && this.#abandoned > Math.max(this.#plane.abandonedMax, live)
  }

  /** The end of the connection is what tells the server that nobody waits. What is waited for goes another way. */
  #cut(): void {
    this.#isCut = true
    this.tell({ type: 'link.ended' })
    this.#isCut = false
  }

  tell(event: PooledConnectionEvent): void {
    connectionChart().step(this.#chart, event)
    this.#afterStep()
  }

  expire(slot: number): void {
    connectionChart().expire(this.#chart, slot)
    this.#afterStep()
  }

  // What the chart asks.

  watchLeftMs(): number {
    // One that is idle now may be silent by then.
    return Math.min(Math.max(1, Math.ceil(this.#watchLeftMs())), this.#plane.options.silenceTimeoutMs)
  }

  backoffMs(): number {
    const { options, random } = this.#plane
    const { backoffInitialMs: initialMs, backoffMaxMs: maxMs } = options
    return backoffMs({ initialMs, maxMs, factor: 2, jitter: 1 }, this.server.failures, random())
  }

  get isSilent(): boolean {
    return this.inFlight > 0 && this.#watchLeftMs() === 0
  }

  get isIdle(): boolean {
    return this.inFlight === 0 && this.#watchLeftMs() === 0
  }

  get mustBackOff(): boolean {
    const { failures, connections } = this.server
    return failures > 0 && !connections.some(other => other !== this && other.place === 'trying')
  }

  #watchLeftMs(): number {
    const { clock, options } = this.#plane
    return watchLeftMs({
      inFlight: this.inFlight,
      heardAtMs: this.#heardAtMs,
      busySinceMs: this.#busySinceMs,
      nowMs: clock.now(),
      idleTimeoutMs: options.idleTimeoutMs,
      silenceTimeoutMs: options.silenceTimeoutMs,
    })
  }

  // What its chart does.

  openLink(): void {
    this.#end = undefined
    this.#isDropped = false
    this.#hasServed = false
    this.#wasUp = false
    this.#isSpent = false
    this.#isUnanswered = false
    this.#abandoned = 0
    this.isWary = false
    try {
      this.#link = this.#plane.wire.dial(this.server.address, this)
      this.#plane.linkOpened()
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      queueMicrotask(() => this.ended({ reason, isClean: false, cause }))
    }
  }

  greet(): void {
    const link = this.#link
    if (this.#plane.wire.isOneShot) {
      queueMicrotask(() => {
        if (this.#link === link) this.tell({ type: 'greeting.answered' })
      })
      return
    }
    this.#greeting = this.#plane.wire.greeting()
    this.#isUnanswered = true
    this.#link!.send(this.#greeting)
  }

  admit(): void {
    this.isUp = true
    this.#wasUp = true
    this.#heardAtMs = this.#plane.clock.now()
    this.server.trouble = undefined
    this.server.isKnown = true
    this.server.strangeAnswers = 0
  }

  retire(): void {
    this.isUp = false
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  endLink(): void {
    this.#link?.end()
  }

  destroyLink(): void {
    this.#lost = this.#link
    this.#link = undefined
    this.#greeting = undefined
    this.#lost?.destroy()
  }

  judge(): void {
    const { server } = this
    if (this.#isCut) return
    const isClean = this.#end?.isClean === true && this.inFlight === 0
    server.failures = failuresAfter(server.failures, { hasServed: this.#hasServed, isClean })
    if (this.#wasUp && isClean) return
    const error = this.#wasUp
      ? this.#lossOf('what was asked', 'unknown')
      : connectError(server.name, this.#end, this.#isUnanswered ? this.#plane.wire.protocol : undefined)
    if (!this.#wasUp) {
      server.trouble = error
      server.sizes.wasAway()
      const isStrange = !server.isKnown && isStarfishError(this.#end?.cause, 'BAD_FRAME')
      server.strangeAnswers = isStrange ? server.strangeAnswers + 1 : 0
    }
    server.lastError = recordFailure(error, this.#plane.clock.now())
  }

  blameConnectTimeout(): void {
    this.#end = { reason: `no answer within ${this.connectTimeoutMs} ms`, isClean: false }
  }

  blameSilence(): void {
    this.#end = { reason: `nothing came for ${this.#plane.options.silenceTimeoutMs} ms`, isClean: false }
  }

  // What its link tells.

  opened(): void {
    this.tell({ type: 'link.opened' })
  }

  heard(): void {
    this.heardCount++
    this.#heardAtMs = this.#plane.clock.now()
  }

  answered<A>(request: PendingRequest<A> & R, answer: A): void {
    if (request === this.#greeting) {
      this.#greeting = undefined
      this.#isUnanswered = false
      this.tell({ type: 'greeting.answered' })
      return
    }
    this.#served(request, false)
    if (this.isPaused) this.tell({ type: 'server.served' })
    this.#plane.requests.succeed(request, answer)
    this.#endIfSpent()
  }

  failed(request: R, error: StarfishError): void {
    if (request === this.#greeting) {
      this.#greeting = undefined
      this.#isUnanswered = false
      // Any answer shows that somebody is there; this one that nobody is wanted.
      const isRefused = error.code === 'SERVER_OVERLOADED'
      if (isRefused) this.#end = { reason: error.message, isClean: false, cause: error }
      this.tell({ type: isRefused ? 'greeting.refused' : 'greeting.answered' })
      return
    }
    this.#served(request, error.retryable)
    const isOverloaded = error.code === 'SERVER_OVERLOADED'
    if (isOverloaded !== this.isPaused) this.tell({ type: isOverloaded ? 'server.overloaded' : 'server.served' })
    this.#plane.requests.fail(request, error)
    this.#endIfSpent()
  }

  refused(request: R, error: StarfishError): void {
    this.#plane.requests.fail(request, error)
  }

  settled(): void {
    if (this.isUp && this.#plane.requests.hasQueued) this.#plane.requests.pump()
  }

  emptied(): void {
    this.settled()
  }

  ended(why: LinkEnd): void {
    this.#isDropped = this.#end === undefined && !isStarfishError(why.cause)
    this.#end ??= why
    this.tell({ type: 'link.ended' })
  }

  released(): void {
    this.#plane.linkReleased()
  }

  /** Nothing more can be asked on it. */
  #endIfSpent(): void {
    if (this.#isSpent && this.isUp) this.tell({ type: 'connection.drain' })
  }

  #served({ stage, bytes }: PendingRequest, isWary: boolean): void {
    if (stage === 'over') this.#abandoned--
    this.server.sizes.answered(bytes)
    this.#hasServed = true
    this.isWary = isWary
    this.server.failures = 0
  }

  #afterStep(): void {
    const link = this.#lost
    this.#lost = undefined
    const lost: LostRequest<R>[] = []
    link?.drain((request, wasWritten) => void lost.push({ request, wasWritten }))
    const blamed = this.#wasUp && this.#isDropped ? this.server.sizes.blame(lost) : undefined
    for (const { request, wasWritten } of lost) this.#settleLost(request, wasWritten, request === blamed)
    this.#plane.changed(this)
  }

  #settleLost(request: R, wasWritten: boolean, isBlamed: boolean): void {
    const { wire, requests } = this.#plane
    if ((wire.onLoss === 'repeat' || this.#isCut) && !this.isClosing) requests.requeue(request)
    else if (isBlamed) requests.fail(request, sizeError(this.server.name, request))
    else if (wasWritten) requests.fail(request, this.#lossOf(request.describe(), 'unknown', request.doubt))
    else requests.fail(request, this.#lossOf(request.describe(), 'no'))
  }

  #lossOf(asked: string, handled: Handled, doubt?: string): StarfishError {
    if (this.isClosing) return closedError(this.server.name, this.#end, asked, handled)
    return lossError(this.server.name, this.#end, asked, handled, doubt)
  }
}

/** The chart with its actions. */
const chartSource = pooledConnectionMachine.provide({
  actions: {
    openLink: scope => recordOf(scope).openLink(),
    greet: scope => recordOf(scope).greet(),
    admit: scope => recordOf(scope).admit(),
    retire: scope => recordOf(scope).retire(),
    pause: scope => recordOf(scope).pause(),
    resume: scope => recordOf(scope).resume(),
    endLink: scope => recordOf(scope).endLink(),
    destroyLink: scope => recordOf(scope).destroyLink(),
    judge: scope => recordOf(scope).judge(),
    blameConnectTimeout: scope => recordOf(scope).blameConnectTimeout(),
    blameSilence: scope => recordOf(scope).blameSilence(),
  },
})

function recordOf({ context }: { readonly context: PooledConnectionContext }): PooledConnection<PendingRequest> {
  return context.connection as PooledConnection<PendingRequest>
}
