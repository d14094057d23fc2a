/**
 * The shards of a system, as the main thread keeps them: workers in slots, a warm spare, edges between all threads,
 * and the residents that each slot gets back after its worker was replaced.
 *
 *   slot i:  worker ── ending ──> lost (all threads told) ──> spare or new worker ── activate ──> residents start
 */
import { transfer } from 'comlink'
import type { ActorSpec } from '../../actors/runtime/child.ts'
import type { Clock } from '../../actors/runtime/clock.ts'
import { isStarfishError, StarfishError } from '../../messages/errors.ts'
import type { ExitReason } from '../../messages/thread/exit.ts'
import type { FactFilter, ShardEvent } from '../../messages/thread/fact.ts'
import type { KernelMessage } from '../../messages/thread/kernel-message.ts'
import { shardBudget } from '../child-spec.ts'
import { createBlackBox, readBlackBox } from '../kernel/black-box.ts'
import type { DeadLetterReport } from '../kernel/dead-letters.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Directory } from '../router/directory.ts'
import type { ThreadRouter } from '../router/thread-router.ts'
import type { ControlPlane } from './control-call.ts'
import { OwnSlots, type ShardsCommand } from './own-slots.ts'
import { Residents } from './residents.ts'
import { createSlot, renewUp, type Slot, upUnlessClosed } from './slot.ts'
import { Spares, type SparesOptions } from './spares.ts'
import { wire } from './wiring.ts'
import { within } from './within.ts'
import type { HostedWorker, WorkerEnd, WorkerHost } from './worker-host.ts'

/** How long the actors that were spawned on a shard may take, all together, when it is drained, ms. */
const stopTimeoutMs = 10_000

/** How long a spare waits for actors that take their time, ms: they wait for something else than the processor. */
const spareWaitsMs = 100

/** Options of a {@link ShardSet}, all filled in. */
export interface ShardSetOptions extends SparesOptions {
  readonly count: number
  /** What a slot is as a child of the supervisor of shards. */
  readonly childOf: (index: number) => ActorSpec
  readonly deadLettersMax: number
}

/** The supervisor of the shards, on the main thread. */
export const shardsSupervisor = '$shards'

/** The shards. */
export class ShardSet {
  readonly #kernel: Kernel
  readonly #router: ThreadRouter
  readonly #host: WorkerHost
  readonly #options: ShardSetOptions
  readonly #slots: Slot[]
  readonly #spares: Spares
  readonly #own: OwnSlots
  readonly residents: Residents
  #filters: readonly FactFilter[] = []
  #stopping = false
  /** Why no shard comes up any more. */
  #over: StarfishError | undefined
  /** A shard cannot be brought up again. */
  onFailed: (error: unknown) => void = () => {}
  /** A shard is about to be replaced or ended: settles when the actors that others look after have stopped. */
  onDraining: (shard: number) => Promise<void> = () => Promise.resolve()
  /** Settles when those actors live again on the next worker. */
  whenBack: (shard: number) => Promise<void> = () => Promise.resolve()
  /** A worker is gone. */
  onLost: (shard: number, incarnation: number, reason: ExitReason, lastEvents: readonly ShardEvent[]) => void = () => {}
  /** Addresses beside the residents that will be started again on a shard. */
  expectedOn: (shard: number) => Iterable<string> = () => []
  /** How many those are. */
  childrenOn: (shard: number) => number = () => 0

