import t from 'tap'
import { type Clock, createProcessClock, createVirtualClock, systemClock } from '../../../src/actors/runtime/clock.ts'

const dayMs = 86_400_000

function waitOn(clock: Clock, ms: number): Promise<void> {
  return new Promise(resolve => clock.setTimeout(resolve, ms))
}

t.test('a wait that is longer than a timer of Node can be takes several, and its whole time', async t => {
  const clock = createProcessClock(5)
  const fromMs = clock.now()
  await waitOn(clock, 32)
  t.ok(clock.now() - fromMs >= 31, `${clock.now() - fromMs} ms`)
})

t.test('a wait of several timers ends when it is cleared, in whichever of them it is', async t => {
  const clock = createProcessClock(5)
  let fired = 0
  const timers = [1, 12].map(ms => ({
    timer: clock.setTimeout(() => {
      fired++
    }, 60),
    ms,
  }))
  for (const { timer, ms } of timers) {
    await waitOn(clock, ms)
    clock.clearTimeout(timer)
  }
  await waitOn(clock, 70)
  t.equal(fired, 0)
})

t.test('a timer for a month does not fire at once', async t => {
  let fired = 0
  const timer = systemClock.setTimeout(() => {
    fired++
  }, 30 * dayMs)
  t.teardown(() => systemClock.clearTimeout(timer))
  await waitOn(systemClock, 20)
  t.equal(fired, 0)
})

t.test('a wait that is no finite number is refused by both clocks', async t => {
  for (const clock of [systemClock, createVirtualClock()]) {
    for (const ms of [Number.POSITIVE_INFINITY, Number.NaN, '1' as never, undefined as never]) {
      t.throws(() => clock.setTimeout(() => {}, ms), { code: 'BAD_CONFIG', details: { option: 'ms' } }, String(ms))
    }
  }
})
