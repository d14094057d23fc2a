/**
 * The shards of a system, as the main thread keeps them: workers in slots, a warm spare, edges between all threads,
 * and the residents that each slot gets back after its worker was replaced.
 *
 *   slot i:  worker ── ending ──> lost (all threads told) ──> spare or new worker ── activate ──> residents start
 */
import { MessageChannel } from 'node:worker_threads'
import { transfer } from 'comlink'
import type { Logger } from 'pino'
import type { ActorEvent } from '../../actors/runtime/actor-runtime.ts'
import { isStarfishError, StarfishError } from '../../messages/errors.ts'
import type { ExitReason } from '../../messages/thread/exit.ts'
import { encodeExitReason } from '../../messages/thread/exit-codec.ts'
import type { FactFilter, ShardEvent } from '../../messages/thread/fact.ts'
import type { KernelMessage } from '../../messages/thread/kernel-message.ts'
import { type ResolvedActorSpec, type ResolvedSupervisorSpec, spawnBudget } from '../child-spec.ts'
import { createBlackBox, readBlackBox } from '../kernel/black-box.ts'
import { clonableSpec } from '../kernel/boot-kernel.ts'
import type { DeadLetterReport } from '../kernel/dead-letters.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Directory } from '../router/directory.ts'
import type { ThreadRouter } from '../router/thread-router.ts'
import { type ControlPlane, createControlPlane } from './control-call.ts'
import { moduleUrlOf } from './module-url.ts'
import type { ShardBootstrap } from './run-shard.ts'
import type { PeerEnds, Resident } from './shard-control.ts'
import { createEnds, createSlot, type Slot } from './slot.ts'
import type { HostedWorker, WorkerEnd, WorkerHost } from './worker-host.ts'

/** Options of a {@link ShardSet}, all filled in. */
export interface ShardSetOptions {
  readonly count: number
  readonly heapMb: number | undefined
  readonly loadTimeoutMs: number
  readonly logger: Logger
  readonly deadLettersMax: number
  readonly relog: (line: string) => void
}

/** The supervisor of the shards, on the main thread. */
export const shardsSupervisor = '$shards'

/** How often a planned replacement is tried. */
const replaceAttempts = 3

/** The shards. */
export class ShardSet {
  readonly #kernel: Kernel
  readonly #router: ThreadRouter
  readonly #directory: Directory
  readonly #host: WorkerHost
  readonly #options: ShardSetOptions
  readonly #slots: Slot[]
  /** Loaded, empty workers; at start one for each slot, later one that stands by. */
  #spares: HostedWorker[] = []
  #filters: readonly FactFilter[] = []
  #stopping = false
  #generation = 0
  #workerCount = 0
  #failure: StarfishError | undefined
  /** A worker is gone. */
  onLost: (shard: number, incarnation: number, reason: ExitReason, lastEvents: readonly ShardEvent[]) => void = () => {}
  /** An address of a shard will not come back. */
  onGivenUp: (address: string) => void = () => {}
  /** Addresses beside the residents that will be started again on a shard. */
  expectedOn: (shard: number) => Iterable<string> = () => []

