/**
 * A system: one main thread and its shards, and all that a user does with actors.
 *
 *   createSystem ─> main kernel ─┬─ $actors   top-level actors and trees of the main thread
 *                                └─ $shards   one child a shard, budget 30 in 10 s
 *                                     └─ <i> ─ worker ─ its kernel ─ $actors
 */
import { isMainThread } from 'node:worker_threads'
import type { ActorEvent, AskOptions } from '../actors/runtime/actor-runtime.ts'
import { type ActorChildOptions, type ActorSpec, child, type Placement } from '../actors/runtime/child.ts'
import type { AnyActorDefinition, InputOption } from '../actors/runtime/define-actor.ts'
import { badArgument, checkAddress, checkEvent, checkText } from '../messages/argument-check.ts'
import { StarfishError } from '../messages/errors.ts'
import { show } from '../messages/option-faults.ts'
import type { NamedCodec } from '../messages/thread/event-codec.ts'
import type { ExitReason } from '../messages/thread/exit.ts'
import { reasonText } from '../messages/thread/exit-text.ts'
import type { Fact } from '../messages/thread/fact.ts'
import { ActorRef, type Addressed } from './actor-ref.ts'
import { addressIn, checkInspectOptions, checkListener, checkOpen, checkTreeQuery } from './argument-check.ts'
import { checkNotChild } from './child-refusal.ts'
import type { ResolvedChildSpec, SupervisorSpec, TreeSpec } from './child-spec.ts'
import { spawnBudget } from './child-spec.ts'
import { checkDefinition, checkDefinitions, withReferences } from './definition-check.ts'
import { DelayedSends } from './delayed-sends.ts'
import { createGroup, type Group } from './group.ts'
import { Inspection, type InspectOptions } from './inspection.ts'
import { type ActorDetails, type ActorSummary, detailsOf, summariesOf, type TreeQuery } from './kernel/actor-summary.ts'
import { killActor, startTopLevel, stopKernel, stopTopLevel } from './kernel/boot-kernel.ts'
import { type DeadLetterReport, mergeDeadLetters } from './kernel/dead-letters.ts'
import { isDefinition } from './kernel/definition-loader.ts'
import type { ExitListener } from './kernel/watches.ts'
import { actorsSupervisor } from './kernel/well-known.ts'
import { createMainThread, type MainThread } from './main-thread.ts'
import { timerMsMax } from './option-check.ts'
import { choosePlace } from './placement.ts'
import { checkClonable, places } from './remote-children.ts'
import { isInsideShard } from './shard/inside-shard.ts'
import { shardsSupervisor } from './shard/shard-set.ts'
import { resolveChildSpec, resolveSupervisorSpec } from './spec-check.ts'
import { duplicateError } from './start-error.ts'
import { SupervisorRef } from './supervisor-ref.ts'
import { resolveSystemOptions, type SystemOptions } from './system-options.ts'

/** Options of `spawn`: those of a child, and what its definition takes as input. */
export type SpawnOptions<D extends AnyActorDefinition> = Omit<ActorChildOptions, 'significant' | 'shard'> & {
  /** Default `auto`. `every` starts one on each shard, under a supervisor of that id: `<id>/s0`, `<id>/s1`, … */
  readonly shard?: Placement | 'every'
} & InputOption<D>

/** Creates a system and starts its shards. Rejects with START_FAILED, BAD_CONFIG, or SHARD_IN_WORKER inside a worker. */
export async function createSystem(options: SystemOptions = {}): Promise<System> {
  const system = new System(options)
  try {
    await system.start()
  } catch (error) {
    await system.stop()
    throw error
  }
  return system
}

/** A running system; see {@link createSystem}. `await using` stops it at the end of the block. */
export class System implements AsyncDisposable {
  readonly #main: MainThread
  readonly #inspections = new Set<Inspection>()
  readonly #failed = Promise.withResolvers<StarfishError>()
  readonly #delayed: DelayedSends
  #hasEnded = false
  #stopped: Promise<void> | undefined
  #rolling: Promise<void> | undefined
  #trees = 0

