/**
 * How long a child that failed is left alone, and whether that still lets its supervisor give up on it.
 */
import type { Backoff, Budget } from './child-spec.ts'

/** How waits grow from one failure to the next: what {@link backoffMs} looks at. */
export type WaitCurve = Pick<Backoff, 'initialMs' | 'maxMs' | 'factor' | 'jitter'>

/**
 * The wait before the try that follows failure number `failures` (from 1) in a row, in whole ms.
 *
 * @param chance in [0, 1): how much of the jitter is taken off.
 */
export function backoffMs(backoff: WaitCurve, failures: number, chance: number): number {
  const full = Math.min(backoff.maxMs, backoff.initialMs * backoff.factor ** (failures - 1))
  return Math.floor(full * (1 - backoff.jitter * chance))
}

/** How many failures in a row the one at `nowMs` makes, for a child that had `failures` and ran since `startedAtMs`. */
export function failuresInARow(backoff: Backoff, failures: number, startedAtMs: number, nowMs: number): number {
  return nowMs - startedAtMs >= backoff.resetAfterMs ? 1 : failures + 1
}

/**
 * The shortest time, ms, in which a child with this backoff can use up the budget: from the first restart that counts
 * to the one that is too many, when it fails the moment it starts.
 *
 * Giving up takes intensity + 1 restarts in one period, so `intensity` waits lie between the first and the last. Each
 * wait is at its shortest w(n), all jitter taken off. The child may also run for `resetAfterMs` and begin again with
 * the first wait. Of all ways to spread the waits over such runs (lengths that sum to `intensity`) the shortest counts:
 *
 *     min over runs of  sum over runs (w(1) + … + w(length))  +  (runs - 1) * resetAfterMs
 *
 * Because waits never get shorter within a run, equal lengths are best for a given number of runs.
 */
export function shortestEscalationMs(backoff: Backoff, intensity: number): number {
  const sums = [0]
  for (let n = 1; n <= intensity; n++) sums.push(sums[n - 1]! + backoffMs(backoff, n, 1))
  let shortest = sums[intensity]!
  for (let runs = 2; runs <= intensity; runs++) {
    const length = Math.floor(intensity / runs)
    const longer = intensity % runs
    const waits = longer * sums[length + 1]! + (runs - longer) * sums[length]!
    shortest = Math.min(shortest, waits + (runs - 1) * backoff.resetAfterMs)
  }
  return shortest
}

/** Whether a child that never stops failing makes its supervisor give up: otherwise it would be restarted for ever. */
export function escalationIsReachable(backoff: Backoff, budget: Budget): boolean {
  return shortestEscalationMs(backoff, budget.intensity) <= budget.periodMs
}
