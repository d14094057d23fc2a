import fc from 'fast-check'
import t from 'tap'
import { backoffMs, escalationIsReachable, failuresInARow, shortestEscalationMs } from '../../src/supervisor/backoff.ts'
import type { Backoff } from '../../src/supervisor/child-spec.ts'

const plain: Backoff = { initialMs: 100, maxMs: 1_000, factor: 2, jitter: 0, resetAfterMs: 5_000, heldMax: 10 }

const anyBackoff: fc.Arbitrary<Backoff> = fc.record({
  initialMs: fc.integer({ min: 1, max: 500 }),
  maxMs: fc.integer({ min: 500, max: 5_000 }),
  factor: fc.double({ min: 1, max: 4, noNaN: true }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  resetAfterMs: fc.nat(3_000),
  heldMax: fc.constant(10),
})

t.test('waits grow by the factor up to their maximum', async t => {
  t.same(
    [1, 2, 3, 4, 5, 6].map(n => backoffMs(plain, n, 0.5)),
    [100, 200, 400, 800, 1_000, 1_000],
  )
  t.equal(backoffMs(plain, 10_000, 0), 1_000, 'an overflow of the power is the maximum')
})

t.test('jitter only ever shortens a wait, by at most its part', async () => {
  fc.assert(
    fc.property(
      anyBackoff,
      fc.integer({ min: 1, max: 20 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (backoff, n, chance) => {
        const ms = backoffMs(backoff, n, chance)
        return ms <= backoffMs(backoff, n, 0) && ms >= backoffMs(backoff, n, 1) && Number.isInteger(ms)
      },
    ),
  )
})

t.test('a run of resetAfterMs makes the next failure the first again', async t => {
  t.equal(failuresInARow(plain, 3, 0, 4_999), 4)
  t.equal(failuresInARow(plain, 3, 0, 5_000), 1)
})

/** The shortest time to `waits` waits by trying every way to split them into runs. */
function shortestByTrying(backoff: Backoff, waits: number): number {
  if (waits === 0) return 0
  let shortest = Number.POSITIVE_INFINITY
  let run = 0
  for (let length = 1; length <= waits; length++) {
    run += backoffMs(backoff, length, 1)
    const rest = waits - length
    const more = rest === 0 ? 0 : backoff.resetAfterMs + shortestByTrying(backoff, rest)
    shortest = Math.min(shortest, run + more)
  }
  return shortest
}

t.test('the shortest escalation is the least over all ways to fail', async () => {
  fc.assert(
    fc.property(anyBackoff, fc.nat(9), (backoff, intensity) => {
      return shortestEscalationMs(backoff, intensity) === shortestByTrying(backoff, intensity)
    }),
  )
})

t.test('giving up is reachable up to the very edge of the period, which the window takes in', async t => {
  t.equal(shortestEscalationMs(plain, 3), 700)
  t.equal(escalationIsReachable(plain, { intensity: 3, periodMs: 700 }), true)
  t.equal(escalationIsReachable(plain, { intensity: 3, periodMs: 699 }), false)
  t.equal(escalationIsReachable(plain, { intensity: 0, periodMs: 1 }), true, 'without restarts there is no wait')
  t.equal(
    escalationIsReachable({ ...plain, jitter: 1 }, { intensity: 9, periodMs: 1 }),
    true,
    'jitter may take all of it',
  )
  const quick = { ...plain, initialMs: 400, resetAfterMs: 10 }
  t.equal(shortestEscalationMs(quick, 3), 400 * 3 + 10 * 2, 'short runs in between are quicker than longer waits')
})
