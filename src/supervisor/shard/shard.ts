/**
 * A shard, as it is inside its worker: the kernel of the thread with its edges, and the top-level actors that come back
 * with each worker.
 */
import { createRandom, systemClock } from '../../actors/runtime/clock.ts'
import { decodeExitReason } from '../../messages/thread/exit-codec.ts'
import type { Fact } from '../../messages/thread/fact.ts'
import type { KernelMessage } from '../../messages/thread/kernel-message.ts'
import { spawnBudget } from '../child-spec.ts'
import { BlackBoxWriter } from '../kernel/black-box.ts'
import {
  bootKernel,
  createWatchService,
  hasFailed,
  startTopLevel,
  stopKernel,
  stopTopLevel,
} from '../kernel/boot-kernel.ts'
import { actorStorage } from '../kernel/cell.ts'
import type { RemoteStart } from '../kernel/child-start.ts'
import type { ActorEntry } from '../kernel/entry.ts'
import { Kernel } from '../kernel/kernel.ts'
import { actorsSupervisor } from '../kernel/well-known.ts'
import { ThreadRouter } from '../router/thread-router.ts'
import type { Activation, PeerEnds, Resident } from './shard-control.ts'
import type { ShardLog } from './shard-log.ts'

/** The shard of this worker. */
export class Shard {
  readonly kernel: Kernel
  readonly #router: ThreadRouter
  #stopping = false
  /** Of each resident, which one it is; without those that the main thread no longer counts on. */
  readonly #generations = new Map<string, number>()
  /** Residents of an earlier worker that have not started here yet. */
  readonly #returning = new Set<string>()
  readonly #watchService: (message: KernelMessage) => void

