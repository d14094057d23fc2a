/**
 * The life of an incarnation on its thread: start, checkpoints, end. Whether and when another follows is its
 * supervisor's to decide; to the kernel a supervisor is an actor like any other.
 */
import type { ActorSpec } from '../../actors/runtime/child.ts'
import type { AnyActorDefinition } from '../../actors/runtime/define-actor.ts'
import { eventCodecsOf } from '../../actors/runtime/event-codecs.ts'
import { tameError } from '../../messages/error-codec.ts'
import type { StarfishError } from '../../messages/errors.ts'
import { optionError } from '../../messages/option-faults.ts'
import type { ChildFact } from '../../messages/thread/child-fact.ts'
import type { ActorExit, ExitReason } from '../../messages/thread/exit.ts'
import type { Checkpoint } from '../../messages/thread/kernel-message.ts'
import type { ResolvedChildSpec } from '../child-spec.ts'
import { duplicateError } from '../start-error.ts'
import { supervisorMachine } from '../supervisor-machine.ts'
import { ActorCell, actorStorage } from './cell.ts'
import { createActorRuntime } from './cell-port.ts'
import type { ChildStart } from './child-start.ts'
import { loadDefinition, loadedDefinition } from './definition-loader.ts'
import { createEngine } from './engine-of.ts'
import { ActorEntry } from './entry.ts'
import type { Kernel } from './kernel.ts'
import { killOrphans } from './kernel-child-host.ts'
import { Mailbox, resolveMailboxOptions } from './mailbox.ts'
import { runInit } from './run-init.ts'
import { settleMessages } from './settle-messages.ts'
import { takeCheckpoint } from './take-checkpoint.ts'
import { topAddress } from './well-known.ts'

/** The event with which a supervisor asks an actor to end; a chart that has no transition for it ends at once. */
export const shutdownEvent = { type: 'actor.shutdown' } as const

/** Stands for supervisors, whose chart depends on their spec. */
const supervisorDefinition: AnyActorDefinition = {
  kind: 'actor',
  moduleUrl: import.meta.url,
  exportName: 'supervisor',
  options: { machine: supervisorMachine, mailbox: { messagesMax: 100_000 } },
}

