/**
 * Children of main-thread supervisors that live on shards: started and ended over the control plane. Each start and
 * each incarnation is answered to its supervisor exactly once, also when the shard dies in between.
 */
import { StarfishError } from '../messages/errors.ts'
import type { ChildFact } from '../messages/thread/child-fact.ts'
import type { ActorExit, ExitReason } from '../messages/thread/exit.ts'
import { thrownText } from '../messages/thread/exit-text.ts'
import type { ShardEvent } from '../messages/thread/fact.ts'
import type { ResolvedChildSpec } from './child-spec.ts'
import { lastEventsOf } from './kernel/black-box.ts'
import { clonableSpec } from './kernel/boot-kernel.ts'
import type { ChildStart } from './kernel/child-start.ts'
import type { Kernel } from './kernel/kernel.ts'
import { childAddress, type RemoteChildren } from './kernel/kernel-child-host.ts'
import { choosePlace } from './placement.ts'
import type { Directory, Place } from './router/directory.ts'
import type { ShardSet } from './shard/shard-set.ts'
import { createStartCounts, lostCounts, noteStart, type StartCounts } from './start-counts.ts'
import { duplicateError } from './start-error.ts'

/** How long a kill may take before its incarnation is given up, ms. */
const killTimeoutMs = 1_000

interface RemoteChild {
  readonly request: ChildStart
  readonly shard: number
  /** `waiting` for its shard, which was not told of it yet: that is not lost with a worker. */
  state: 'waiting' | 'starting' | 'running'
  /** Its shard is being drained: when it ends its supervisor hears nothing before the shard is gone. */
  held: PromiseWithResolvers<void> | undefined
}

/** The remote children of the main thread. */
export interface RemoteChildTable extends RemoteChildren {
  /** A shard tells of a child's start or end; passed on to its supervisor unless that was answered already. */
  take(supervisor: string, fact: ChildFact): void
  /**
   * Has the running children on a shard stop by their own shutdown, those of one supervisor in the reverse of their order, and
   * settles when they have, or have used up their time. Their supervisors hear of it when the shard is gone, and so start
   * them on the next worker.
   */
  drain(shard: number): Promise<void>
  /** Settles when those that {@link RemoteChildTable.drain} had stop live again, or will not. */
  whenBack(shard: number): Promise<void>
  /** A shard is gone, and every child on it. */
  shardLost(shard: number, incarnation: number, reason: ExitReason, lastEvents: readonly ShardEvent[]): void
  /** An actor below one of them started again: its next worker goes on counting from there. */
  noteIncarnation(address: string, incarnation: number): void
  /** Addresses whose place is that shard, living or about to be started again. */
  addressesOn(shard: number): string[]
  /** How many those are. */
  countOn(shard: number): number
}

