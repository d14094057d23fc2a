/**
 * What runs inside a worker: a kernel, once the main thread activates it, and the control plane that it answers.
 *
 *   loaded (spare) ── activate ──> kernel + edges ── startResident … ──> serving ── stop ──> empty
 */
import { type Endpoint, expose } from 'comlink'
import type { Logger } from 'pino'
import { createRandom, systemClock } from '../../actors/runtime/clock.ts'
import { encodeError } from '../../messages/error-codec.ts'
import { decodeExitReason } from '../../messages/thread/exit-codec.ts'
import type { Fact } from '../../messages/thread/fact.ts'
import type { KernelMessage } from '../../messages/thread/kernel-message.ts'
import { detailsOf, summariesOf } from '../kernel/actor-summary.ts'
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
import { Kernel } from '../kernel/kernel.ts'
import { actorsSupervisor } from '../kernel/well-known.ts'
import { ThreadRouter } from '../router/thread-router.ts'
import { markInsideShard } from './inside-shard.ts'
import type { Activation, Answered, Inflict, PeerEnds, Resident, ShardControl } from './shard-control.ts'
import { createShardLogger } from './shard-log.ts'
import type { ShardContext } from './worker-host.ts'

/** What the main thread hands to the runner of a shard. */
export interface ShardBootstrap {
  /** Takes the lines of the shard's log. */
  readonly logPort: import('node:worker_threads').MessagePort
  readonly logLevel: string
}

/**
 * The first message of a port loads the class of its event, and with it half of Node's network code: 45 ms that a spare
 * has and a shard that is waited for has not.
 */
void globalThis.MessageEvent

/** Answers the control plane; the host calls it when the worker has loaded this module. */
export function runShard(context: ShardContext): void {
  markInsideShard()
  let shard: Shard | undefined
  const { logPort, logLevel } = context.bootstrap as ShardBootstrap
  const logger = createShardLogger(logLevel, logPort)
  const live = (): Shard => {
    if (shard === undefined) throw new Error('the shard is not activated')
    return shard
  }
  const control: ShardControl = {
    activate: activation =>
      answered(() => {
        shard = new Shard(activation, logger.child({ shard: activation.shard }))
        const { kernel } = shard
        context.onFatal(({ type, error }) => kernel.failCurrent(error, type))
        return true
      }),
    connect: peer => answered(() => live().connect(peer)),
    startResident: resident => answeredLater(() => live().startResident(resident)),
    stopResident: address => answeredLater(() => stopTopLevel(live().kernel, address).then(() => true as const)),
    startChild: request => run(() => live().kernel.lifecycle.start(request)),
    shutdownChild: (address, incarnation) => run(() => live().kernel.lifecycle.shutdown(address, incarnation)),
    killChild: (address, incarnation) => answered(() => live().kernel.lifecycle.kill(address, incarnation)),
    removeChild: (address, supervisor) => answered(() => live().removeChild(address, supervisor)),
    stop: () => answeredLater(() => live().stop()),
    tree: query => answered(() => summariesOf(live().kernel, query)),
    details: address => answered(() => clonableDetails(live().kernel, address)),
    deadLetters: () => answered(() => live().kernel.deadLetters.report()),
    setFilters: filters => run(() => live().kernel.setFilters(filters)),
    chaos: (moduleUrl, order) =>
      answeredLater(async () => {
        const { inflict }: { inflict: Inflict } = await import(moduleUrl)
        return inflict({ kernel: live().kernel, context }, order)
      }),
  }
  expose(control, context.port as unknown as Endpoint)
}

class Shard {
  readonly kernel: Kernel
  readonly #router: ThreadRouter
  #stopping = false
  readonly #generations = new Map<string, number>()
  readonly #watchService: (message: KernelMessage) => void

  constructor(activation: Activation, logger: Logger) {
    const facts = createFactBatch(batch => this.kernel.tellKernel(-1, { type: 'kernel.facts', facts: batch }))
    this.kernel = new Kernel({
      shard: activation.shard,
      incarnation: activation.incarnation,
      clock: systemClock,
      random: createRandom(activation.seed),
      logger,
      deadLettersMax: activation.deadLettersMax,
      onFact: facts,
      blackBox: new BlackBoxWriter(activation.blackBox),
    })
    for (const address of activation.expected) this.kernel.expected.add(address)
    this.#router = new ThreadRouter(this.kernel, () => undefined)
    this.#watchService = createWatchService(this.kernel)
    this.kernel.setRouter(this.#router)
    this.kernel.onKernelMessage = message => this.#take(message)
    this.kernel.setFilters(activation.filters)
    for (const [group, members] of activation.groups) {
      for (const address of members) this.kernel.groups.apply(group, address, true)
    }
    this.kernel.lifecycle.onRemoved = ({ address, owner }) => {
      const generation = this.#generations.get(address)
      if (owner.supervisor !== actorsSupervisor || generation === undefined || this.#stopping) return
      // Their supervisor has ended, and the shard with it: they come back.
      if (this.kernel.entries.get(actorsSupervisor)?.cell === undefined) return
      this.#generations.delete(address)
      this.kernel.tellKernel(-1, { type: 'kernel.ended', address, generation })
    }
    this.kernel.lifecycle.onRestarted = ({ address, owner, incarnation }) => {
      if (owner.supervisor === actorsSupervisor) {
        this.kernel.tellKernel(-1, { type: 'kernel.restarted', address, incarnation })
      }
    }
    this.kernel.lifecycle.onCheckpoint = (address, checkpoint) => {
      // An actor that stops with its shard will go on from where it stopped.
      if (checkpoint === undefined && this.#stopping) return
      this.kernel.tellKernel(-1, { type: 'kernel.checkpoint', address, checkpoint })
    }
    // Without it nothing can be started here: the shard is replaced. Before it takes another message, and not in the name of an actor.
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

  connect(peer: PeerEnds): true {
    const lost = peer.lost === undefined ? undefined : decodeExitReason(peer.lost)
    this.#router.connect(peer.shard, peer.incarnation, peer, lost)
    return true
  }

  async startResident({ spec, generation, incarnation, checkpoints = [] }: Resident): Promise<'started' | 'ignored'> {
    this.#generations.set(spec.id, generation)
    if (incarnation > 0) this.kernel.noteIncarnation(spec.id, incarnation)
    for (const [address, checkpoint] of checkpoints) this.kernel.checkpoints.keep(address, checkpoint)
    try {
      const { actor } = await startTopLevel(this.kernel, spec)
      return actor === undefined ? 'ignored' : 'started'
    } finally {
      this.kernel.expectNoMore(spec.id)
    }
  }

  removeChild(address: string, supervisor: string): true {
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

function clonableDetails(kernel: Kernel, address: string) {
  const details = detailsOf(kernel, address)
  if (details === undefined) return undefined
  try {
    structuredClone(details)
    return details
  } catch (error) {
    return { ...details, context: `not clonable: ${String(error)}`, lastEvents: details.lastEvents.map(withoutEvent) }
  }
}

function withoutEvent<E extends { readonly event?: unknown }>({ event: _event, ...entry }: E) {
  return entry
}

function run(work: () => void): Answered<true> {
  return answered(() => {
    work()
    return true
  })
}

function answered<T>(work: () => T): Answered<T> {
  try {
    return { value: work() }
  } catch (error) {
    return { error: encodeError(error) }
  }
}

async function answeredLater<T>(work: () => Promise<T>): Promise<Answered<T>> {
  try {
    return { value: await work() }
  } catch (error) {
    return { error: encodeError(error) }
  }
}
