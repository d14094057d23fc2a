/** The retry policy: what is tried again, when, and how often of all requests. */
import t from 'tap'
import { createRandom } from '../../../src/actors/runtime/clock.ts'
import {
  decideRetry,
  type FailedAttempt,
  RetryBudget,
  type RetryPolicy,
  retryDefaults,
} from '../../../src/services/clients/retry-policy.ts'

const policy: RetryPolicy = { initialMs: 10, maxMs: 100, factor: 2, ratio: 0.2, perSecond: 10, savedMax: 50 }
const failed: FailedAttempt = {
  attempt: 1,
  error: { retryable: true, handled: 'no' },
  isIdempotent: false,
  leftMs: 1_000,
  inBudget: true,
}
const never = () => {
  throw new Error('no chance is needed to give up')
}

t.test('only what will pass and was certainly not handled is tried again', async t => {
  const unknown = { retryable: true, handled: 'unknown' } as const
  const table: readonly [Partial<FailedAttempt>, string | undefined][] = [
    [{}, undefined],
    [{ isIdempotent: true }, undefined],
    [{ error: unknown }, 'mayBeHandled'],
    [{ error: { retryable: true } }, 'mayBeHandled'],
    [{ error: unknown, isIdempotent: true }, undefined],
    [{ error: { retryable: false, handled: 'no' }, isIdempotent: true }, 'notRetryable'],
    [{ inBudget: false }, 'budget'],
  ]
  for (const [change, reason] of table) {
    const attempt = { ...failed, ...change }
    if (reason === undefined)
      t.type(
        decideRetry(attempt, policy, () => 0.5),
        'number',
      )
    else t.equal(decideRetry(attempt, policy, never), reason)
  }
})

t.test('pauses are up to twice as long each time, to a limit, and of any length up to that', async t => {
  const longest = [1, 2, 3, 4, 5, 6, 99].map(attempt => decideRetry({ ...failed, attempt }, policy, () => 0))
  t.same(longest, [10, 20, 40, 80, 100, 100, 100])
  const random = createRandom(1)
  const pauses = Array.from({ length: 2_000 }, () => decideRetry({ ...failed, attempt: 4 }, policy, random) as number)
  const least = Math.min(...pauses)
  const most = Math.max(...pauses)
  const mean = pauses.reduce((sum, pause) => sum + pause, 0) / pauses.length
  t.ok(least <= 1 && most <= 80 && most >= 79 && Math.abs(mean - 40) < 2, `${least} to ${most}, ${mean} on average`)
})

t.test('a pause that would last to the deadline is not begun', async t => {
  t.equal(
    decideRetry({ ...failed, leftMs: 11 }, policy, () => 0),
    10,
  )
  t.equal(
    decideRetry({ ...failed, leftMs: 10 }, policy, () => 0),
    'deadline',
  )
  t.equal(
    decideRetry({ ...failed, leftMs: -1 }, policy, () => 0.999),
    'deadline',
  )
})

t.test('retries are a fraction of requests, beside a few a second', async t => {
  const budget = new RetryBudget(policy, 0)
  let retries = 0
  let requests = 0
  const spendAll = (nowMs: number) => {
    while (budget.left(nowMs) > 0) {
      budget.spend()
      retries++
    }
  }
  spendAll(0)
  t.equal(retries, policy.savedMax, 'it begins full')
  for (let nowMs = 0; nowMs < 10_000; nowMs++) {
    requests++
    budget.earn()
    spendAll(nowMs)
  }
  t.ok(Math.abs(retries - policy.savedMax - (requests * 0.2 + 100)) <= 1, `${retries} retries of ${requests} requests`)
})

t.test('what is saved has a limit, and a clock that stands still or goes back earns nothing', async t => {
  const budget = new RetryBudget(policy, 1_000)
  for (let n = 0; n < 1_000; n++) budget.earn()
  t.equal(budget.left(1_000), 50)
  t.equal(budget.left(60_000), 50)
  for (let n = 0; n < 50; n++) budget.spend()
  t.equal(budget.left(60_000), 0)
  t.equal(budget.left(50_000), 0)
  t.equal(budget.left(60_100), 1)
  t.equal(new RetryBudget({ ...retryDefaults, savedMax: 0 }, 0).left(1e9), 0, 'no budget, no retry')
})