  constructor(activation: Activation, logs: ShardLog) {
    const facts = createFactBatch(batch => this.kernel.tellKernel(-1, { type: 'kernel.facts', facts: batch }))
    this.kernel = new Kernel({
      shard: activation.shard,
      incarnation: activation.incarnation,
      clock: systemClock,
      random: createRandom(activation.seed),
      ...logs,
      deadLettersMax: activation.deadLettersMax,
      onFact: facts,
      blackBox: new BlackBoxWriter(activation.blackBox),
    })
    for (const address of activation.expected) this.kernel.expected.add(address)
    this.#router = new ThreadRouter(this.kernel, () => undefined)
    // The main thread knows who remembers.
    this.#router.formerOf = () => -1
    this.#watchService = createWatchService(this.kernel)
    this.kernel.setRouter(this.#router)
    this.kernel.onKernelMessage = message => this.#take(message)
    this.kernel.setFilters(activation.filters)
    for (const [group, members] of activation.groups) {
      for (const address of members) this.kernel.groups.apply(group, address, true)
    }
    this.kernel.lifecycle.onRemoved = entry => this.#removed(entry)
    this.kernel.lifecycle.onRestarted = ({ address, incarnation }) =>
      this.kernel.tellKernel(-1, { type: 'kernel.restarted', address, incarnation })
    this.kernel.lifecycle.onCheckpoint = (address, checkpoint) => {
      // An actor that stops with its shard will go on from where it stopped.
      if (checkpoint === undefined && this.#stopping) return
      this.kernel.tellKernel(-1, { type: 'kernel.checkpoint', address, checkpoint })
    }
    // Without it nothing can be started here: the shard is replaced, before it takes another message. No actor is to blame.
    this.kernel.onTopFact = fact => {
      if (!hasFailed(fact) || fact.type !== 'child.exited') return
      const { reason } = fact.exit
      actorStorage.exit(() =>
        process.nextTick(() => {
          throw 'error' in reason ? reason.error : new Error(`${fact.id} ended: ${reason.type}`)
        }),
      )
    }
    for (const peer of activation.peers) this.connect(peer)
    bootKernel(this.kernel)
  }

  /** Opens the edge to another thread. */
  connect(peer: PeerEnds): true {
    const lost = peer.lost === undefined ? undefined : decodeExitReason(peer.lost)
    this.#router.connect(peer.shard, peer.incarnation, peer, lost)
    return true
  }

  /** Starts a new top-level actor or tree; rejects as its start does. */
  async startResident(resident: Resident): Promise<'started' | 'ignored'> {
    const { spec, generation } = resident
    this.#generations.set(spec.id, generation)
    const { actor } = await startTopLevel(this.kernel, spec)
    return actor === undefined ? 'ignored' : 'started'
  }

  /**
   * Starts those again that an earlier worker has lost; settles when each has started, or is known not to. A start that
   * fails is tried again, as often as a top-level actor may be restarted; what comes for it meanwhile waits.
   */
  async startResidents(residents: readonly Resident[]): Promise<true> {
    for (const { spec, generation, incarnations, checkpoints = [] } of residents) {
      this.#generations.set(spec.id, generation)
      this.#returning.add(spec.id)
      for (const [address, incarnation] of incarnations) this.kernel.incarnations.note(address, incarnation)
      for (const [address, checkpoint] of checkpoints) this.kernel.checkpoints.keep(address, checkpoint)
    }
    await Promise.all(residents.map(resident => this.#startAgain(resident)))
    return true
  }

  /** Stops one by its own shutdown; it does not come back. */
  async stopResident(address: string): Promise<true> {
    this.#generations.delete(address)
    await stopTopLevel(this.kernel, address)
    return true
  }

  startChild({ incarnations, ...request }: RemoteStart): void {
    for (const [address, incarnation] of incarnations) {
      if (address !== request.address) this.kernel.incarnations.note(address, incarnation)
    }
    this.kernel.lifecycle.start(request)
  }

  removeChild(address: string, supervisor: string): true {
    // The main thread has forgotten them: told of it now, it would forget those of whoever is there next.
    this.kernel.checkpoints.forgetTree(address)
    this.kernel.lifecycle.remove(address, supervisor)
    this.kernel.expectNoMore(address)
    return true
  }

  /** Stops every actor. They have not ended for good: the next worker of this shard starts them again. */
  async stop(): Promise<true> {
    this.#stopping = true
    await stopKernel(this.kernel)
    return true
  }

  /** Closes its edges and lets its timers go. A worker does not: it ends, and what it has posted is still read. */
  close(): void {
    this.#router.close()
    this.kernel.asks.close()
  }

  async #startAgain({ spec, generation }: Resident): Promise<void> {
    const { id } = spec
    const isWanted = () => !this.#stopping && this.#generations.get(id) === generation
    let failure: unknown
    for (let attempt = 0; attempt <= spawnBudget.intensity && isWanted(); attempt++) {
      try {
        const { actor } = await startTopLevel(this.kernel, spec)
        this.#returning.delete(id)
        // It declined, or has ended already.
        if (actor === undefined || !this.kernel.entries.has(id)) this.#endForGood(id)
        this.kernel.expectNoMore(id)
        return
      } catch (error) {
        failure = error
      }
    }
    this.#returning.delete(id)
    if (isWanted()) {
      this.kernel.log.error({ actor: id, err: failure }, 'an actor did not come back with its shard')
      this.#endForGood(id)
    }
    this.kernel.expectNoMore(id)
  }

  #removed({ address, owner }: ActorEntry): void {
    if (owner.supervisor !== actorsSupervisor || this.#stopping || this.#returning.has(address)) return
    // Their supervisor has ended, and the shard with it: they come back.
    if (this.kernel.entries.get(actorsSupervisor)?.cell === undefined) return
    this.#endForGood(address)
  }

  #endForGood(address: string): void {
    const generation = this.#generations.get(address)
    if (generation === undefined) return
    this.#generations.delete(address)
    this.kernel.tellKernel(-1, { type: 'kernel.ended', address, generation })
  }

  #take(message: KernelMessage): void {
    switch (message.type) {
      case 'kernel.resolved':
        this.#router.located(message.address, message.shard)
        break
      case 'kernel.forget':
        this.#router.forget(message.address)
        break
      case 'kernel.shardLost':
        this.#router.lost(message.shard, message.incarnation, message.reason, message.lastEvents)
        break
      case 'kernel.shardDraining':
        this.#router.drain(message.shard)
        break
      case 'kernel.sync':
        this.kernel.tellKernel(message.shard, { type: 'kernel.synced', call: message.call })
        break
      case 'kernel.watching':
        this.#router.noteWatched(message.address, message.incarnation, message.definition)
        break
      case 'kernel.group':
        this.kernel.groups.apply(message.group, message.address, message.joined)
        break
      default:
        this.#watchService(message)
    }
  }
}

/** Facts leave in batches, one a tick. */
function createFactBatch(post: (facts: Fact[]) => void): (fact: Fact) => void {
  let batch: Fact[] = []
  return fact => {
    batch.push(fact)
    if (batch.length > 1) return
    setImmediate(() => {
      const full = batch
      batch = []
      post(full)
    })
  }
}
