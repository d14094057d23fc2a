/** Timers of compiled charts fire once, never early, in order; and a wheel costs its clock one timer, or none. */
import t from 'tap'
import { createClockTimers, createTimingWheel } from '../../../src/actors/runtime/chart-timers.ts'
import { type Clock, createRandom } from '../../../src/actors/runtime/clock.ts'
import type { ChartInstance, ChartTimers } from '../../../src/actors/runtime/compiled-chart.ts'
import { createStepClock, type StepClock } from './chart-runs.ts'

/** The part of an instance that timers use. */
function createInstance(chart: ChartInstance['chart'] = { id: 'x', timerSlots: [], expire: () => undefined }) {
  return { chart, timerHandles: undefined } as unknown as ChartInstance
}

/** Counts the timers a clock holds. */
function countTimers(clock: Clock): Clock & { pending: number; set: number } {
  const handles = new Set<unknown>()
  let set = 0
  return {
    now: clock.now,
    get pending() {
      return handles.size
    },
    get set() {
      return set
    },
    setTimeout(fn, ms) {
      set += 1
      const handle = clock.setTimeout(() => {
        handles.delete(handle)
        fn()
      }, ms)
      handles.add(handle)
      return handle
    },
    clearTimeout(handle) {
      handles.delete(handle)
      clock.clearTimeout(handle)
    },
  }
}

type Create = (clock: Clock, expire?: (instance: ChartInstance, slot: number) => void) => ChartTimers

const kinds: readonly (readonly [name: string, tickMs: number, create: Create])[] = [
  ['clock timers', 0, (clock, expire) => createClockTimers(clock, expire)],
  ['timing wheel', 10, (clock, expire) => createTimingWheel(clock, expire ? { tickMs: 10, expire } : { tickMs: 10 })],
]

for (const [name, tickMs, create] of kinds) {
  t.test(
    `${name}: a timer fires once, not early and at most a tick late, unless it is cleared or set anew`,
    async t => {
      const clock = createStepClock()
      const fired: [slot: number, at: number][] = []
      const timers = create(clock, (_instance, slot) => fired.push([slot, clock.now()]))
      const instance = createInstance()
      timers.set(instance, 0, 25)
      timers.set(instance, 1, 25)
      timers.set(instance, 2, 7_000)
      timers.set(instance, 1, 95)
      timers.set(instance, 3, 25)
      timers.clear(instance, 3)
      timers.clear(instance, 4)
      t.equal(timers.remainingMs(instance, 1), 95)
      t.equal(timers.remainingMs(instance, 3), undefined)
      clock.advanceTo(60)
      t.equal(timers.remainingMs(instance, 0), undefined)
      t.equal(timers.remainingMs(instance, 1), 35)
      clock.advanceTo(20_000)
      t.same(
        fired.map(([slot]) => slot),
        [0, 1, 2],
      )
      for (const [slot, at] of fired) {
        const dueMs = [25, 95, 7_000][slot]!
        t.ok(at >= dueMs && at <= dueMs + tickMs, `slot ${slot} due at ${dueMs} fired at ${at}`)
      }
    },
  )

  t.test(`${name}: by default the chart of the instance takes the event`, async t => {
    const clock = createStepClock()
    const expired: unknown[] = []
    const chart = { id: 'x', timerSlots: ['a'], expire: (...args: unknown[]) => void expired.push(args) }
    const instance = createInstance(chart)
    create(clock).set(instance, 0, 5)
    clock.advanceTo(100)
    t.same(expired.length, 1)
    t.same((expired[0] as unknown[])[0], instance)
  })

  t.test(`${name}: a timer that is set anew while another of its tick fires waits for its new time`, async t => {
    const clock = createStepClock()
    const fired: string[] = []
    const instance = createInstance()
    const timers = create(clock, (_instance, slot) => {
      fired.push(`${slot} after ${Math.floor(clock.now() / 100)}`)
      if (slot === 0) timers.set(instance, 1, 500)
    })
    timers.set(instance, 0, 12)
    timers.set(instance, 1, 13)
    clock.advanceTo(1_000)
    t.same(fired, ['0 after 0', '1 after 5'])
  })

  t.test(`${name}: a timer may be set again, and others cleared, while it fires`, async t => {
    const clock = createStepClock()
    const fired: number[] = []
    const instance = createInstance()
    const timers = create(clock, (_instance, slot) => {
      fired.push(slot)
      if (slot === 0 && fired.length < 3) timers.set(instance, 0, 0)
      if (slot === 0) timers.clear(instance, 1)
    })
    timers.set(instance, 0, 12)
    timers.set(instance, 1, 13)
    clock.advanceTo(1_000)
    t.same(fired, [0, 0, 0])
  })
}

