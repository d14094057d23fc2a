/**
 * The host of a supervisor's children: those of its own thread are started and ended by this kernel, those of other
 * threads by way of the {@link RemoteChildren} of the main thread.
 */
import type { ReplyToken as ActorReplyToken } from '../../actors/runtime/runtime-actions.ts'
import type { ChildFact } from '../../messages/thread/child-fact.ts'
import type { ExitReason } from '../../messages/thread/exit.ts'
import type { ChildHost, SupervisorFact } from '../child-host.ts'
import type { ResolvedChildSpec } from '../child-spec.ts'
import { abandon, type SupervisorState } from '../supervisor-state.ts'
import type { ActorCell } from './cell.ts'
import type { ChildStart } from './child-start.ts'
import type { Kernel } from './kernel.ts'
import type { LogFields } from './kernel-log.ts'
import { actorsSupervisor } from './well-known.ts'

/** Children that live on other threads; only supervisors of the main thread have some. */
export interface RemoteChildren {
  /** The shard on which a child is to live; undefined for the main thread. */
  placeOf(address: string, spec: ResolvedChildSpec): number | undefined
  start(shard: number, request: ChildStart): void
  shutdown(shard: number, address: string, incarnation: number): void
  kill(shard: number, address: string, incarnation: number): void
  remove(shard: number, address: string, supervisor: string): void
}

/** The address of a supervisor's child. */
export function childAddress(supervisor: string, id: string): string {
  return supervisor === actorsSupervisor ? id : `${supervisor}/${id}`
}

/** The host of one incarnation of a supervisor. */
export function createKernelChildHost(kernel: Kernel, cell: ActorCell, remote: RemoteChildren | undefined): ChildHost {
  const { address: supervisor } = cell.entry
  const places = new Map<string, number>()
  const addressOf = (id: string) => childAddress(supervisor, id)
  const placeOf = ({ address, incarnation, spec }: ChildStart): number | undefined | 'nowhere' => {
    try {
      return remote?.placeOf(address, spec)
    } catch (error) {
      const reason: ExitReason = { type: 'bootstrapFailed', error }
      kernel.send(
        address,
        supervisor,
        { type: 'child.startFailed', id: spec.id, incarnation, reason } as ChildFact,
        'control',
      )
      return 'nowhere'
    }
  }
  return {
    addressOf,
    start({ id, spec }) {
      const address = addressOf(id)
      const incarnation = kernel.incarnations.next(address)
      const request: ChildStart = { address, owner: { supervisor, childId: id }, incarnation, spec }
      const shard = placeOf(request)
      if (shard === 'nowhere') return incarnation
      if (shard === undefined) kernel.lifecycle.start(request)
      else {
        places.set(id, shard)
        kernel.incarnations.note(address, incarnation)
        const checkpoint = kernel.checkpoints.take(address)
        remote?.start(shard, checkpoint === undefined ? request : { ...request, checkpoint })
      }
      return incarnation
    },
    shutdown(id, incarnation) {
      const shard = places.get(id)
      if (shard === undefined) kernel.lifecycle.shutdown(addressOf(id), incarnation)
      else remote?.shutdown(shard, addressOf(id), incarnation)
    },
    kill(id, incarnation) {
      const shard = places.get(id)
      if (shard === undefined) kernel.lifecycle.kill(addressOf(id), incarnation)
      else remote?.kill(shard, addressOf(id), incarnation)
    },
    // An address without an incarnation holds its messages until it is released.
    hold() {},
    release(id, outcome) {
      if (outcome === 'restarted') return
      const shard = places.get(id)
      places.delete(id)
      kernel.incarnations.retire(addressOf(id))
      if (shard === undefined) kernel.lifecycle.remove(addressOf(id), supervisor)
      else remote?.remove(shard, addressOf(id), supervisor)
    },
    ready: () => kernel.lifecycle.announce(cell),
    post: event => kernel.send(null, supervisor, event, 'control'),
    answer(reply, answer) {
      if (reply === undefined || reply === null) return
      const token = reply as ActorReplyToken
      cell.openRequests.close(token)
      kernel.reply(token, 'ok' in answer ? { ok: true, value: answer.ok } : { ok: false, error: answer.error })
    },
    report: fact => report(kernel, supervisor, fact),
  }
}

/** Kills what a supervisor leaves behind that ended unasked, as OTP's links would, and gives its addresses up. */
export function killOrphans(cell: ActorCell): void {
  const state = cell.engine?.context as SupervisorState | undefined
  if (state === undefined) return
  for (const { id, incarnation } of abandon(state)) state.host.kill(id, incarnation)
  // Also those of children that were about to come back: what is held for them is lost.
  for (const id of state.children.keys()) state.host.release(id, 'ended')
}

function report(kernel: Kernel, supervisor: string, fact: SupervisorFact): void {
  const { log } = kernel
  switch (fact.type) {
    case 'child.started': {
      const { id, cause, attempt, incarnation } = fact
      if (cause !== 'restart') return
      kernel.facts.add({ kind: 'restart', address: childAddress(supervisor, id), supervisor, delayMs: 0 })
      log.info({ supervisor, child: id, incarnation, attempt }, 'child restarted')
      return
    }
    case 'child.backingOff':
      kernel.facts.add({
        kind: 'restart',
        address: childAddress(supervisor, fact.id),
        supervisor,
        delayMs: fact.delayMs,
      })
      return
    case 'child.terminated':
    case 'child.startFailed':
    case 'child.shutdownError':
    case 'child.gaveUp':
      log.warn({ supervisor, child: fact.id, ...loggable(fact.reason) }, fact.type)
      return
    case 'supervisor.gaveUp':
      log.error({ supervisor, ...loggable(fact.reason) }, fact.type)
  }
}

/** The reason in fields: its type and figures, the child that was to blame, and the error at the bottom of it. */
function loggable(reason: ExitReason): LogFields {
  if ('error' in reason) return { reason: reason.type, err: reason.error }
  if (reason.type === 'shutdown' && reason.culprit !== undefined) {
    const { detail, culprit } = reason
    return { ...loggable(culprit.reason), reason: reason.type, detail, culprit: culprit.id }
  }
  const { type, ...figures } = reason
  return { reason: type, ...figures }
}
