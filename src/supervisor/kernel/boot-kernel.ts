/**
 * What every kernel has from its start: the supervisor of its top-level actors, and the handling of what kernels say
 * to each other.
 */
import type { ActorSpec } from '../../actors/runtime/child.ts'
import { isStarfishError } from '../../messages/errors.ts'
import { optionError, show } from '../../messages/option-faults.ts'
import type { ChildFact } from '../../messages/thread/child-fact.ts'
import type { ActorExit } from '../../messages/thread/exit.ts'
import type { KernelMessage } from '../../messages/thread/kernel-message.ts'
import type { StartedChild } from '../child-host.ts'
import {
  type ResolvedActorSpec,
  type ResolvedChildSpec,
  type ResolvedSupervisorSpec,
  spawnBudget,
} from '../child-spec.ts'
import { timerMsMax } from '../option-check.ts'
import { resolveChildSpec, resolveSupervisorSpec } from '../spec-check.ts'
import type { Kernel } from './kernel.ts'
import { childAddress } from './kernel-child-host.ts'
import type { ExitListener } from './watches.ts'
import { actorsSupervisor, topAddress } from './well-known.ts'

/** True when a supervisor that a thread cannot do without has ended, and not because it was asked to. */
export function hasFailed(fact: ChildFact): boolean {
  if (fact.type !== 'child.exited') return false
  const { reason } = fact.exit
  // A supervisor that gives up ends by shutdown, as OTP's, and says so in the detail.
  return reason.type !== 'shutdown' || reason.detail !== undefined
}

/** Starting a child may take its init, and those of all below it. */
const startTimeoutMs = timerMsMax

/** Starts the supervisor under which the top-level actors of this thread live: each has a restart budget of its own. */
export function bootKernel(kernel: Kernel): void {
  const spec: ResolvedSupervisorSpec = {
    ...resolveSupervisorSpec({ id: 'actors', dynamic: true, budgetPerChild: true, ...spawnBudget }),
    id: actorsSupervisor,
    maxChildren: Number.MAX_SAFE_INTEGER,
  }
  kernel.lifecycle.start({
    address: actorsSupervisor,
    owner: { supervisor: topAddress, childId: actorsSupervisor },
    incarnation: 1,
    spec,
  })
  const inOrder = createOrder()
  kernel.lifecycle.spawnFor = (parent, child) => {
    const spec = chartChildSpec(kernel, parent.entry.address, child)
    const address = spec.id
    // What its parent sends to it, or watches, from now on is meant for it.
    kernel.expected.add(address)
    const start = async () => {
      try {
        if (parent.ended) return
        parent.entry.children.add(address)
        await startTopLevel(kernel, spec)
      } finally {
        kernel.expectNoMore(address)
      }
    }
    inOrder(address, start, error => {
      kernel.log.warn({ actor: parent.entry.address, child: address, err: error }, 'a child could not be started')
    })
  }
  kernel.lifecycle.stopChild = address =>
    inOrder(
      address,
      async () => void (await stopTopLevel(kernel, address)),
      () => {},
    )
}

/**
 * The spec of a chart's child as the supervisor of top-level actors takes it.
 *
 * @throws StarfishError BAD_SPEC
 */
function chartChildSpec(kernel: Kernel, parent: string, child: ActorSpec): ResolvedChildSpec {
  const resolved = resolveChildSpec(child, { id: parent, ...spawnBudget, autoShutdown: 'never' })
  const here = kernel.shard === -1 ? 'main' : kernel.shard
  const { id, shard } = resolved as ResolvedActorSpec
  if (shard === 'auto' || shard === here)
    return { ...resolved, id: childAddress(parent, id), shard: here } as ResolvedActorSpec
  const reason = `is ${show(shard)}, but the children of a chart live where it does: ${here}`
  throw optionError('BAD_SPEC', `bad specification of ${childAddress(parent, id)}`, [{ path: 'shard', reason }])
}

/**
 * Does what concerns one address one after the other: a child that is started again, by the next incarnation of its
 * parent perhaps, waits until the earlier one of that name has ended.
 */