  constructor(kernel: Kernel, router: ThreadRouter, directory: Directory, host: WorkerHost, options: ShardSetOptions) {
    this.#kernel = kernel
    this.#router = router
    this.#directory = directory
    this.#host = host
    this.#options = options
    this.#slots = Array.from({ length: options.count }, (_, index) => createSlot(index))
    for (const slot of this.#slots) slot.up.promise.catch(() => {})
  }

  /** Begins to load a worker for each slot, side by side. */
  prestart(): void {
    for (let i = 0; i < this.#slots.length; i++) this.#addSpare()
  }

  get count(): number {
    return this.#slots.length
  }

  /** The slot with the fewest residents. */
  leastLoaded(): number {
    let least = this.#slots[0]!
    for (const slot of this.#slots) if (slot.residents.size < least.residents.size) least = slot
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

  /** The control plane of a shard, once it is up. Rejects when the system stops first. */
  control(shard: number): Promise<ControlPlane> {
    return this.#slots[shard]!.up.promise
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
    if (this.#stopping) throw new StarfishError('SHUTTING_DOWN', 'the system is stopping')
    const worker = this.#spares.shift() ?? this.#startWorker()
    slot.worker = worker
    slot.incarnation++
    this.#tellShard(slot, 'starting')
    try {
      await worker.loaded
      const control = createControlPlane(worker)
      await this.#activate(slot, control)
      slot.residentsUp = this.#startResidents(slot, control)
      slot.up.resolve(control)
    } catch (error) {
      await this.#endAndTell(slot, worker, { type: 'bootstrapFailed', error })
      throw error
    }
    this.#tellShard(slot, 'up')
    this.#keepSpare()
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
    slot.up = Promise.withResolvers<ControlPlane>()
    slot.up.promise.catch(() => {})
    if (this.#failure !== undefined) slot.up.reject(this.#failure)
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
    this.#failure = error
    for (const slot of this.#slots) slot.up.reject(error)
  }

  /** Starts a top-level actor or tree on a shard; it comes back with the shard until it ends for good. */
  async startResident(shard: number, spec: ResolvedActorSpec | ResolvedSupervisorSpec): Promise<'started' | 'ignored'> {
    const slot = this.#slots[shard]!
    const control = await slot.up.promise
    const resident: Resident = { spec: clonableSpec(spec), generation: ++this.#generation, incarnation: 0 }
    slot.residents.set(spec.id, resident)
    try {
      return await control.call('startResident', [resident], Number.POSITIVE_INFINITY)
    } catch (error) {
      slot.residents.delete(spec.id)
      throw error
    }
  }

  /** Stops a top-level actor or tree, by its own shutdown; it has stopped as well when its shard dies meanwhile. */
  async stopResident(shard: number, address: string): Promise<void> {
    await this.#router.sync(shard)
    const control = await this.control(shard)
    this.#slots[shard]!.residents.delete(address)
    try {
      await control.call('stopResident', [address], Number.POSITIVE_INFINITY)
    } catch (error) {
      if (!isStarfishError(error, 'SHARD_DIED')) throw error
    }
  }

  /** A top-level actor ended for good; false when that was an earlier one of that address. */
  removeResident(address: string, generation: number): boolean {
    const residents = this.#residentsOf(address)
    if (residents?.get(address)?.generation !== generation) return false
    return residents.delete(address)
  }

  /** A top-level actor started again: its next worker goes on counting from there. */
  noteIncarnation(address: string, incarnation: number): void {
    const residents = this.#residentsOf(address)
    const resident = residents?.get(address)
    if (resident !== undefined) residents?.set(address, { ...resident, incarnation })
  }

  /** Stops the actors of a shard, each by its own shutdown, then its worker. What is sent to them meanwhile waits. */
  async drain(shard: number): Promise<void> {
    const { control, worker } = this.#slots[shard]!
    this.#router.drain(shard)
    this.broadcast({ type: 'kernel.shardDraining', shard })
    const deadLetters = control === undefined ? undefined : await stopActors(control).catch(() => undefined)
    await worker?.terminate({ type: 'shutdown' })
    if (deadLetters !== undefined) this.#kernel.deadLetters.adopt(deadLetters)
  }

  /** Replaces the worker of a shard: it drains, ends, and is up again, its actors too, when this settles. */
  async replace(shard: number): Promise<void> {
    await this.control(shard)
    // By command, as it is no failure: the restart budget is not touched.
    await this.#command({ type: 'supervisor.terminateChild', id: `${shard}` })
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#command({ type: 'supervisor.restartChild', id: `${shard}` })
        break
      } catch (error) {
        if (this.#stopping || attempt === replaceAttempts) throw error
      }
    }
    await this.#slots[shard]!.residentsUp
  }

  #command(event: ActorEvent & { readonly id: string }): Promise<unknown> {
    return this.#kernel.ask(null, shardsSupervisor, event, { timeoutMs: 2_147_483_647 })
  }

  /** Ends what is left: the spare, and workers that did not stop. */
  async close(): Promise<void> {
    this.#stopping = true
    for (const slot of this.#slots) {
      slot.up.reject(new StarfishError('SHUTTING_DOWN', 'the system is stopping'))
    }
    await this.#host.close()
    this.#router.close()
  }

  async #activate(slot: Slot, control: ControlPlane): Promise<void> {
    const others = this.#slots.filter(other => other !== slot && other.control !== undefined)
    const mine: PeerEnds[] = []
    const theirs: { control: ControlPlane; ends: PeerEnds }[] = []
    const main = createEnds()
    mine.push({ shard: -1, incarnation: this.#kernel.incarnation, ...main.far })
    const lost = slot.lostReason === undefined ? {} : { lost: encodeExitReason(slot.lostReason) }
    for (const other of others) {
      const { near, far } = createEnds()
      mine.push({ shard: other.index, incarnation: other.incarnation, ...far })
      const ends = { shard: slot.index, incarnation: slot.incarnation, ...near, ...lost }
      theirs.push({ control: other.control!, ends })
    }
    const blackBox = createBlackBox()
    slot.blackBox = blackBox
    const activation = {
      shard: slot.index,
      incarnation: slot.incarnation,
      seed: Math.floor(this.#kernel.random() * 2 ** 32),
      peers: mine,
      groups: this.#kernel.groups.table(),
      filters: this.#filters,
      deadLettersMax: this.#options.deadLettersMax,
      blackBox,
      expected: [...slot.residents.keys(), ...this.expectedOn(slot.index)],
    }
    const ports = mine.map(({ port }) => port)
    const activated = control.call('activate', [transfer(activation, ports)])
    // All at once, so that nothing is told between the copy of a table and the way on which its changes travel.
    slot.control = control
    this.#router.connect(slot.index, slot.incarnation, main.near)
    for (const { control: other, ends } of theirs) {
      void other.call('connect', [transfer(ends, [ends.port])]).catch(() => {})
    }
    await activated
  }

  async #startResidents(slot: Slot, control: ControlPlane): Promise<void> {
    const again = [...slot.residents.values()].filter(({ spec }) => spec.restart !== 'temporary')
    for (const { spec } of slot.residents.values()) if (spec.restart === 'temporary') this.#giveUp(slot, spec.id)
    await Promise.all(
      again.map(({ spec, generation, incarnation }) => {
        // A first incarnation is not told when it starts: the one that was lost counts.
        const resident = { spec, generation, incarnation: Math.max(1, incarnation) }
        slot.residents.set(spec.id, resident)
        return this.#startAgain(slot, control, resident)
      }),
    )
  }

  /** A start that fails is tried again, as often as a top-level actor may be restarted. */
  async #startAgain(slot: Slot, control: ControlPlane, resident: Resident): Promise<void> {
    const { id } = resident.spec
    const checkpoints = this.#kernel.checkpoints.takeTree(id)
    for (let attempt = 0; slot.residents.get(id)?.generation === resident.generation; attempt++) {
      try {
        await control.call('startResident', [{ ...resident, checkpoints }], Number.POSITIVE_INFINITY)
        return
      } catch (error) {
        // It comes back with the next worker.
        if (isStarfishError(error, 'SHARD_DIED')) return
        if (attempt < spawnBudget.intensity) continue
        this.#kernel.log.error({ actor: id, err: error }, 'an actor did not come back with its shard')
        this.#giveUp(slot, id)
      }
    }
  }

  #giveUp(slot: Slot, address: string): void {
    slot.residents.delete(address)
    this.onGivenUp(address)
  }

  #residentsOf(address: string): Map<string, Resident> | undefined {
    const shard = this.#directory.find(address)
    return shard === undefined ? undefined : this.#slots[shard]?.residents
  }

  /** One loaded, empty worker stands by, so that replacing a shard costs no start-up. */
  #keepSpare(): void {
    if (this.#spares.length > 0 || this.#stopping) return
    if (this.#slots.some(({ control }) => control === undefined)) return
    this.#addSpare()
  }

  #addSpare(): void {
    const spare = this.#startWorker()
    this.#spares.push(spare)
    spare.loaded.catch(() => {})
    void spare.ended.then(() => {
      this.#spares = this.#spares.filter(each => each !== spare)
    })
  }

  #startWorker(): HostedWorker {
    const logs = new MessageChannel()
    logs.port1.on('message', this.#options.relog)
    logs.port1.unref()
    const bootstrap: ShardBootstrap = { logPort: logs.port2, logLevel: this.#options.logger.level }
    return this.#host.start({
      workerIndex: ++this.#workerCount,
      runnerUrl: moduleUrlOf('./run-shard', import.meta.url),
      bootstrap,
      transfer: [logs.port2],
      ...(this.#options.heapMb === undefined ? {} : { heapMb: this.#options.heapMb }),
      loadTimeoutMs: this.#options.loadTimeoutMs,
    })
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

/** Stops the actors of a shard; answers what it knows of dead letters, which would end with its worker. */
async function stopActors(control: ControlPlane): Promise<DeadLetterReport> {
  await control.call('stop', [], Number.POSITIVE_INFINITY)
  return control.call('deadLetters', [])
}
