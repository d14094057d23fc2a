/**
 * The main thread of a system: its kernel, the directory of addresses, and the shards as children of `$shards`.
 */
import type { Logger } from 'pino'
import { type ActorSpec, child } from '../actors/runtime/child.ts'
import type { Clock, Random } from '../actors/runtime/clock.ts'
import type { ChildFact } from '../messages/thread/child-fact.ts'
import type { ActorExit, ExitReason } from '../messages/thread/exit.ts'
import type { Fact } from '../messages/thread/fact.ts'
import type { KernelMessage } from '../messages/thread/kernel-message.ts'
import { AtStop } from './at-stop.ts'
import { shardBudget } from './child-spec.ts'
import { createGroupMembers } from './group-members.ts'
import { bootKernel, createWatchService, hasFailed } from './kernel/boot-kernel.ts'
import { guardFaults } from './kernel/fault-guard.ts'
import { Kernel } from './kernel/kernel.ts'
import { actorsSupervisor, topAddress } from './kernel/well-known.ts'
import { kernelChart } from './kernel-charts.ts'
import { createRemoteChildren } from './remote-children.ts'
import { Directory } from './router/directory.ts'
import type { Located } from './router/locations.ts'
import { ThreadRouter } from './router/thread-router.ts'
import { createPiscinaHost } from './shard/piscina-host.ts'
import { type ShardActorInput, shardActor } from './shard/shard-actor.ts'
import { relog } from './shard/shard-log.ts'
import { ShardSet, shardsSupervisor } from './shard/shard-set.ts'
import type { Diagnosis } from './shard/watchdog-decision.ts'
import type { HostedWorker } from './shard/worker-host.ts'
import { resolveSupervisorSpec } from './spec-check.ts'
import { startError } from './start-error.ts'
import { supervisorChart } from './supervisor-machine.ts'

/** Options of a system, filled in. */
export interface MainThreadOptions {
  readonly shards: number
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly deadLettersMax: number
  readonly stalledAfterMs: number
  readonly shardHeapMb: number | undefined
  readonly onFact: (fact: Fact) => void
  /** A supervisor that the system cannot do without has ended: the system cannot go on. */
  readonly onFailed: (supervisor: string, reason: ExitReason) => void
}

/** The main thread. */
export interface MainThread {
  readonly kernel: Kernel
  readonly directory: Directory
  /** Undefined without shards. */
  readonly shards: ShardSet | undefined
  readonly router: ThreadRouter | undefined
  readonly atStop: AtStop
  /** An address, with all below it, is there no more: every thread forgets where it lived. */
  forget(address: string): void
  /** Settles when all shards are up. */
  start(): Promise<void>
  /** Stops the shards and lets go of the process; errors of actors are no longer looked for. */
  close(): Promise<void>
  /** Stops the shards, last first, and ends their workers. */
  stopShards(): Promise<void>
}

const loadTimeoutMs = 30_000