t.test('a wheel holds one timer of its clock while it has timers, none while it is empty', async t => {
  const steps = createStepClock()
  const clock = countTimers(steps)
  const wheel = createTimingWheel(clock, { tickMs: 10, expire: () => undefined })
  t.equal(clock.pending, 0)
  const instances = Array.from({ length: 1_000 }, () => createInstance())
  for (const [at, instance] of instances.entries()) wheel.set(instance, 0, 5_000 + at)
  t.equal(wheel.size, 1_000)
  t.equal(clock.pending, 1)
  t.equal(clock.set, 1, 'later timers do not touch the clock')
  for (const instance of instances) wheel.clear(instance, 0)
  t.equal(clock.pending, 0)
  wheel.set(instances[0]!, 0, 60_000)
  t.equal(clock.pending, 1)
  steps.advanceTo(70_000)
  t.equal(clock.pending, 0)
  t.equal(wheel.size, 0)
})

t.test('a wheel agrees with a list of timers over random sets, clears and pauses', async t => {
  for (let seed = 1; seed <= 30; seed++) {
    const difference = compareWithList(createStepClock(), createRandom(seed))
    t.equal(difference, undefined, `seed ${seed}`)
  }
})

/** Random work on a wheel beside a plain map of due times; returns what differs. */
function compareWithList(clock: StepClock, random: () => number): string | undefined {
  const tickMs = 1 + Math.floor(random() * 40)
  const due = new Map<string, number>()
  const instances = Array.from({ length: 20 }, () => createInstance())
  let problem: string | undefined
  const wheel = createTimingWheel(clock, {
    tickMs,
    expire(instance, slot) {
      const key = `${instances.indexOf(instance)}.${slot}`
      const dueMs = due.get(key)
      due.delete(key)
      if (dueMs === undefined) problem = `${key} fired though it was not set`
      else if (clock.now() < dueMs) problem = `${key} fired at ${clock.now()}, before ${dueMs}`
      else if (clock.now() > dueMs + tickMs) problem = `${key} fired at ${clock.now()}, long after ${dueMs}`
    },
  })
  for (let step = 0; step < 400 && problem === undefined; step++) {
    const at = Math.floor(random() * instances.length)
    const slot = Math.floor(random() * 3)
    const chance = random()
    if (chance < 0.5) {
      const delayMs = random() < 0.2 ? random() * 40_000 : random() * 300
      wheel.set(instances[at]!, slot, delayMs)
      due.set(`${at}.${slot}`, clock.now() + delayMs)
    } else if (chance < 0.7) {
      wheel.clear(instances[at]!, slot)
      due.delete(`${at}.${slot}`)
    } else clock.advanceTo(clock.now() + random() * 200)
    if (wheel.size !== due.size) problem ??= `the wheel holds ${wheel.size} timers, not ${due.size}`
  }
  clock.advanceTo(clock.now() + 100_000)
  return problem ?? (due.size === 0 ? undefined : `${due.size} timers never fired`)
}

t.test('a clock that calls early or very late makes no timer early and loses none', async t => {
  let nowMs = 0
  const calls: { fn: () => void; ms: number }[] = []
  const clock: Clock = {
    now: () => nowMs,
    setTimeout: (fn, ms) => calls.push({ fn, ms }),
    clearTimeout: () => undefined,
  }
  const fired: number[] = []
  const wheel = createTimingWheel(clock, { tickMs: 10, expire: (_instance, slot) => fired.push(slot) })
  const instance = createInstance()
  wheel.set(instance, 1, 15)
  wheel.set(instance, 0, 12)
  nowMs = 19.5
  calls.shift()!.fn()
  t.same(fired, [], 'half a millisecond early is early')
  t.match(calls[0], { ms: 0.5 })
  wheel.set(instance, 2, 30_000)
  nowMs = 900_000
  calls.shift()!.fn()
  t.same(fired, [0, 1, 2], 'in the order of their due times')
  t.equal(wheel.size, 0)
})

t.test('what one timer throws does not keep the others of its tick from firing', async t => {
  const clock = createStepClock()
  const fired: number[] = []
  const wheel = createTimingWheel(clock, {
    tickMs: 10,
    expire(_instance, slot) {
      fired.push(slot)
      if (slot < 2) throw new Error(`slot ${slot}`)
    },
  })
  const instance = createInstance()
  for (const slot of [0, 1, 2]) wheel.set(instance, slot, 5 + slot)
  wheel.set(instance, 3, 50)
  t.throws(() => clock.advanceTo(10), AggregateError)
  t.same(fired, [0, 1, 2])
  clock.advanceTo(60)
  t.same(fired, [0, 1, 2, 3])
})

t.test('a wheel whose ticks have no length is refused', async t => {
  for (const tickMs of [0, -1, Number.NaN])
    t.throws(() => createTimingWheel(createStepClock(), { tickMs }), { code: 'BAD_CONFIG' })
})