  /** For {@link createSystem}. */
  constructor(options: SystemOptions) {
    const filled = resolveSystemOptions(options)
    if (isInsideShard() || (filled.shards > 0 && !isMainThread)) {
      const where = isInsideShard() ? 'inside a shard' : 'with shards in a worker'
      throw new StarfishError('SHARD_IN_WORKER', `a system cannot be created ${where}: create it on the main thread`)
    }
    this.#main = createMainThread({
      ...filled,
      onFact: fact => this.#offer(fact),
      onFailed: (supervisor, reason) => this.#fail(supervisor, reason),
    })
    this.#delayed = new DelayedSends(this.#main.kernel.clock)
    internals.set(this, this.#main)
  }

  /** Starts the shards; {@link createSystem} does. */
  start(): Promise<void> {
    return this.#main.start()
  }

  /** Settles, with why, if the system cannot go on: its shards spent their restart budget. Then only `stop` is left. */
  get failed(): Promise<StarfishError> {
    return this.#failed.promise
  }

  /** Number of shards; 0 when everything runs on the calling thread. */
  get shards(): number {
    return this.#main.shards?.count ?? 0
  }

  /**
   * Starts a top-level actor under a supervisor of its own (3 restarts in 5 s). Rejects with BAD_SPEC, DUPLICATE_ADDRESS,
   * DEFINITION_NOT_FOUND, DEFINITION_IN_ENTRY, NOT_CLONABLE, or START_FAILED (also when its init declined).
   */
  async spawn<D extends AnyActorDefinition>(definition: D, options: SpawnOptions<D>): Promise<ActorRef<D>> {
    this.#checkRunning()
    const isEverywhere = options?.shard === 'every'
    const placed = isEverywhere ? { ...options, shard: 'auto' } : options
    const spec = child(definition, placed as ActorChildOptions & InputOption<D>)
    const resolved = resolveChildSpec(spec, { id: actorsSupervisor, ...spawnBudget, autoShutdown: 'never' })
    if (isEverywhere) return this.#spawnEverywhere(definition, spec)
    if (this.shards > 0) await checkDefinition(definition)
    await this.#startTop(resolved)
    return this.ref(definition, spec.id)
  }

  /** A reference to whoever has, or will have, that address. */
  ref<D extends AnyActorDefinition>(definition: D, address: string): ActorRef<D> {
    if (!isDefinition(definition)) throw badArgument('ref', 'definition', 'is none; make one with defineActor')
    checkAddress('ref', 'address', address)
    checkOpen('ref', address)
    return new ActorRef(this.#refHost, definition, address)
  }

  /** Starts a supervision tree. All that is wrong with its specs is said at once, before anything is started. */
  async supervise(spec: TreeSpec): Promise<SupervisorRef> {
    this.#checkRunning()
    const isNameless = typeof spec === 'object' && spec !== null && !Array.isArray(spec) && spec.id === undefined
    const whole = (isNameless ? { ...spec, id: `tree-${++this.#trees}` } : spec) as SupervisorSpec
    const resolved = resolveSupervisorSpec(whole)
    const { id } = resolved
    if (this.shards > 0) await checkDefinitions(whole)
    await this.#startTop(resolved)
    return this.supervisor(id)
  }

  /** The handle of the supervisor that has that address. */
  supervisor(address: string): SupervisorRef {
    checkAddress('supervisor', 'address', address)
    checkOpen('supervisor', address)
    return new SupervisorRef(
      {
        command: (supervisor, event) => this.#main.kernel.ask(null, supervisor, event, { timeoutMs: timerMsMax }),
        stopTree: tree => this.stopActor(tree),
        prepareChild: async child => {
          if (this.shards === 0) return child
          await checkDefinitions(child)
          return withReferences(child)
        },
      },
      address,
    )
  }

  /**
   * Stops a top-level actor or tree for good, by its own shutdown; one that is not there is no error. Rejects with BAD_CONFIG
   * for the child of a tree, which its supervisor stops, of a chart, or of another actor.
   */
  async stopActor(target: Addressed): Promise<void> {
    const address = addressIn('stopActor', target)
    checkOpen('stopActor', address)
    // All of them end with the system.
    if (this.#stopped !== undefined) return this.#stopped
    const { directory, shards, kernel } = this.#main
    const place = directory.placeOf(address)
    const isOnShard = place !== undefined && place.shard >= 0
    if (await (isOnShard ? shards?.residents.stop(address, place) : stopTopLevel(kernel, address))) return
    const living = await this.#details(address).catch(() => undefined)
    if (living !== undefined) checkNotChild(living, directory.placeOf(address) !== undefined)
  }

  /**
   * Ends an actor without asking it; its supervisor restarts it as its spec says. False when it does not live. Settles when
   * its supervisor knows: a command that follows finds the child ended, and the address of a top-level actor that does not
   * come back is free.
   */
  async kill(target: Addressed): Promise<boolean> {
    const address = addressIn('kill', target)
    checkOpen('kill', address)
    const { kernel, directory, shards, router } = this.#main
    if (kernel.entries.has(address) || kernel.hosts.has(address)) return killActor(kernel, address, 0)
    const shard = directory.find(address)
    if (shard === undefined || shard < 0 || shards === undefined) return false
    await router?.sync(shard)
    const control = await shards.controlUnlessClosed(shard)
    if (control === undefined) return false
    const killed = await control.call('killChild', [address, 0])
    // The end is told on another way.
    await router?.sync(shard)
    return killed
  }

  /**
   * Calls `listener` exactly once with the end of the incarnation that lives now, or of the last one when none does; an
   * address that is not known ends as `noproc`. A watch of another thread is set before whatever is sent to that actor
   * afterwards. The function returned takes it back.
   */
  watch(target: Addressed, listener: ExitListener): () => void {
    const address = addressIn('watch', target)
    checkListener('watch', listener)
    // A watch of its own, though the same function may watch there already.
    const told: ExitListener = exit => listener(exit)
    this.#main.kernel.watch(address, told)
    return () => this.#main.kernel.unwatch(address, told)
  }

  /** A named group of actors. */
  group(name: string): Group {
    checkText('group', 'name', name)
    return createGroup(this.#main.kernel, name)
  }

  /** A page of the actors of all threads, in order of address; supervisors are among them. */
  async tree(query: TreeQuery = {}): Promise<readonly ActorSummary[]> {
    checkTreeQuery(query)
    const controls = this.#main.shards?.controls() ?? []
    const pages = await Promise.all(controls.map(control => control.call('tree', [query]).catch(() => [])))
    return [summariesOf(this.#main.kernel, query), ...pages]
      .flat()
      .sort((a, b) => (a.address < b.address ? -1 : 1))
      .slice(0, query.limit ?? 1_000)
  }

  /** The stream of facts about this system, see {@link Fact}; of one that has stopped it is over at once. */
  inspect(options: InspectOptions = {}): Inspection {
    checkInspectOptions(options)
    const inspection = new Inspection(
      options,
      async attached => {
        this.#inspections.add(attached)
        await this.#updateFilters()
      },
      closed => {
        this.#inspections.delete(closed)
        void this.#updateFilters()
      },
    )
    if (this.#hasEnded) inspection.close()
    return inspection
  }

  /** What was sent and reached nobody, over all threads. */
  async deadLetters(): Promise<DeadLetterReport> {
    const controls = this.#main.shards?.controls() ?? []
    const reports = await Promise.allSettled(controls.map(control => control.call('deadLetters', [])))
    const told = reports.flatMap(report => (report.status === 'fulfilled' ? [report.value] : []))
    return mergeDeadLetters([this.#main.kernel.deadLetters.report(), ...told])
  }

  /**
   * Replaces the workers of all shards, one after the other: each stops its actors by their own shutdown first. A call
   * while one is under way waits for the end of that one. Rejects with SHUTTING_DOWN, or SHARD_DIED when the shards end too
   * often meanwhile.
   */
  rollingRestart(): Promise<void> {
    this.#rolling ??= this.#replaceAll().finally(() => {
      this.#rolling = undefined
    })
    return this.#rolling
  }

  /** Stops everything, right to left, each child's shutdown honoured. Calling it again waits for the same end. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #replaceAll(): Promise<void> {
    this.#checkRunning()
    const { shards } = this.#main
    for (const shard of shards?.open() ?? []) await shards?.replace(shard)
  }

  async #stop(): Promise<void> {
    const { kernel, atStop } = this.#main
    atStop.tell()
    this.#delayed.close()
    await stopKernel(kernel)
    await this.#main.close()
    kernel.asks.close()
    this.#hasEnded = true
    for (const inspection of [...this.#inspections]) inspection.close()
  }

  async #startTop(spec: ResolvedChildSpec): Promise<void> {
    const { kernel, directory, shards } = this.#main
    const { id } = spec
    if (directory.has(id) || kernel.entries.has(id)) throw duplicateError(id)
    const chosen = shards === undefined ? -1 : choosePlace(spec, places(shards, directory))
    if (chosen !== -1) checkClonable(spec)
    const shard = chosen === 'own' ? shards!.openOwn() : chosen
    const placed = { ...spec, shard: shard < 0 ? spec.shard : shard }
    const place = directory.set(id, shard)
    try {
      const started = shard < 0 ? await startTopLevel(kernel, spec) : await shards?.residents.start(shard, placed)
      const ignored = started === 'ignored' || (typeof started === 'object' && started.actor === undefined)
      if (ignored) throw declinedError(id)
    } catch (error) {
      if (directory.placeOf(id) === place) this.#main.forget(id)
      throw error
    }
  }

  async #spawnEverywhere<D extends AnyActorDefinition>(definition: D, spec: ActorSpec): Promise<ActorRef<D>> {
    const { id } = spec
    const count = Math.max(1, this.shards)
    const children = Array.from({ length: count }, (_, shard) => ({
      ...spec,
      id: `s${shard}`,
      shard: this.shards === 0 ? 'main' : shard,
    }))
    await this.supervise({ id, strategy: 'one_for_one', intensity: spawnBudget.intensity * count, children })
    return this.ref(definition, `${id}/s0`)
  }

  #checkRunning(): void {
    if (this.#stopped !== undefined) throw new StarfishError('SHUTTING_DOWN', 'the system is stopping, or has stopped')
  }

  #offer(fact: Fact): void {
    for (const inspection of this.#inspections) inspection.offer(fact)
  }

  async #updateFilters(): Promise<void> {
    const filters = [...this.#inspections].map(({ filter }) => filter)
    this.#main.kernel.setFilters(filters)
    await this.#main.shards?.setFilters(filters)
  }

  #fail(supervisor: string, reason: ExitReason): void {
    const culprit = reason.type === 'shutdown' ? reason.culprit : undefined
    const why = culprit?.reason ?? reason
    const cause = 'error' in why ? why.error : undefined
    const text =
      supervisor === shardsSupervisor
        ? `the shards ended too often: ${reasonText(why)}`
        : `${supervisor} ended: ${reasonText(why)}`
    const details = { reason: why.type, ...(culprit === undefined ? {} : { shard: Number(culprit.id) }) }
    const error = new StarfishError('SHARD_DIED', text, { details, cause })
    this.#main.shards?.fail(error)
    this.#failed.resolve(error)
  }

  readonly #refHost = {
    send: (to: string, event: ActorEvent, codec?: NamedCodec) => {
      checkEvent('send', event)
      this.#main.kernel.send(null, to, event, 'normal', codec)
    },
    sendAfter: (to: string, event: ActorEvent, delayMs: number, codec?: NamedCodec) =>
      this.#delayed.add(delayMs, () => this.#main.kernel.send(null, to, event, 'normal', codec)),
    ask: (to: string, event: ActorEvent, options: AskOptions, codec?: NamedCodec) =>
      this.#main.kernel.ask(null, to, event, options, codec),
    details: (address: string) => this.#details(address),
  }

  async #details(address: string): Promise<ActorDetails | undefined> {
    const { kernel, directory, shards } = this.#main
    if (kernel.entries.has(address) || kernel.hosts.has(address)) return detailsOf(kernel, address)
    const shard = directory.find(address)
    if (shard === undefined || shard < 0 || shards === undefined) return undefined
    const control = await shards.control(shard)
    return control.call('details', [address])
  }
}

const internals = new WeakMap<System, MainThread>()

/** The inside of a system, for chaos and devtools: not part of the public interface. */
export function internalsOf(system: System): MainThread {
  const main = internals.get(system)
  if (main === undefined) throw badArgument('createChaos', 'system', `is ${show(system)}, no system`)
  return main
}

function declinedError(id: string): StarfishError {
  const details = { address: id, reason: 'ignored' }
  return new StarfishError('START_FAILED', `${id} was not started: its init declined`, { details })
}
