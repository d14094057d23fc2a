/**
 * The kernel of one thread: the actors that live there, their mailboxes and turns, and the way of every message.
 *
 *   post ─> here?  yes ─> deliver ─> mailbox ─> dispatcher ─> engine.step ─> reply | send | end
 *                  no ──> router ──> edge to the thread where the address lives
 *
 * The main thread and every shard run this same kernel; a system without shards is this kernel alone.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { ActorEvent, AskOptions } from '../../actors/runtime/actor-runtime.ts'
import type { Clock, Random } from '../../actors/runtime/clock.ts'
import type { ReplyToken } from '../../actors/runtime/runtime-actions.ts'
import type { Handled, StarfishError } from '../../messages/errors.ts'
import type { ChildFact } from '../../messages/thread/child-fact.ts'
import { createEnvelope, type Envelope, type Refusal } from '../../messages/thread/envelope.ts'
import type { NamedCodec } from '../../messages/thread/event-codec.ts'
import type { ActorExit } from '../../messages/thread/exit.ts'
import type { DeadLetter, Fact, FactFilter } from '../../messages/thread/fact.ts'
import { type KernelMessage, kernelAddress } from '../../messages/thread/kernel-message.ts'
import { decodeKernelMessage } from '../../messages/thread/kernel-message-codec.ts'
import type { ChildHost } from '../child-host.ts'
import { createCodecRegistry } from '../router/edge/codec-registry.ts'
import { Asks, type Outcome } from './asks.ts'
import type { BlackBoxWriter } from './black-box.ts'
import { type ActorCell, actorStorage, createTurnScope, Turn } from './cell.ts'
import { Checkpoints } from './checkpoints.ts'
import { DeadLetters } from './dead-letters.ts'
import { refusalError } from './delivery-errors.ts'
import { Dispatcher } from './dispatcher.ts'
import type { ActorEntry } from './entry.ts'
import { Expected, isWithin } from './expected.ts'
import { FactStream } from './facts.ts'
import { Groups } from './groups.ts'
import { handleMessage } from './handle-message.ts'
import { Hosts } from './hosts.ts'
import { Incarnations } from './incarnations.ts'
import { createKernelChildHost, type RemoteChildren } from './kernel-child-host.ts'
import { createKernelLog, type KernelLog, type KernelLogger } from './kernel-log.ts'
import { Lifecycle } from './lifecycle.ts'
import type { Mailbox } from './mailbox.ts'
import { TickClock } from './tick-clock.ts'
import { type ExitListener, noprocExit, Watches } from './watches.ts'
import { topAddress } from './well-known.ts'

/** How messages leave a thread; a system without shards has none. */
export interface Router {
  /** Takes a message for an address that is not of this thread. */
  post(envelope: Envelope): void
  /** Takes a message for the kernel of that shard. */
  postToKernel(shard: number, message: KernelMessage): void
  /** Asks the thread of that address to tell of its end, or no longer to. */
  watch(address: string, on: boolean): void
  /** Answers a request that came from another thread; `atOnce` when nothing is gained by waiting for others. */
  reply(token: ReplyToken, outcome: Outcome, atOnce: boolean): void
  /** A request to another thread is no longer wanted: unless it has begun it never will. */
  giveUp(envelope: Envelope): Handled
  /** A watched address of another thread has ended, and that was told. */
  watchEnded(address: string): void
}

/** What a kernel is made of. */
export interface KernelOptions {
  /** Index of the shard, -1 for the main thread. */
  readonly shard: number
  /** Counts the workers of the shard, from 1. */
  readonly incarnation: number
  readonly clock: Clock
  readonly random: Random
  readonly logger: KernelLogger
  readonly deadLettersMax: number
  readonly onFact: (fact: Fact) => void
  /** Where a shard notes its last events, for those who are there after its death. */
  readonly blackBox?: BlackBoxWriter
}

