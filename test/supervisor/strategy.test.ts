import t from 'tap'
import type { Restart } from '../../src/actors/runtime/child.ts'
import type { ExitReason } from '../../src/messages/thread/exit.ts'
import type { Strategy } from '../../src/supervisor/child-spec.ts'
import {
  afterExit,
  endsSupervisor,
  forgoneOf,
  isShutdownError,
  planRestart,
  staysDefined,
} from '../../src/supervisor/strategy.ts'

const expected: ExitReason[] = [{ type: 'normal' }, { type: 'shutdown' }, { type: 'shutdown', detail: 'why' }]
const failures: ExitReason[] = [
  { type: 'threw', error: 1 },
  { type: 'unhandledRejection', error: 1 },
  { type: 'exited', code: 0 },
  { type: 'outOfMemory' },
  { type: 'stalled', diagnosis: 'spinning', forMs: 1 },
  { type: 'killed' },
  { type: 'bootstrapFailed', error: 1 },
  { type: 'initTimedOut', afterMs: 1 },
  { type: 'noproc' },
]
const child = (id: string, restart: Restart = 'permanent') => ({ id, spec: { restart } })

t.test('permanent children always come back, transient ones after a failure, temporary ones never', async t => {
  for (const reason of [...expected, ...failures]) {
    t.equal(afterExit('permanent', reason), 'restart', reason.type)
    t.equal(afterExit('transient', reason), failures.includes(reason) ? 'restart' : 'end', reason.type)
    t.equal(afterExit('temporary', reason), 'end', reason.type)
  }
})

t.test('an ended child stays defined unless it is temporary or its supervisor dynamic', async t => {
  t.same([staysDefined('permanent', false), staysDefined('transient', false)], [true, true])
  t.same([staysDefined('temporary', false), staysDefined('permanent', true)], [false, false])
})

t.test(
  'each strategy stops right to left, starts left to right, and leaves temporary children out of the start',
  async t => {
    const [a, b, c, d] = [child('a'), child('b', 'temporary'), child('c', 'transient'), child('d')]
    const all = [a, b, c, d]
    t.same(planRestart('one_for_one', all, c), { stop: [], start: [c] })
    t.same(planRestart('one_for_all', all, c), { stop: [d, b, a], start: [a, c, d] })
    t.same(planRestart('rest_for_one', all, c), { stop: [d], start: [c, d] })
    t.same(planRestart('rest_for_one', all, a), { stop: [d, c, b], start: [a, c, d] })
  },
)

t.test(
  'a significant child ends its supervisor under any_significant, the last active one under all_significant',
  async t => {
    const significant = { spec: { significant: true } }
    const other = { spec: { significant: false } }
    const left = (significant: boolean, active: boolean) => ({ spec: { significant }, active })
    t.equal(endsSupervisor('never', significant, []), false)
    t.equal(endsSupervisor('any_significant', significant, [left(true, true)]), true)
    t.equal(endsSupervisor('any_significant', other, []), false)
    t.equal(endsSupervisor('all_significant', significant, [left(true, true)]), false)
    t.equal(endsSupervisor('all_significant', significant, [left(true, false), left(false, true)]), true)
    t.equal(endsSupervisor('all_significant', other, []), false)
  },
)

t.test('an end that a supervisor asked for is an error by the rules of OTP', async t => {
  const [normal, shutdown, detail] = expected as [ExitReason, ExitReason, ExitReason]
  const killed: ExitReason = { type: 'killed' }
  for (const restart of ['transient', 'temporary'] as const) {
    for (const reason of [normal, shutdown, detail]) t.equal(isShutdownError(restart, 1_000, reason), false)
    for (const reason of [normal, shutdown, detail, killed])
      t.equal(isShutdownError(restart, 'brutal_kill', reason), false)
    t.equal(isShutdownError(restart, 1_000, killed), true, 'its time was up')
  }
  t.equal(isShutdownError('permanent', 'infinity', shutdown), false)
  for (const reason of [normal, detail, killed]) t.equal(isShutdownError('permanent', 'infinity', reason), true)
  t.equal(isShutdownError('permanent', 'brutal_kill', killed), false)
  for (const reason of [normal, shutdown, detail]) t.equal(isShutdownError('permanent', 'brutal_kill', reason), true)
})

t.test(
  'what was stopped for a restart that is called off is given up, unless another restart brings it back',
  async t => {
    const forgone = (strategy: Strategy, due: string) =>
      forgoneOf(strategy, ['a', 'b', 'c', 'd'], new Set(['a', 'b', 'd']), child => child === due).join()
    t.equal(forgone('one_for_all', 'c'), '')
    t.equal(forgone('one_for_all', 'none'), 'a,b,d')
    t.equal(forgone('rest_for_one', 'c'), 'a,b', 'those before it stay as they are')
    t.equal(forgone('rest_for_one', 'none'), 'a,b,d')
  },
)