function createOrder(): (address: string, work: () => Promise<void>, failed: (error: unknown) => void) => void {
  const last = new Map<string, Promise<void>>()
  return (address, work, failed) => {
    const before = last.get(address)
    const done = (before === undefined ? work() : before.then(work)).catch(failed).finally(() => {
      if (last.get(address) === done) last.delete(address)
    })
    last.set(address, done)
  }
}

/** Starts a top-level actor or tree of this thread. */
export async function startTopLevel(kernel: Kernel, spec: object): Promise<StartedChild> {
  const event = { type: 'supervisor.startChild', spec }
  return (await kernel.ask(null, actorsSupervisor, event, { timeoutMs: startTimeoutMs })) as StartedChild
}

/** Stops one, by its own shutdown; false when there is none of that id. */
export async function stopTopLevel(kernel: Kernel, id: string): Promise<boolean> {
  const event = { type: 'supervisor.terminateChild', id }
  try {
    await kernel.ask(null, actorsSupervisor, event, { timeoutMs: startTimeoutMs })
    return true
  } catch (error) {
    if (!isStarfishError(error, 'CHILD_NOT_FOUND')) throw error
    return false
  }
}

/**
 * Ends an actor of this thread without asking it; false when it does not live. Settles when a top-level one has been
 * given up, or is about to come back.
 */
export async function killActor(kernel: Kernel, address: string, incarnation: number): Promise<boolean> {
  const isTop = kernel.entries.get(address)?.owner.supervisor === actorsSupervisor
  if (!kernel.lifecycle.kill(address, incarnation)) return false
  if (!isTop) return true
  // Exits are dealt with before commands.
  const look = { type: 'supervisor.whichChildren', id: address }
  await kernel.ask(null, actorsSupervisor, look, { timeoutMs: timerMsMax }).catch(() => {})
  return true
}

/** Stops everything on this thread, right to left; settles when all has ended. */
export async function stopKernel(kernel: Kernel): Promise<void> {
  const supervisor = kernel.entries.get(actorsSupervisor)?.cell
  if (supervisor === undefined) return
  const ended = new Promise<ActorExit>(resolve => kernel.watch(actorsSupervisor, resolve))
  kernel.lifecycle.shutdown(actorsSupervisor, supervisor.incarnation)
  await ended
  // Nobody starts it again: what is asked of it from now on is refused instead of held.
  kernel.lifecycle.remove(actorsSupervisor, topAddress)
}

/** The handling of watches that other threads set on actors of this one. */
export function createWatchService(kernel: Kernel): (message: KernelMessage) => void {
  const listeners = new Map<string, ExitListener>()
  return message => {
    if (message.type === 'kernel.watch') {
      const { address, shard } = message
      const key = `${shard} ${address}`
      if (listeners.has(key)) return
      const listener: ExitListener = exit => {
        listeners.delete(key)
        kernel.tellKernel(shard, { type: 'kernel.exited', exit })
      }
      listeners.set(key, listener)
      // A shard asks the main thread also for what has ended on some other.
      if (kernel.shard === -1) kernel.watch(address, listener)
      else kernel.watchHere(address, listener)
      const entry = kernel.entries.get(address)
      if (entry === undefined) return
      const definition = entry.isSupervisor ? 'supervisor' : entry.definition.exportName
      kernel.tellKernel(shard, { type: 'kernel.watching', address, incarnation: entry.incarnation, definition })
    } else if (message.type === 'kernel.unwatch') {
      const key = `${message.shard} ${message.address}`
      const listener = listeners.get(key)
      listeners.delete(key)
      if (listener !== undefined) kernel.unwatch(message.address, listener)
    } else if (message.type === 'kernel.exited') {
      kernel.tellExit(message.exit)
    }
  }
}

/** A spec whose definitions are references: what can be sent to another thread. */
export function clonableSpec<S extends ResolvedChildSpec>(spec: S): S {
  if (spec.kind === 'supervisor') return { ...spec, children: spec.children.map(clonableSpec) }
  const { moduleUrl, exportName } = spec.definition
  return { ...spec, definition: { moduleUrl, exportName } }
}
