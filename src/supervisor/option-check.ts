/**
 * Checks of the options of a child that are groups of options themselves.
 */
import type { BackoffOptions, Placement } from '../actors/runtime/child.ts'
import { type Faults, show } from '../messages/option-faults.ts'
import { escalationIsReachable, shortestEscalationMs } from './backoff.ts'
import { type Backoff, type Budget, backoffDefaults } from './child-spec.ts'
import { actorsSupervisor } from './kernel/well-known.ts'

/** More restarts in a period than this are no budget; it bounds what a supervisor remembers. */
export const intensityMax = 10_000

/** The longest time a timer takes, ms: 24 days. */
export const timerMsMax = 2_147_483_647

/** Checks where an actor is to live. */
export function checkPlacement(shard: Placement | undefined, faults: Faults): void {
  if (shard === undefined || shard === 'auto' || shard === 'main' || shard === 'own') return
  if (typeof shard === 'number' && Number.isInteger(shard) && shard >= 0) return
  if (typeof shard === 'object' && shard !== null && typeof shard.with === 'string' && shard.with !== '') return
  const isEvery = (shard as unknown) === 'every'
  if (isEvery) faults.add('shard', 'is "every", which is for spawn: a child has one place')
  else faults.add('shard', `is ${show(shard)}, not auto, main, own, the index of a shard or { with: address }`)
}

/**
 * Checks a backoff and fills it in. One that keeps failures so far apart that the supervisor can never give up on the
 * child is refused, for such a child would be restarted for ever: see {@link shortestEscalationMs}.
 */
export function checkBackoff(
  options: BackoffOptions | undefined,
  restart: string,
  parent: (Budget & { readonly id: string }) | undefined,
  faults: Faults,
): Backoff | undefined {
  if (options === undefined) return undefined
  if (!faults.options('backoff', options, Object.keys(backoffDefaults))) return undefined
  if (restart === 'temporary') faults.add('backoff', 'is not for temporary children: they are never restarted')
  const backoff: Backoff = { ...backoffDefaults, ...withoutUndefined(options) }
  const within = faults.within('backoff')
  within.whole('initialMs', backoff.initialMs, 1, timerMsMax)
  within.whole('maxMs', backoff.maxMs, 1, timerMsMax)
  within.number('factor', backoff.factor, 1, 1_000)
  within.number('jitter', backoff.jitter, 0, 1)
  within.whole('resetAfterMs', backoff.resetAfterMs, 0, timerMsMax)
  within.whole('heldMax', backoff.heldMax, 0, Number.MAX_SAFE_INTEGER)
  if (backoff.maxMs < backoff.initialMs) within.add('maxMs', `is less than initialMs (${backoff.initialMs})`)
  if (within.none && parent !== undefined && hasBudget(parent) && !escalationIsReachable(backoff, parent)) {
    const shortest = shortestEscalationMs(backoff, parent.intensity)
    const budget = `${parent.intensity} restarts in ${parent.periodMs} ms`
    const isFixed = parent.id === actorsSupervisor
    const way = isFixed ? '. That budget is fixed: use supervise, with an intensity and a periodMs of your own' : ''
    faults.add(
      'backoff',
      `never lets the supervisor give up: its budget is ${budget}, but ${shortest} ms pass at least${way}`,
    )
  }
  return backoff
}

/** Whether the budget itself is sound; its own faults are told elsewhere. */
function hasBudget({ intensity, periodMs }: Budget): boolean {
  return Number.isInteger(intensity) && intensity >= 0 && intensity <= intensityMax && periodMs > 0
}

/** An option that is given as undefined counts as left out. */
export function withoutUndefined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}