/** Creates the main thread of a system; no shard runs yet. */
export function createMainThread(options: MainThreadOptions): MainThread {
  const { clock, random, logger, onFact, deadLettersMax } = options
  const kernel = new Kernel({ shard: -1, incarnation: 1, clock, random, logger, deadLettersMax, onFact })
  const directory = new Directory()
  const starts = new Map<string, PromiseWithResolvers<void>>()
  kernel.onTopFact = fact => {
    // What waits for it, or comes for it yet, is refused.
    if (hasFailed(fact)) kernel.lifecycle.remove(fact.id, topAddress)
    onTopFact(fact, starts, options)
  }
  const shards = options.shards === 0 ? undefined : createShards(kernel, directory, options, address => forget(address))
  const watchService = createWatchService(kernel)
  const forget = (address: string) => {
    const place = directory.placeOf(address)
    directory.delete(address)
    if (place !== undefined && shards?.set.isOwn(place.shard) && !directory.isUsed(place.shard))
      shards.set.release(place.shard)
    kernel.checkpoints.forgetTree(address)
    shards?.router.forget(address)
    shards?.set.broadcast({ type: 'kernel.forget', address })
  }
  const changeGroup = createGroupMembers(kernel, (group, address, joined) =>
    shards?.set.broadcast({ type: 'kernel.group', group, address, joined }),
  )
  const parts: Parts = { kernel, directory, shards, forget, changeGroup, watchService, onFact }
  kernel.onKernelMessage = message => takeMessage(parts, message)
  kernel.lifecycle.onRemoved = ({ address, owner }) => {
    if (owner.supervisor === actorsSupervisor) forget(address)
  }
  if (shards !== undefined) shards.set.residents.onGivenUp = forget
  if (shards !== undefined) {
    shards.set.onFailed = error => options.onFailed(shardsSupervisor, { type: 'bootstrapFailed', error })
  }
  const unguard = guardFaults(kernel)
  bootKernel(kernel)
  return {
    kernel,
    directory,
    shards: shards?.set,
    router: shards?.router,
    atStop: new AtStop(),
    forget,
    async start() {
      if (shards === undefined) return
      const started = Promise.withResolvers<void>()
      starts.set(shardsSupervisor, started)
      // What workers are handed of it, none of them has to find out.
      kernelChart(supervisorChart(shards.spec))
      shards.set.prestart()
      kernel.lifecycle.start({
        address: shardsSupervisor,
        owner: { supervisor: topAddress, childId: shardsSupervisor },
        incarnation: 1,
        spec: shards.spec,
      })
      await started.promise
    },
    async close() {
      await this.stopShards()
      unguard()
    },
    async stopShards() {
      if (shards === undefined) return
      shards.set.startNoMore()
      const supervisor = kernel.entries.get(shardsSupervisor)?.cell
      if (supervisor !== undefined) {
        const ended = new Promise<ActorExit>(resolve => kernel.watch(shardsSupervisor, resolve))
        kernel.lifecycle.shutdown(shardsSupervisor, supervisor.incarnation)
        await ended
      }
      kernel.lifecycle.remove(shardsSupervisor, topAddress)
      await shards.set.close()
    },
  }
}

function createShards(
  kernel: Kernel,
  directory: Directory,
  options: MainThreadOptions,
  forget: (address: string) => void,
) {
  const router = new ThreadRouter(kernel, address => placeOf(kernel, directory, address))
  kernel.setRouter(router)
  const host = createPiscinaHost({
    clock: options.clock,
    stalledAfterMs: options.stalledAfterMs,
    onDiagnosis: (worker, diagnosis, forMs) => noteDiagnosis(kernel, set, worker, diagnosis, forMs),
  })
  const childOf = (index: number): ActorSpec =>
    child(shardActor, {
      id: `${index}`,
      input: { shards: set, index, ended },
      shard: 'main',
      // Each of its actors has a limit of its own.
      shutdown: 'infinity',
      initTimeoutMs: loadTimeoutMs * 2,
    })
  const set = new ShardSet(kernel, router, directory, host, {
    count: options.shards,
    childOf,
    heapMb: options.shardHeapMb,
    loadTimeoutMs,
    logger: options.logger,
    deadLettersMax: options.deadLettersMax,
    relog: line => relog(options.logger, line),
  })
  router.formerOf = address => {
    const shard = directory.findFormer(address)
    // A shard of one's own is gone with its actor.
    return shard === undefined || shard < 0 || set.isOwn(shard) ? undefined : shard
  }
  const remote = createRemoteChildren(kernel, set, directory, forget)
  kernel.remoteChildren = remote
  set.onLost = (shard, incarnation, reason, lastEvents) => remote.shardLost(shard, incarnation, reason, lastEvents)
  router.onBroken = (shard, incarnation) => endBroken(kernel, set, shard, incarnation)
  set.onDraining = shard => remote.drain(shard)
  set.whenBack = shard => remote.whenBack(shard)
  set.expectedOn = shard => remote.addressesOn(shard)
  set.childrenOn = shard => remote.countOn(shard)
  const ended: ShardActorInput['ended'] = (index, incarnation, worker, end) => {
    set.noteLost(index, worker, end)
    kernel.lifecycle.kill(`${shardsSupervisor}/${index}`, incarnation, end.reason)
  }
  const children = Array.from({ length: options.shards }, (_, index) => childOf(index))
  const spec = { ...resolveSupervisorSpec({ id: 'shards', ...shardBudget, children }), id: shardsSupervisor }
  return { set, router, remote, spec }
}

