import t, { type Test } from 'tap'
import { type Clock, createVirtualClock, systemClock } from '../../../src/actors/runtime/clock.ts'
import { Deadline, Deadlines, idleMax } from '../../../src/actors/runtime/deadlines.ts'

/** Deadlines whose timers are counted; what fell due is noted with the time. */
function createCounted(t: Test, clock: Clock, keepsAlive: boolean) {
  const timers = new Set<unknown>()
  const fallen: [Deadline, number][] = []
  let made = 0
  const counted: Clock = {
    now: () => clock.now(),
    setTimeout(fn, ms) {
      made++
      const timer = clock.setTimeout(() => {
        timers.delete(timer)
        fn()
      }, ms)
      timers.add(timer)
      return timer
    },
    clearTimeout(timer) {
      timers.delete(timer)
      clock.clearTimeout(timer)
    },
  }
  const deadlines = new Deadlines(counted, keepsAlive, deadline => fallen.push([deadline, clock.now()]))
  t.teardown(() => deadlines.close())
  return {
    deadlines,
    fallen,
    timers,
    made: () => made,
    set(timeoutMs: number): Deadline {
      const deadline = new Deadline()
      deadlines.set(deadline, timeoutMs, clock.now())
      return deadline
    },
  }
}

t.test(
  'each falls due at its time, those of one length in the order they were set; one taken back does not',
  async t => {
    const clock = createVirtualClock()
    const { deadlines, fallen, set, timers } = createCounted(t, clock, false)
    const first = set(50)
    const second = set(50)
    await clock.advance(20)
    const third = set(50)
    const short = set(10)
    deadlines.clear(second)
    deadlines.clear(second)
    await clock.advance(100)
    t.same(fallen, [
      [short, 30],
      [first, 50],
      [third, 70],
    ])
    t.equal(timers.size, 0)
  },
)

for (const [name, clock, keepsAlive] of [
  ['a virtual clock', createVirtualClock(), false],
  ['a virtual clock, whose timers keep the process alive', createVirtualClock(), true],
  ['a thread that is kept alive', systemClock, false],
  ['a process that the deadlines keep alive', systemClock, true],
] as const) {
  t.test(`lengths that are all different leave no more than ${idleMax} timers behind, on ${name}`, async t => {
    const { deadlines, set, timers } = createCounted(t, clock, keepsAlive)
    for (let timeoutMs = 1; timeoutMs <= 1_000; timeoutMs++) {
      deadlines.clear(set(3_600_000 + timeoutMs))
      t.ok(timers.size <= idleMax, `${timers.size} timers`)
    }
    deadlines.close()
    t.equal(timers.size, 0)
  })
}

t.test('equal lengths share one timer, also beside ever different ones', async t => {
  const { deadlines, made, set } = createCounted(t, createVirtualClock(), false)
  deadlines.clear(set(5_000))
  for (let timeoutMs = 1; timeoutMs <= 500; timeoutMs++) {
    deadlines.clear(set(10_000 + timeoutMs))
    deadlines.clear(set(5_000))
  }
  t.equal(made(), 501)
})

t.test('as many lengths as are waited for fall due, each at its time', async t => {
  const clock = createVirtualClock()
  const { deadlines, fallen, set, timers } = createCounted(t, clock, false)
  const open = Array.from({ length: 300 }, (_, index) => set(1_000 + index))
  for (let timeoutMs = 1; timeoutMs <= 300; timeoutMs++) deadlines.clear(set(5_000 + timeoutMs))
  await clock.advance(10_000)
  t.same(
    fallen,
    open.map((deadline, index) => [deadline, 1_000 + index]),
  )
  t.equal(timers.size, 0, 'timers that stood by have fallen too')
})

t.test('one that is over, taken back or past, has no link to another', async t => {
  const clock = createVirtualClock()
  const { deadlines, fallen, set } = createCounted(t, clock, false)
  const [past, takenBack, waiting] = [set(10), set(50), set(50)]
  await clock.advance(20)
  deadlines.clear(takenBack)
  t.same(fallen, [[past, 10]])
  for (const over of [past, takenBack]) {
    t.equal(over.next, over)
    t.equal(over.previous, over)
  }
  t.not(waiting.next, waiting)
})