/** The kernel of a thread. */
export class Kernel {
  readonly shard: number
  readonly incarnation: number
  readonly clock: Clock
  readonly random: Random
  /** The user's logger; actors have theirs from it. */
  readonly logger: KernelLogger
  readonly log: KernelLog
  readonly blackBox: BlackBoxWriter | undefined
  /** What this thread can read of binary events; told to the others. */
  readonly codecs = createCodecRegistry()
  readonly entries = new Map<string, ActorEntry>()
  readonly incarnations = new Incarnations(this.entries)
  /** Actors inside actors. */
  readonly hosts = new Hosts(this)
  /** Addresses that are about to start here. */
  readonly expected = new Expected()
  readonly asks: Asks
  readonly watches = new Watches(1_000)
  readonly groups = new Groups()
  /** Of this thread's actors; on the main thread of those of the shards too, whose own copies die with them. */
  readonly checkpoints = new Checkpoints()
  readonly facts: FactStream
  readonly deadLetters: DeadLetters
  readonly lifecycle: Lifecycle
  readonly #time: TickClock
  /** The turns of its actors. */
  readonly turns: Dispatcher
  /** Runs code outside of whatever context the caller is in: actors do not inherit that of who woke them first. */
  readonly #outside = AsyncLocalStorage.snapshot()
  #router: Router | undefined
  /** Children of this thread's supervisors that live on others; set on the main thread. */
  remoteChildren: RemoteChildren | undefined
  /** Hears of the starts and ends of the supervisors that have none above them. */
  onTopFact: (fact: ChildFact) => void = () => {}
  /** Handles what kernels say to each other; set by those who compose the system. */
  onKernelMessage: (message: KernelMessage) => void = () => {}
  /** A fault injector's look at each message that leaves an actor of this thread; true when it keeps it. None as a rule. */
  intercept: ((envelope: Envelope) => boolean) | undefined