  constructor(kernel: Kernel, router: ThreadRouter, directory: Directory, host: WorkerHost, options: ShardSetOptions) {
    this.#kernel = kernel
    this.#router = router
    this.#host = host
    this.#options = options
    const slots = Array.from({ length: options.count }, (_, index) => createSlot(index))
    const spares = new Spares(host, options)
    this.#slots = slots
    this.#spares = spares
    this.#own = new OwnSlots(
      slots,
      index => options.childOf(index),
      command => this.#commandOwn(command),
    )
    this.residents = new Residents({
      slots,
      spares,
      directory,
      router,
      checkpoints: kernel.checkpoints,
      logger: options.logger,
    })
  }

  /** Begins to load a worker for each slot, side by side. */
  prestart(): void {
    for (let i = 0; i < this.count; i++) this.#spares.prestart()
  }

  /** Shards of the system. Behind them are those that actors have of their own. */
  get count(): number {
    return this.#options.count
  }

  /** Those that have a worker, or are to get one. */
  open(): number[] {
    return this.#slots.filter(({ isOpen }) => isOpen).map(({ index }) => index)
  }

  /** A new shard for one actor, or tree, alone. It is there until {@link ShardSet.release}. */
  openOwn(): number {
    return this.#own.open()
  }

  /** Whether a shard was opened so. */
  isOwn(shard: number): boolean {
    return shard >= this.count
  }

  /** Ends such a shard, on which nobody has a place any more. */
  release(shard: number): void {
    this.#own.close(shard)
  }

  /** The shard of the system with the fewest residents, and children of supervisors that live elsewhere. */
  leastLoaded(): number {
    let least = { index: 0, load: Number.POSITIVE_INFINITY }
    for (const { index, residents } of this.#slots.slice(0, this.count)) {
      const load = residents.size + this.childrenOn(index)
      if (load < least.load) least = { index, load }
    }
    return least.index
  }

  /** Counts the workers of a shard, from 1. */
  incarnation(shard: number): number {
    return this.#slots[shard]?.incarnation ?? 0
  }

  /** The shard that a worker is, if it is one and not a spare. */
  shardOf(worker: HostedWorker): number | undefined {
    return this.#slots.find(slot => slot.worker === worker)?.index
  }

  /** The worker of a shard, if it has one. */
  worker(shard: number): HostedWorker | undefined {
    return this.#slots[shard]?.worker
  }

  /** The control plane of a shard, once it is up. Rejects when the system stops, or fails, first; or when it was some actor's own, and closes. */
  control(shard: number): Promise<ControlPlane> {
    return this.#slots[shard]!.up.promise
  }

  /** As {@link ShardSet.control}; undefined for a shard that was some actor's own, and closes first. */
  controlUnlessClosed(shard: number): Promise<ControlPlane | undefined> {
    return upUnlessClosed(this.#slots[shard]!)
  }

  /** The control planes of the shards that are up now. */
  controls(): ControlPlane[] {
    return this.#slots.flatMap(({ control }) => (control === undefined ? [] : [control]))
  }

  /** Says something to the kernels of all shards that are up; what they shall forget this thread forgets too. */
  broadcast(message: KernelMessage): void {
    if (message.type === 'kernel.forget') this.#router.forget(message.address)
    for (const { index, control } of this.#slots) if (control !== undefined) this.#router.postToKernel(index, message)
  }

  /** Sets what facts the shards send, those of later workers included. */
  async setFilters(filters: readonly FactFilter[]): Promise<void> {
    this.#filters = filters
    await Promise.allSettled(this.controls().map(control => control.call('setFilters', [filters])))
  }

  /**
   * Brings a slot up: a worker is activated, connected, and begins to start the slot's residents; what comes for them
   * waits until they are there. Answers the worker. Rejects, with the worker ended and told as lost, when it fails first.
   */
  async bringUp(shard: number): Promise<HostedWorker> {
    const slot = this.#slots[shard]!
    if (slot.worker !== undefined) await this.#endAndTell(slot, slot.worker, { type: 'killed' })
    if (this.#stopping) throw stoppingError()
    const { worker, control } = this.#spares.take()
    control.shard = shard
    slot.worker = worker
    slot.incarnation++
    this.#tellShard(slot, 'starting')
    try {
      await worker.loaded
      if (this.#stopping) throw stoppingError()
      const activated = this.#activate(slot, control)
      slot.residentsUp = this.residents.comeBack(slot, control)
      void this.#keepSpare(slot.residentsUp)
      await activated
      slot.up.resolve(control)
      slot.isUp = true
    } catch (error) {
      await this.#endAndTell(slot, worker, { type: 'bootstrapFailed', error })
      throw error
    }
    this.#tellShard(slot, 'up')
    return worker
  }

  async #endAndTell(slot: Slot, worker: HostedWorker, reason: ExitReason): Promise<void> {
    await worker.terminate(reason)
    this.noteLost(slot.index, worker, await worker.ended)
  }

  /** The worker of a slot is gone: everyone is told, and what was asked of the slot waits for its next worker. */
  noteLost(shard: number, worker: HostedWorker, { reason, zombie }: WorkerEnd): void {
    const slot = this.#slots[shard]!
    if (slot.worker !== worker) return
    const { incarnation } = slot
    const lastEvents = slot.blackBox === undefined ? [] : readBlackBox(slot.blackBox)
    slot.worker = undefined
    slot.control = undefined
    slot.blackBox = undefined
    slot.lostReason = reason
    if (slot.isUp) renewUp(slot)
    if (this.#over !== undefined) slot.up.reject(this.#over)
    this.#tellShard(slot, reason.type === 'shutdown' ? 'stopped' : 'lost', reason, lastEvents)
    if (zombie) this.#tellZombie(slot, reason)
    this.#router.lost(shard, incarnation, reason, lastEvents)
    this.broadcast({ type: 'kernel.shardLost', shard, incarnation, reason, lastEvents })
    this.onLost(shard, incarnation, reason, lastEvents)
  }

  /** Ends the worker of a slot, if it has one. */
  async endWorker(shard: number): Promise<void> {
    await this.#slots[shard]?.worker?.terminate({ type: 'killed' })
  }

  /** The shards will not come back: what waits for one of them is told so. */
  fail(error: StarfishError): void {
    this.#comeNoMore(error)
    this.#router.close('SHARD_DIED')
  }

  #comeNoMore(error: StarfishError): void {
    this.#over ??= error
    for (const slot of this.#slots) slot.up.reject(this.#over)
  }

  /** Stops the actors of a shard, each by its own shutdown, then its worker. What is sent to them meanwhile waits. */
  async drain(shard: number): Promise<void> {
    const { control, worker } = this.#slots[shard]!
    this.#router.drain(shard)
    this.broadcast({ type: 'kernel.shardDraining', shard })
    await this.onDraining(shard)
    const deadLetters = control === undefined ? undefined : await stopActors(control, this.#kernel.clock)
    const isStuck = control !== undefined && deadLetters === undefined
    await worker?.terminate({ type: isStuck ? 'killed' : 'shutdown' })
    if (deadLetters !== undefined) this.#kernel.deadLetters.adopt(deadLetters)
  }

  /**
   * Replaces the worker of a shard: it drains, ends, and is up again, its actors too, when this settles. Rejects with
   * SHUTTING_DOWN when the system stops first, and with why it failed when it does.
   */
  replace(shard: number): Promise<void> {
    const slot = this.#slots[shard]!
    // One that is not open any more need not be.
    if (!slot.isOpen) return Promise.resolve()
    const replaced = this.#replace(slot)
    const settled = replaced
      .catch(() => {})
      .finally(() => {
        if (slot.replacing === settled) slot.replacing = undefined
      })
    slot.replacing = settled
    return replaced
  }

  async #replace(slot: Slot): Promise<void> {
    const { index: shard } = slot
    if ((await upUnlessClosed(slot)) === undefined) return
    try {
      // By command, as it is no failure: the restart budget is not touched.
      await this.#command({ type: 'supervisor.terminateChild', id: `${shard}` })
      await this.#startAgain(shard)
    } catch (error) {
      throw this.#stopping ? stoppingError(error) : (this.#over ?? error)
    }
    await this.control(shard)
    await Promise.all([slot.residentsUp, this.whenBack(shard)])
  }

  async #startAgain(shard: number): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#command({ type: 'supervisor.restartChild', id: `${shard}` })
        return
      } catch (error) {
        // Somebody else replaces it too, and was first.
        if (isStarfishError(error, 'CHILD_RUNNING') || isStarfishError(error, 'CHILD_RESTARTING')) return
        if (this.#stopping || this.#over !== undefined || isStarfishError(error, 'SHUTTING_DOWN')) throw error
        if (attempt <= shardBudget.intensity) continue
        // As a shard that fails by itself so often would.
        this.onFailed(error)
        throw error
      }
    }
  }

  #command(command: ShardsCommand): Promise<unknown> {
    return this.#kernel.ask(null, shardsSupervisor, command, { timeoutMs: 2_147_483_647 })
  }

  async #commandOwn(command: ShardsCommand): Promise<unknown> {
    try {
      return await this.#command(command)
    } catch (error) {
      throw this.#stopping ? stoppingError(error) : (this.#over ?? error)
    }
  }

  /** Brings up no worker any more; one that is being loaded for a slot ends. Those that serve are not touched. */
  startNoMore(): void {
    this.#stopping = true
    this.#spares.keepNoMore()
    for (const { worker, control } of this.#slots) {
      if (control === undefined) void worker?.terminate({ type: 'shutdown' })
    }
  }

  /** Ends what is left: the spare, and workers that did not stop. */
  async close(): Promise<void> {
    this.startNoMore()
    this.#comeNoMore(stoppingError())
    await this.#host.close()
    this.#router.close()
  }

  /** Posts all that makes a shard of a worker; settles when the worker has taken it. */
  #activate(slot: Slot, control: ControlPlane): Promise<true> {
    const wiring = wire(slot, this.#slots, this.#kernel.incarnation)
    slot.blackBox = createBlackBox()
    const activation = {
      shard: slot.index,
      incarnation: slot.incarnation,
      seed: Math.floor(this.#kernel.random() * 2 ** 32),
      peers: wiring.peers,
      groups: this.#kernel.groups.table(),
      filters: this.#filters,
      deadLettersMax: this.#options.deadLettersMax,
      blackBox: slot.blackBox,
      expected: [...slot.residents.keys(), ...this.expectedOn(slot.index)],
    }
    const activated = control.call('activate', [transfer(activation, [...wiring.ports])])
    // All at once, so that nothing is told between the copy of a table and the way on which its changes travel.
    slot.control = control
    this.#router.connect(slot.index, slot.incarnation, wiring.main)
    wiring.connectOthers()
    return activated
  }

  /** As long as a shard waits for its own worker none is loaded to stand by; nor while actors come back, who need the cores. */
  async #keepSpare(back: Promise<void>): Promise<void> {
    await within(this.#kernel.clock, back, spareWaitsMs)
    if (this.#slots.every(({ isOpen, control }) => !isOpen || control !== undefined)) this.#spares.keep()
  }

  /** A native call cannot be interrupted: the thread is fenced off, and holds its memory until the call returns. */
  #tellZombie(slot: Slot, reason: ExitReason): void {
    this.#kernel.log.error({ shard: slot.index, reason: reason.type }, 'the thread of a lost shard does not end')
    this.#tellShard(slot, 'zombie', reason)
  }

  #tellShard(
    slot: Slot,
    state: 'starting' | 'up' | 'lost' | 'zombie' | 'stopped',
    reason?: ExitReason,
    lastEvents?: readonly ShardEvent[],
  ): void {
    this.#kernel.facts.add({
      kind: 'shard',
      address: `shard/${slot.index}`,
      incarnation: slot.incarnation,
      state,
      ...(reason === undefined ? {} : { reason }),
      ...(lastEvents === undefined ? {} : { lastEvents }),
    })
  }
}

/** Stops what was spawned on a shard; its dead letters, or undefined when it has not stopped in time. */
function stopActors(control: ControlPlane, clock: Clock): Promise<DeadLetterReport | undefined> {
  const stopped = control.call('stop', [], Number.POSITIVE_INFINITY).then(() => control.call('deadLetters', []))
  const deadLetters = stopped.catch(() => undefined)
  return within(clock, deadLetters, stopTimeoutMs)
}

function stoppingError(cause?: unknown): StarfishError {
  return new StarfishError('SHUTTING_DOWN', 'the system is stopping', { cause })
}