/** Starts and ends the actors of one kernel. */
export class Lifecycle {
  readonly #kernel: Kernel
  /** Called when an address of this thread is given up for good. */
  onRemoved: (entry: ActorEntry) => void = () => {}
  /** Called when an address of this thread has its second, or a later, incarnation. */
  onRestarted: (entry: ActorEntry) => void = () => {}
  /** Called with each checkpoint, and without one when those of an address and all below it are forgotten, for those who keep it where the thread's death does not reach. */
  onCheckpoint: (address: string, checkpoint: Checkpoint | undefined) => void = () => {}
  /** Starts, and stops, the children of charts; set by those who know supervisors. */
  spawnFor: (parent: ActorCell, child: ActorSpec) => void = () => {}
  stopChild: (address: string) => void = () => {}

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /** Starts an incarnation; the owner is told how that went. Synchronous when its module is loaded and it has no init. */
  start(request: ChildStart): void {
    const refusal = this.#refusalOf(request)
    if (refusal !== undefined) {
      this.#tellFailed(request, { type: 'bootstrapFailed', error: refusal })
      return
    }
    if (request.spec.kind === 'supervisor') {
      this.#startLoaded(request, supervisorDefinition)
      return
    }
    const { definition: ref, initTimeoutMs: afterMs } = request.spec
    const definition = loadedDefinition(ref)
    if (definition !== undefined) {
      this.#startLoaded(request, definition)
      return
    }
    const entry = this.#entryOf(request, undefined)
    const { clock } = this.#kernel
    entry.loading = request
    entry.loadTimer = clock.setTimeout(
      () => this.#loadFailed(entry, request, { type: 'initTimedOut', afterMs }),
      afterMs,
    )
    loadDefinition(ref).then(
      loaded => {
        if (entry.loading !== request || this.#kernel.entries.get(request.address) !== entry) return
        clock.clearTimeout(entry.loadTimer)
        entry.loading = undefined
        entry.definition = loaded
        this.#startLoaded(request, loaded)
      },
      (error: unknown) => this.#loadFailed(entry, request, { type: 'bootstrapFailed', error }),
    )
  }

  /** Asks an incarnation to end. */
  shutdown(address: string, incarnation: number): void {
    const entry = this.#kernel.entries.get(address)
    const cell = entry?.cell ?? entry?.starting
    if (cell === undefined || cell.incarnation !== incarnation || cell.stopping) return
    cell.stopping = true
    if (cell.takesTokens) this.#kernel.send(null, address, { type: 'supervisor.stop' }, 'control')
    else if (cell.engine?.handles(shutdownEvent.type) === true)
      this.#kernel.send(null, address, shutdownEvent, 'control')
    else {
      takeCheckpoint(this.#kernel, cell, true)
      this.end(cell, { type: 'shutdown' })
    }
  }

  /** Ends an incarnation without asking it. */
  kill(address: string, incarnation: number, reason: ExitReason = { type: 'killed' }): boolean {
    const entry = this.#kernel.entries.get(address)
    if (entry === undefined) return this.#kernel.hosts.kill(address)
    if (incarnation !== 0 && entry.incarnation !== incarnation) return false
    const cell = entry.cell ?? entry.starting
    if (cell !== undefined) this.end(cell, reason)
    else if (entry.loading === undefined) return false
    else this.#loadFailed(entry, entry.loading, reason)
    return true
  }

  /** Gives an address of that supervisor's up: what was held for it becomes dead letters, unless it is still expected. */
  remove(address: string, supervisor: string): void {
    const entry = this.#kernel.entries.get(address)
    if (entry?.owner.supervisor !== supervisor || entry.cell !== undefined) return
    this.#kernel.entries.delete(address)
    for (const envelope of entry.held.drain()) {
      if (this.#kernel.expected.hold(envelope) !== 'admitted') this.#kernel.dropAdmitted(envelope, 'NO_SUCH_ACTOR')
    }
    if (this.#kernel.checkpoints.forgetTree(address)) this.onCheckpoint(address, undefined)
    this.#kernel.entries.get(address.slice(0, Math.max(0, address.lastIndexOf('/'))))?.children.delete(address)
    this.onRemoved(entry)
  }

  /** Called after a step in which the state value changed. */
  moved(cell: ActorCell, before: unknown): void {
    if (cell.mailbox.hasPostponed) {
      cell.mailbox.resume()
      this.#kernel.wake(cell)
    }
    if (this.#kernel.facts.wants('transition')) {
      const { address } = cell.entry
      const to = cell.engine?.value
      this.#kernel.facts.add({ kind: 'transition', address, incarnation: cell.incarnation, from: before, to })
    }
    takeCheckpoint(this.#kernel, cell)
  }

  /** Ends an incarnation whose chart came to its end. */
  endByChart(cell: ActorCell): void {
    const end = cell.engine?.end
    if (end === undefined || cell.ended) return
    if (end.type === 'error') this.end(cell, { type: 'threw', error: end.error })
    else if (cell.takesTokens) this.end(cell, end.output as ExitReason)
    else if (cell.stopping) this.end(cell, { type: 'shutdown' })
    else this.end(cell, { type: 'normal', ...(end.output === undefined ? {} : { output: end.output }) })
  }

  /** Ends an incarnation: what it had in hand and in its mailbox is accounted for, and everyone concerned is told. */
  end(cell: ActorCell, why: ExitReason): void {
    if (cell.ended) return
    const reason = tameReason(why)
    cell.ended = true
    cell.mailbox.cell = undefined
    const { entry, incarnation } = cell
    const exit = this.#exitOf(entry, reason, cell.lastEvents())
    entry.cell = undefined
    entry.starting = undefined
    entry.state = 'vacant'
    settleMessages(this.#kernel, cell, exit)
    this.#cleanUp(cell)
    this.#kernel.watches.remember(exit)
    this.#kernel.facts.add({ kind: 'exit', address: entry.address, exit })
    const id = entry.owner.childId
    if (cell.announced) this.#tellOwner(entry, { type: 'child.exited', id, incarnation, exit })
    else this.#tellOwner(entry, { type: 'child.startFailed', id, incarnation, reason })
    this.#kernel.tellExit(exit)
  }

  #exitOf(entry: ActorEntry, reason: ExitReason, lastEvents: ActorExit['lastEvents']): ActorExit {
    return {
      address: entry.address,
      definition: entry.isSupervisor ? 'supervisor' : entry.definition.exportName,
      incarnation: entry.incarnation,
      shard: this.#kernel.shard,
      reason,
      atMs: this.#kernel.clock.now(),
      lastEvents,
    }
  }

  /** Tells the owner that the start is done; a supervisor calls it once its children have started. */
  announce(cell: ActorCell): void {
    if (cell.announced || cell.ended) return
    cell.announced = true
    const { entry, incarnation } = cell
    this.#kernel.expectNoMore(entry.address)
    const place = { address: entry.address, shard: this.#kernel.shard }
    this.#tellOwner(entry, { type: 'child.started', id: entry.owner.childId, incarnation, place })
  }

  /** Why an actor cannot be started here, if so. Addresses are made up of ids: two supervisors may come to the same one. */
  #refusalOf({ address, owner, spec }: ChildStart): StarfishError | undefined {
    const { shard, entries } = this.#kernel
    const holder = entries.get(address)?.owner
    if (holder !== undefined && holder.supervisor !== owner.supervisor) {
      return duplicateError(address)
    }
    const wanted = shard === -1 ? 'auto' : spec.shard
    if (wanted === shard || wanted === 'auto' || typeof wanted === 'object') return undefined
    const reason = `is ${wanted}, but it lives with its supervisor, on shard ${shard}`
    return optionError('BAD_SPEC', `bad specification of ${address}`, [{ path: 'shard', reason }])
  }

  #startLoaded(request: ChildStart, definition: AnyActorDefinition): void {
    for (const codec of eventCodecsOf(definition)?.values() ?? []) this.#kernel.codecs.add(codec)
    const entry = this.#entryOf(request, definition)
    const { spec } = request
    const cell = new ActorCell(
      this.#kernel,
      entry,
      new Mailbox(resolveMailboxOptions(definition.options.mailbox, spec.kind === 'actor' ? spec.mailbox : {})),
      spec.kind === 'actor' && spec.restore === 'snapshot' ? (definition.options.checkpointEveryMs ?? 1_000) : -1,
    )
    entry.starting = cell
    const runtime = createActorRuntime(this.#kernel, cell)
    actorStorage.run(cell, () => {
      runInit(this.#kernel.clock, definition, spec, runtime, outcome => {
        if (cell.ended || entry.starting !== cell) return
        if (outcome === 'start') this.#startEngine(request, cell, runtime)
        else if (outcome === 'ignore') this.#ignore(cell)
        else this.end(cell, outcome)
      })
    })
  }

  #startEngine(request: ChildStart, cell: ActorCell, runtime: ReturnType<typeof createActorRuntime>): void {
    const { entry } = cell
    const { spec } = request
    const restores = spec.kind === 'actor' && spec.restore === 'snapshot'
    const checkpoint = restores ? this.#kernel.checkpoints.take(entry.address) : undefined
    try {
      cell.engine = createEngine(this.#kernel, cell, runtime, spec, structuredClone(checkpoint?.state))
      entry.cell = cell
      cell.engine.start()
    } catch (error) {
      this.end(cell, { type: 'bootstrapFailed', error })
      return
    }
    if (cell.ended) return
    entry.starting = undefined
    entry.state = 'up'
    const { end } = cell.engine
    if (end?.type === 'error') {
      this.end(cell, { type: 'bootstrapFailed', error: end.error })
      return
    }
    this.#tellSpawned(cell, checkpoint)
    if (cell.incarnation > 1) this.onRestarted(entry)
    if (!cell.takesTokens) this.announce(cell)
    this.#deliverHeld(cell)
    if (end !== undefined) this.endByChart(cell)
    // What was just restored has to prove that it lives before it counts as a checkpoint.
    else if (checkpoint === undefined) takeCheckpoint(this.#kernel, cell)
    else cell.checkpointDueMs = this.#kernel.clock.now() + cell.checkpointEveryMs
  }

  #entryOf(request: ChildStart, definition: AnyActorDefinition | undefined): ActorEntry {
    const { address, owner, spec } = request
    const known = this.#kernel.entries.get(address)
    const entry =
      known ?? new ActorEntry(address, definition ?? unloadedDefinition(spec), owner, spec.kind === 'supervisor')
    if (known === undefined) for (const envelope of this.#kernel.expected.take(address)) entry.held.push(envelope)
    entry.incarnation = request.incarnation
    entry.state = 'starting'
    entry.heldMax = spec.backoff?.heldMax ?? 1_000
    if (request.checkpoint !== undefined && !this.#kernel.checkpoints.has(address)) {
      this.#kernel.checkpoints.keep(address, request.checkpoint)
    }
    this.#kernel.entries.set(address, entry)
    return entry
  }

  #tellSpawned(cell: ActorCell, checkpoint: Checkpoint | undefined): void {
    if (!this.#kernel.facts.wants('spawned')) return
    const { address, definition, isSupervisor } = cell.entry
    this.#kernel.facts.add({
      kind: 'spawned',
      address,
      definition: isSupervisor ? 'supervisor' : definition.exportName,
      incarnation: cell.incarnation,
      ...(checkpoint === undefined ? {} : { restored: { ageMs: this.#kernel.clock.now() - checkpoint.atMs } }),
    })
  }

  #deliverHeld(cell: ActorCell): void {
    for (const envelope of cell.entry.held.drain()) {
      const rejected = cell.mailbox.put(envelope)
      if (rejected !== undefined) this.#kernel.dropAdmitted(rejected, 'MAILBOX_FULL')
    }
    this.#kernel.wake(cell)
  }

  #ignore(cell: ActorCell): void {
    const { entry, incarnation } = cell
    cell.ended = true
    entry.starting = undefined
    entry.state = 'vacant'
    this.#cleanUp(cell)
    this.#tellOwner(entry, { type: 'child.ignored', id: entry.owner.childId, incarnation })
    this.#kernel.tellNoproc(entry.address)
  }

  #cleanUp(cell: ActorCell): void {
    const kernel = this.#kernel
    if (cell.takesTokens) killOrphans(cell)
    cell.engine?.stop()
    for (const cancel of cell.delayedSends.values()) cancel()
    cell.delayedSends.clear()
    for (const [address, listener] of cell.watching) kernel.unwatch(address, listener)
    cell.watching.clear()
    for (const group of cell.groups) kernel.changeGroup(group, cell.entry.address, false)
    for (const address of cell.entry.children) this.stopChild(address)
    cell.entry.children.clear()
    for (const cleanup of cell.cleanups.reverse()) this.cleanUpLate(cell, cleanup)
    cell.cleanups.length = 0
  }

  /** Runs a cleanup of an actor that has ended. */
  cleanUpLate(cell: ActorCell, cleanup: () => void | Promise<void>): void {
    Promise.try(cleanup).catch((error: unknown) => {
      this.#kernel.log.warn({ actor: cell.entry.address, err: error }, 'a cleanup of an ended actor failed')
    })
  }

  #tellOwner(entry: ActorEntry, fact: ChildFact): void {
    this.tellSupervisor(entry.owner.supervisor, entry.address, fact)
  }

  /**
   * Tells a supervisor of a child's start or end. One of another thread is that of the main thread, which keeps the
   * account of its remote children; one that has ended left them, and is told nothing.
   */
  tellSupervisor(supervisor: string, child: string, fact: ChildFact): void {
    const kernel = this.#kernel
    const entry = kernel.entries.get(supervisor)
    if (entry?.cell !== undefined || supervisor === topAddress) kernel.send(child, supervisor, fact, 'control')
    else if (entry === undefined && kernel.shard !== -1) {
      kernel.tellKernel(-1, { type: 'kernel.childFact', supervisor, fact })
    }
  }

  /** The module of the definition cannot be had, or not in time, or the incarnation was ended while it was loaded. */
  #loadFailed(entry: ActorEntry, request: ChildStart, why: ExitReason): void {
    if (entry.loading !== request || this.#kernel.entries.get(request.address) !== entry) return
    const reason = tameReason(why)
    entry.loading = undefined
    entry.state = 'vacant'
    const exit = this.#exitOf(entry, reason, [])
    this.#kernel.watches.remember(exit)
    this.#kernel.facts.add({ kind: 'exit', address: entry.address, exit })
    this.#tellFailed(request, reason)
    this.#kernel.tellExit(exit)
  }

  #tellFailed(request: ChildStart, reason: ExitReason): void {
    const { owner, incarnation } = request
    const fact: ChildFact = { type: 'child.startFailed', id: owner.childId, incarnation, reason }
    this.tellSupervisor(owner.supervisor, request.address, fact)
  }
}

/** Users throw anything; supervisors look at what was thrown. */
function tameReason(reason: ExitReason): ExitReason {
  return 'error' in reason ? { ...reason, error: tameError(reason.error) } : reason
}

/** Stands for a definition whose module is being loaded. */
function unloadedDefinition(spec: ResolvedChildSpec): AnyActorDefinition {
  const { moduleUrl, exportName } = spec.kind === 'actor' ? spec.definition : supervisorDefinition
  return { kind: 'actor', moduleUrl, exportName, options: supervisorDefinition.options }
}