  constructor(options: KernelOptions) {
    this.shard = options.shard
    this.incarnation = options.incarnation
    this.clock = options.clock
    this.random = options.random
    this.logger = options.logger
    this.log = createKernelLog(options.logger)
    this.blackBox = options.blackBox
    this.asks = new Asks(options.clock, options.shard < 0, envelope => this.#router?.giveUp(envelope) ?? 'no')
    this.facts = new FactStream(options.shard, () => this.clock.now(), options.onFact)
    this.deadLetters = new DeadLetters(options.deadLettersMax, letter => {
      this.facts.add({ kind: 'deadLetter', address: letter.to, letter })
    })
    this.lifecycle = new Lifecycle(this)
    this.#time = new TickClock(options.clock)
    this.turns = new Dispatcher(this.#time, (cell, messages, nowMs) => {
      cell.turnScope ??= this.#outside(createTurnScope, cell)
      return cell.turnScope.runInAsyncScope(this.#takeTurn, undefined, cell, messages, nowMs)
    })
  }

  /** Gives the kernel its way to other threads. */
  setRouter(router: Router): void {
    this.#router = router
  }

  /** Milliseconds since this kernel began. */
  get uptimeMs(): number {
    return this.clock.now() - this.#time.startedAtMs
  }

  /** An address that was {@link Expected} has started, with all below it, or will not: what still waits is settled. */
  expectNoMore(top: string): void {
    if (!this.expected.has(top)) return
    for (const envelope of this.expected.release(top)) {
      const admission = this.deliver(envelope)
      if (admission !== 'admitted') this.dropAdmitted(envelope, admission)
    }
    for (const address of this.watches.addresses()) {
      if (isWithin(address, top) && !this.entries.has(address)) this.tellNoproc(address)
    }
  }

  /** Sets which facts of this thread are wanted. */
  setFilters(filters: readonly FactFilter[]): void {
    const wanted = this.facts.wants('action')
    this.facts.setFilters(filters)
    if (this.facts.wants('action') === wanted) return
    for (const { cell } of this.entries.values()) cell?.engine?.observeActions(!wanted)
  }

  /** The host through which a supervisor of this thread reaches its children. */
  createChildHost(cell: ActorCell): ChildHost {
    return createKernelChildHost(this, cell, this.remoteChildren)
  }

  /** Sends an event to an address. What cannot be delivered becomes a dead letter. */
  send(
    from: string | null,
    to: string,
    event: ActorEvent,
    lane: Envelope['lane'] = 'normal',
    codec?: NamedCodec,
  ): void {
    this.post(createEnvelope({ from, to, event, lane, codec }))
  }

  /** Sends a request of an actor of this thread, or of none, to an address; settles always. */
  ask(
    asker: ActorCell | null,
    to: string,
    event: ActorEvent,
    options: AskOptions,
    codec?: NamedCodec,
  ): Promise<unknown> {
    return this.asks.open(asker, { to, event, codec }, options, this.#post)
  }

  /** Puts a message on its way. */
  post(envelope: Envelope): void {
    if (this.intercept?.(envelope) !== true) this.route(envelope)
  }

  /** As {@link post}, past the interceptor: for a message that it held back. */
  route(envelope: Envelope): void {
    if (this.#isHere(envelope.to)) this.#deliverHere(envelope)
    else if (envelope.to === kernelAddress) this.onKernelMessage(envelope.event as KernelMessage)
    else if (envelope.to === topAddress) this.onTopFact(envelope.event as ChildFact)
    else if (this.#router === undefined) this.refuse(envelope, 'NO_SUCH_ACTOR')
    else this.#router.post(envelope)
  }

  /** Says something to the kernel of another thread, or to this one. */
  tellKernel(shard: number, message: KernelMessage): void {
    if (shard === this.shard || this.#router === undefined) this.onKernelMessage(message)
    else this.#router.postToKernel(shard, message)
  }

  /**
   * Admits a message to the mailbox of an address of this thread, or says why not. `known[place]` remembers the mailbox
   * that the address led to: as long as that has a cell, it still does.
   */
  deliver(envelope: Envelope, known?: (object | undefined)[], place = 0): 'admitted' | Refusal {
    const mailbox = known?.[place] as Mailbox | undefined
    if (mailbox?.cell !== undefined) return this.#admit(mailbox.cell, mailbox, envelope)
    return this.#deliverTo(envelope, known, place)
  }

  #deliverTo(envelope: Envelope, known: (object | undefined)[] | undefined, place: number): 'admitted' | Refusal {
    if (envelope.to === kernelAddress) {
      envelope.receipts.start(envelope.token)
      this.onKernelMessage(decodeKernelMessage(envelope.event as KernelMessage))
      envelope.receipts.finish(envelope.token)
      return 'admitted'
    }
    const entry = this.entries.get(envelope.to)
    if (entry === undefined) {
      return this.hosts.covers(envelope.to) ? this.hosts.deliver(envelope) : this.expected.hold(envelope)
    }
    const { cell } = entry
    if (cell !== undefined && !cell.ended) {
      if (known !== undefined) known[place] = cell.mailbox
      return this.#admit(cell, cell.mailbox, envelope)
    }
    if (envelope.toIncarnation !== 0 && envelope.toIncarnation !== entry.incarnation) return 'ACTOR_DIED'
    if (entry.held.size >= entry.heldMax) return 'MAILBOX_FULL'
    entry.held.push(envelope)
    return 'admitted'
  }

  #admit(cell: ActorCell, mailbox: Mailbox, envelope: Envelope): 'admitted' | Refusal {
    if (envelope.toIncarnation !== 0 && envelope.toIncarnation !== cell.incarnation) return 'ACTOR_DIED'
    const rejected = mailbox.put(envelope)
    if (rejected === envelope) return 'MAILBOX_FULL'
    envelope.admittedAtMs = this.#time.elapsedMs()
    if (rejected !== undefined) this.dropAdmitted(rejected, 'MAILBOX_FULL')
    this.turns.wake(cell)
    return 'admitted'
  }

  /** Lets a cell that has mail take its turn. */
  wake(cell: ActorCell): void {
    if (cell.mailbox.ready > 0) this.turns.wake(cell)
  }

  /** Answers a request, wherever its asker is; `atOnce` when it is known that this thread has no more to say just now. */
  reply(token: ReplyToken, outcome: Outcome, atOnce = false): void {
    if (token.shard !== this.shard) this.#router?.reply(token, outcome, atOnce)
    else if (token.shardIncarnation === this.incarnation) this.asks.settle(token.requestId, outcome)
  }

  /** The right to answer a message that was asked. */
  tokenOf(envelope: Envelope): ReplyToken | undefined {
    if (envelope.requestId === 0) return undefined
    const { shard, incarnation } = envelope.receipts.origin ?? this
    return { requestId: envelope.requestId, shard, shardIncarnation: incarnation }
  }

  /** Settles a message of this thread that will not be handled: its asker is told, or it becomes a dead letter. */
  refuse(envelope: Envelope, reason: Refusal, cause?: unknown): void {
    const { requestId } = envelope
    if (requestId !== 0) {
      if (reason === 'ASK_TIMEOUT') this.asks.timeOut(requestId)
      else this.asks.settle(requestId, { ok: false, error: refusalError(envelope, reason, cause) })
      return
    }
    if (envelope.to === kernelAddress) return
    this.addDeadLetter(envelope, reason === 'ACTOR_DIED' ? 'unprocessed' : 'refused', reason)
  }

  /** Settles a message that was in a mailbox and will not be handled, wherever it came from. */
  dropAdmitted(envelope: Envelope, reason: Refusal, error?: StarfishError): void {
    if (envelope.receipts.origin === undefined) {
      if (error !== undefined && envelope.requestId !== 0) {
        this.asks.settle(envelope.requestId, { ok: false, error })
      } else this.refuse(envelope, reason)
      return
    }
    const token = error === undefined ? undefined : this.tokenOf(envelope)
    if (token !== undefined) this.reply(token, { ok: false, error })
    envelope.receipts.refuse(envelope.token, reason)
  }

  /** Lists and counts a message that reached nobody. */
  addDeadLetter(envelope: Envelope, fate: DeadLetter['fate'], reason: string): void {
    const { to, from, event } = envelope
    this.deadLetters.add({ to, from, type: event.type, atMs: this.clock.now(), fate, reason })
  }

  /**
   * Calls `listener` once, when that actor ends; soon when it has ended. A function is a watch of its own for each address,
   * and only once for the same.
   */
  watch(address: string, listener: ExitListener): void {
    if (this.#isHere(address) || this.#router === undefined) this.watchHere(address, listener)
    else if (this.watches.add(address, listener)) this.#router.watch(address, true)
  }

  /** As {@link watch}, for an address that lives on this thread if it lives at all. */
  watchHere(address: string, listener: ExitListener): void {
    const entry = this.entries.get(address)
    const lives = entry?.cell !== undefined || entry?.state === 'starting' || this.hosts.has(address)
    if (lives || this.expected.covers(address)) {
      this.watches.add(address, listener)
      this.facts.add({ kind: 'link', address, peer: `shard/${this.shard}`, link: 'watch', up: true })
      return
    }
    const exit = this.watches.lastExit(address) ?? noprocExit(address, this.clock.now())
    this.watches.tellSoon(address, listener, exit)
  }

  /** Takes back a watch. */
  unwatch(address: string, listener: ExitListener): void {
    if (this.watches.remove(address, listener) && !this.#isHere(address)) this.#router?.watch(address, false)
  }

  /** True for what lives, or is about to live, on this thread. */
  #isHere(address: string): boolean {
    return this.entries.has(address) || this.hosts.covers(address) || this.expected.covers(address)
  }

  /** Tells the watchers of this thread of an exit. */
  tellExit(exit: ActorExit): void {
    this.#router?.watchEnded(exit.address)
    this.watches.tell(exit)
  }

  /** Joins or leaves a group; the main thread orders the changes of all threads. */
  changeGroup(group: string, address: string, joined: boolean): void {
    this.tellKernel(-1, { type: 'kernel.group', group, address, joined })
  }

  /** Tells the watchers of this thread that no actor has that address. */
  tellNoproc(address: string): void {
    this.tellExit(this.watches.lastExit(address) ?? noprocExit(address, this.clock.now()))
  }

  /**
   * Fails the actor in whose name the running code threw; false when it was none of this kernel's. What an incarnation
   * that is over left behind (a promise, a timer) can fail nobody any more: it is logged.
   */
  failCurrent(error: unknown, type: 'threw' | 'unhandledRejection'): boolean {
    const cell = actorStorage.getStore()
    if (cell === undefined || cell.kernel !== this) return false
    if (cell.ended) {
      const { address } = cell.entry
      this.log.warn({ actor: address, incarnation: cell.incarnation, err: error }, 'an ended actor failed once more')
    } else this.lifecycle.end(cell, { type, error })
    return true
  }

  /** Runs code in the name of an actor: what it throws costs that actor. */
  runAs(cell: ActorCell, work: () => void): void {
    try {
      actorStorage.run(cell, work)
    } catch (error) {
      this.lifecycle.end(cell, { type: 'threw', error })
    }
  }
  readonly #post = (envelope: Envelope): void => this.post(envelope)

  #deliverHere(envelope: Envelope): void {
    const admission = this.deliver(envelope)
    if (admission !== 'admitted') this.refuse(envelope, admission)
  }

  readonly #takeTurn = (cell: ActorCell, messages: number, nowMs: number): number => {
    let taken = 0
    const turn = new Turn(nowMs)
    cell.turn = turn
    while (taken < messages && !cell.ended && cell.pauses === 0) {
      const envelope = cell.mailbox.take()
      if (envelope === undefined) break
      taken++
      handleMessage(this, cell, turn, envelope)
    }
    cell.turn = undefined
    return taken
  }
}
