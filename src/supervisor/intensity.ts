/**
 * The restart budget of a supervisor: a sliding window that takes in both of its ends.
 *
 * A restart counts when it is decided, before it is tried. With intensity i and period p a supervisor gives up at the
 * restart at time t when more than i restarts, this one included, lie in [t - p, t]. As in OTP's `add_restart`, save
 * that OTP reads its clock in whole seconds and this one in milliseconds.
 */
import type { ActorExit } from '../messages/thread/exit.ts'
import type { Budget } from './child-spec.ts'

/** Times of the restarts within the period, oldest first: never more than intensity + 1. */
export type RestartWindow = number[]

/**
 * Enters a restart at `nowMs` and forgets those that have left the window.
 *
 * @returns false when the budget is exceeded by it: give up instead of restarting.
 */
export function enterRestart(window: RestartWindow, budget: Budget, nowMs: number): boolean {
  const oldest = nowMs - budget.periodMs
  let left = 0
  while (left < window.length && window[left]! < oldest) left++
  if (left > 0) window.splice(0, left)
  window.push(nowMs)
  return window.length <= budget.intensity
}

/** Which shard losses a supervisor has counted: the last incarnation lost, per shard. */
export type CountedLosses = Map<number, number>

/**
 * Whether an exit is a failure of its own. The actors of a shard die together: the first exit that carries a loss
 * counts for all that carry the same one.
 */
export function isNewFailure(losses: CountedLosses, exit: ActorExit): boolean {
  const loss = exit.shardLoss
  if (loss === undefined) return true
  const counted = losses.get(loss.shard)
  if (counted !== undefined && counted >= loss.incarnation) return false
  losses.set(loss.shard, loss.incarnation)
  return true
}