/** Creates the table. */
export function createRemoteChildren(
  kernel: Kernel,
  shards: ShardSet,
  directory: Directory,
  forget: (address: string) => void,
): RemoteChildTable {
  /** By address and incarnation: what a killed supervisor left may still be ending when its successor starts the next. */
  const children = new Map<string, RemoteChild>()
  const homes = new Map<string, Place>()
  const homeCounts = new Map<number, number>()
  const counts = new Map<string, StartCounts>()
  /** Drained, and not started again yet. */
  const coming = new Map<string, { readonly shard: number; readonly back: PromiseWithResolvers<void> }>()

  function tell(child: RemoteChild, fact: ChildFact): void {
    kernel.lifecycle.tellSupervisor(child.request.owner.supervisor, child.request.address, fact)
  }

  function settleComing(address: string): void {
    coming.get(address)?.back.resolve()
    coming.delete(address)
  }

  function end(
    child: RemoteChild,
    reason: ExitReason,
    loss: Pick<ActorExit, 'lastEvents' | 'shardLoss'> = { lastEvents: [] },
  ): void {
    const { request, shard } = child
    const { address, incarnation, spec, owner } = request
    child.held?.resolve()
    if (!children.delete(keyOf(address, incarnation))) return
    if (child.state !== 'running') {
      settleComing(address)
      tell(child, { type: 'child.startFailed', id: owner.childId, incarnation, reason })
      return
    }
    const exit: ActorExit = {
      address,
      definition: spec.kind === 'supervisor' ? 'supervisor' : spec.definition.exportName,
      incarnation,
      shard,
      reason,
      atMs: kernel.clock.now(),
      ...loss,
    }
    tell(child, { type: 'child.exited', id: owner.childId, incarnation, exit })
  }

  function countHome(shard: number, change: 1 | -1): void {
    homeCounts.set(shard, (homeCounts.get(shard) ?? 0) + change)
  }

  async function stopInTurn(held: readonly RemoteChild[]): Promise<void> {
    for (const child of held) await stop(child)
  }

  /** What does not stop in time ends with its worker. */
  async function stop({ request, shard, held }: RemoteChild): Promise<void> {
    const { address, incarnation, spec } = request
    if (held === undefined || spec.shutdown === 'brutal_kill') return
    const { shutdown } = spec
    const timer = shutdown === 'infinity' ? undefined : kernel.clock.setTimeout(() => held.resolve(), shutdown)
    askToStop(shard, address, incarnation)
    await held.promise
    kernel.clock.clearTimeout(timer)
  }

  function askToStop(shard: number, address: string, incarnation: number): void {
    shards
      .control(shard)
      .then(control => control.call('shutdownChild', [address, incarnation]))
      .catch(() => {})
  }

  return {
    placeOf(address, spec) {
      if (spec.shard === 'main') return undefined
      const home = homes.get(address)
      const taken = directory.placeOf(address)
      if (taken !== undefined && taken !== home) {
        if (taken.shard >= 0) throw duplicateError(address)
        return undefined
      }
      const chosen = home?.shard ?? choosePlace(spec, places(shards, directory))
      const shard = chosen === 'own' ? shards.openOwn() : chosen
      if (shard < 0) return undefined
      if (home === undefined) {
        homes.set(address, directory.set(address, shard))
        countHome(shard, 1)
      }
      return shard
    },
    start(shard, request) {
      const child: RemoteChild = {
        request: { ...request, spec: { ...clonableSpec(request.spec), shard } },
        shard,
        state: 'waiting',
        held: undefined,
      }
      const incarnations = counts.get(request.address) ?? createStartCounts(request.address, request.spec)
      counts.set(request.address, incarnations)
      children.set(keyOf(request.address, request.incarnation), child)
      try {
        checkClonable(child.request.spec)
      } catch (error) {
        end(child, { type: 'bootstrapFailed', error })
        return
      }
      shards
        .control(shard)
        .then(async control => {
          // Unless it was given up meanwhile.
          if (children.get(keyOf(request.address, request.incarnation)) !== child) return
          child.state = 'starting'
          await control.call('startChild', [{ ...child.request, incarnations: counts.get(request.address)! }])
        })
        .catch((error: unknown) => end(child, { type: 'bootstrapFailed', error }))
    },
    shutdown: askToStop,
    kill(shard, address, incarnation) {
      const child = children.get(keyOf(address, incarnation))
      if (child?.state === 'waiting') {
        end(child, { type: 'killed' })
        return
      }
      shards
        .control(shard)
        .then(control => control.call('killChild', [address, incarnation], killTimeoutMs))
        .catch(() => {
          // The shard does not answer: the incarnation is given up, whatever it still does is not heard.
          if (child !== undefined) end(child, { type: 'killed', detail: 'its shard is stuck' })
        })
    },
    remove(shard, address, supervisor) {
      settleComing(address)
      const home = homes.get(address)
      if (home !== undefined) countHome(home.shard, -1)
      homes.delete(address)
      counts.delete(address)
      if (home !== undefined && directory.placeOf(address) === home) forget(address)
      shards
        .control(shard)
        .then(control => control.call('removeChild', [address, supervisor]))
        .catch(() => {})
    },
    take(supervisor, fact) {
      const key = keyOf(childAddress(supervisor, fact.id), fact.incarnation)
      const child = children.get(key)
      if (child === undefined) return
      if (fact.type !== 'child.exited') settleComing(child.request.address)
      if (fact.type === 'child.started') child.state = 'running'
      else if (child.held !== undefined) {
        child.held.resolve()
        return
      } else children.delete(key)
      tell(child, fact)
    },
    async drain(shard) {
      const bySupervisor = new Map<string, RemoteChild[]>()
      for (const child of children.values()) {
        if (child.shard !== shard || child.state !== 'running') continue
        child.held = Promise.withResolvers()
        const { address, spec, owner } = child.request
        const { supervisor } = owner
        if (spec.restart !== 'temporary') coming.set(address, { shard, back: Promise.withResolvers() })
        bySupervisor.set(supervisor, [child, ...(bySupervisor.get(supervisor) ?? [])])
      }
      await Promise.all([...bySupervisor.values()].map(stopInTurn))
    },
    async whenBack(shard) {
      const here = [...coming.values()].filter(each => each.shard === shard)
      await Promise.all(here.map(({ back }) => back.promise))
    },
    shardLost(shard, incarnation, reason, events) {
      for (const [address, known] of counts)
        if (homes.get(address)?.shard === shard) counts.set(address, lostCounts(known))
      for (const child of [...children.values()]) {
        if (child.shard !== shard || child.state === 'waiting') continue
        // Its children are lost with it; it starts anew, with new ones.
        if (child.request.spec.kind === 'supervisor') kernel.checkpoints.forgetTree(child.request.address)
        const lastEvents = lastEventsOf(events, child.request.address, child.request.incarnation)
        end(child, reason, { lastEvents, shardLoss: { shard, incarnation } })
      }
    },
    noteIncarnation: (address, incarnation) => noteStart(top => counts.get(top), address, incarnation),
    countOn: shard => homeCounts.get(shard) ?? 0,
    addressesOn: shard => [...homes].filter(([, home]) => home.shard === shard).map(([address]) => address),
  }
}

function keyOf(address: string, incarnation: number): string {
  return `${address}#${incarnation}`
}

/** What placement asks of the shards. */
export function places(shards: ShardSet, directory: Directory) {
  return {
    shards: shards.count,
    leastLoaded: () => shards.leastLoaded(),
    find: (address: string) => directory.find(address),
  }
}

/** A spec, with all below it, whose inputs cannot be copied to another thread is refused before anything is started. */
export function checkClonable(spec: ResolvedChildSpec): void {
  if (spec.kind === 'supervisor') {
    for (const child of spec.children) checkClonable(child)
    return
  }
  const { id, input } = spec
  try {
    structuredClone(input)
  } catch (cause) {
    throw new StarfishError(
      'NOT_CLONABLE',
      `the input of ${id} cannot be copied to another thread: ${thrownText(cause)}`,
      {
        details: { id },
        cause,
      },
    )
  }
}