interface Parts {
  readonly kernel: Kernel
  readonly directory: Directory
  readonly shards: ReturnType<typeof createShards> | undefined
  readonly forget: (address: string) => void
  readonly changeGroup: ReturnType<typeof createGroupMembers>
  readonly watchService: (message: KernelMessage) => void
  readonly onFact: (fact: Fact) => void
}

function takeMessage(parts: Parts, message: KernelMessage): void {
  const { kernel, directory, shards, forget, changeGroup, watchService, onFact } = parts
  switch (message.type) {
    case 'kernel.resolve': {
      const { address } = message
      const shard = placeOf(kernel, directory, address)
      kernel.tellKernel(message.shard, { type: 'kernel.resolved', address, shard })
      break
    }
    case 'kernel.group':
      changeGroup(message.group, message.address, message.joined)
      break
    case 'kernel.checkpoint':
      if (message.checkpoint === undefined) kernel.checkpoints.forgetTree(message.address)
      // Of one that was given up, as when its shard was stuck, nobody would forget it.
      else if (directory.find(message.address) !== undefined)
        kernel.checkpoints.keep(message.address, message.checkpoint)
      break
    case 'kernel.synced':
      shards?.router.synced(message.call)
      break
    case 'kernel.watching':
      shards?.router.noteWatched(message.address, message.incarnation, message.definition)
      break
    case 'kernel.edgeBroken':
      if (shards !== undefined) endBroken(kernel, shards.set, message.shard, message.incarnation)
      break
    case 'kernel.restarted':
      shards?.set.residents.noteIncarnation(message.address, message.incarnation)
      shards?.remote.noteIncarnation(message.address, message.incarnation)
      break
    case 'kernel.ended':
      if (shards?.set.residents.remove(message.address, message.generation) === true) forget(message.address)
      break
    case 'kernel.facts':
      for (const fact of message.facts) onFact(fact)
      break
    case 'kernel.childFact':
      shards?.remote.take(message.supervisor, message.fact)
      break
    default:
      watchService(message)
  }
}

/** A worker without an edge to another thread is worth none: it is replaced, as one that has failed. */
function endBroken(kernel: Kernel, shards: ShardSet, shard: number, incarnation: number): void {
  if (shards.incarnation(shard) !== incarnation) return
  kernel.log.error({ shard, incarnation }, 'an edge to a shard has broken')
  void shards.worker(shard)?.terminate({ type: 'killed', detail: 'its edge to another thread has broken' })
}

/**
 * Where an address lives, null for one that nobody has. What is below a tree of the main thread lives there only as long as
 * it has an entry: else it has not been placed yet, and may come to live on a shard.
 */
function placeOf(kernel: Kernel, directory: Directory, address: string): Located {
  if (kernel.entries.has(address)) return -1
  const shard = directory.find(address)
  return shard === undefined || shard === -1 ? null : shard
}

function onTopFact(
  fact: ChildFact,
  starts: Map<string, PromiseWithResolvers<void>>,
  { onFailed }: MainThreadOptions,
): void {
  const start = starts.get(fact.id)
  starts.delete(fact.id)
  if (fact.type === 'child.started') start?.resolve()
  else if (fact.type === 'child.startFailed') start?.reject(startError(fact.id, fact.reason))
  else if (fact.type === 'child.exited' && hasFailed(fact)) onFailed(fact.id, fact.exit.reason)
}

/** What the watchdog sees is told as it changes; what it ends is told as an end. */
function noteDiagnosis(
  kernel: Kernel,
  shards: ShardSet,
  worker: HostedWorker,
  diagnosis: Diagnosis,
  forMs: number,
): void {
  const shard = shards.shardOf(worker)
  const record = { shard, diagnosis, forMs }
  if (diagnosis === 'alive') kernel.log.info(record, 'a shard turns its event loop again')
  else kernel.log.warn(record, 'a shard does not turn its event loop')
  if (shard === undefined || (diagnosis !== 'alive' && diagnosis !== 'starved')) return
  const state = diagnosis === 'alive' ? 'up' : 'starved'
  kernel.facts.add({ kind: 'shard', address: `shard/${shard}`, incarnation: shards.incarnation(shard), state })
}
