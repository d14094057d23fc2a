/**
 * The rules of OTP's supervisor as decisions: what an exit, or a failed start, calls for. docs/semantics.md states each
 * in words.
 *
 * @see https://github.com/erlang/otp/blob/master/lib/stdlib/src/supervisor.erl
 */
import type { Restart, Shutdown } from '../actors/runtime/child.ts'
import { type ActorExit, type ExitReason, isAbnormal } from '../messages/thread/exit.ts'
import type { AutoShutdown, Strategy } from './child-spec.ts'

/** Whether a child that ended by itself is started again. */
export function afterExit(restart: Restart, reason: ExitReason): 'restart' | 'end' {
  if (restart === 'permanent') return 'restart'
  return restart === 'transient' && isAbnormal(reason) ? 'restart' : 'end'
}

/** Whether a child ended because its shard was given a new worker by command. */
export function isReplaced({ reason, shardLoss }: Pick<ActorExit, 'reason' | 'shardLoss'>): boolean {
  return reason.type === 'shutdown' && shardLoss !== undefined
}

/** Whether a child that has ended, or declined to start, stays defined. */
export function staysDefined(restart: Restart, dynamic: boolean): boolean {
  return restart !== 'temporary' && !dynamic
}

/** What {@link planRestart} has to know of a child. */
export interface GroupMember {
  readonly id: string
  readonly spec: { readonly restart: Restart }
}

/** What a restart consists of. First `stop`, in that order, each waited for; then `start`, in that order. */
export interface RestartPlan<TChild> {
  /** Right to left. Those that do not run any more are passed over. */
  readonly stop: TChild[]
  /** Left to right: every defined child of the group that is not temporary, however it had ended. */
  readonly start: TChild[]
}

/**
 * What to stop and start when `failed` is to be restarted.
 *
 * @param children in start order, `failed` among them; not looked at for `one_for_one`.
 */
export function planRestart<TChild extends GroupMember>(
  strategy: Strategy,
  children: Iterable<TChild>,
  failed: TChild,
): RestartPlan<TChild> {
  if (strategy === 'one_for_one') return { stop: [], start: [failed] }
  const group: TChild[] = []
  let inGroup = strategy === 'one_for_all'
  for (const child of children) {
    inGroup ||= child === failed
    if (inGroup) group.push(child)
  }
  return {
    stop: group.filter(child => child !== failed).reverse(),
    start: group.filter(child => child.spec.restart !== 'temporary'),
  }
}

/**
 * Of the children that were stopped for a restart of their group, those that no restart that is due brings back.
 *
 * @param children in start order; not of a supervisor with `one_for_one`, which stops none.
 */
export function forgoneOf<TChild>(
  strategy: Strategy,
  children: Iterable<TChild>,
  stopped: ReadonlySet<TChild>,
  isDue: (child: TChild) => boolean,
): TChild[] {
  const before: TChild[] = []
  for (const child of children) {
    if (isDue(child)) return strategy === 'one_for_all' ? [] : before
    if (stopped.has(child)) before.push(child)
  }
  return before
}

/** What {@link endsSupervisor} has to know of a child. */
export interface SignificantMember {
  readonly spec: { readonly significant: boolean }
  /** It runs, is being started, or is about to be. */
  readonly active: boolean
}

/**
 * Whether the end of a child, for good and by itself, ends its supervisor.
 *
 * @param others the children that are left; not looked at unless it is `all_significant`.
 */
export function endsSupervisor(
  autoShutdown: AutoShutdown,
  ended: { readonly spec: { readonly significant: boolean } },
  others: Iterable<SignificantMember>,
): boolean {
  if (autoShutdown === 'never' || !ended.spec.significant) return false
  if (autoShutdown === 'any_significant') return true
  for (const other of others) if (other.spec.significant && other.active) return false
  return true
}

/** Whether a child that its supervisor told to end did so in an unexpected way, which is reported and changes nothing. */
export function isShutdownError(restart: Restart, shutdown: Shutdown, reason: ExitReason): boolean {
  if (shutdown === 'brutal_kill' && reason.type === 'killed') return false
  if (shutdown !== 'brutal_kill' && reason.type === 'shutdown' && reason.detail === undefined) return false
  return restart === 'permanent' || isAbnormal(reason)
}
