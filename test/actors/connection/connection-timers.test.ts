/** The wheel fires every timer once, never early, at most a tick late, and wakes for nothing else. */
import t from 'tap'
import { createConnectionTimers, type TimedRecord } from '../../../src/actors/connection/connection-timers.ts'
import { type Clock, createRandom, createVirtualClock, type TimerHandle } from '../../../src/actors/runtime/clock.ts'
import type { ChartInstance } from '../../../src/actors/runtime/compiled-chart.ts'

interface Entry extends TimedRecord {
  readonly name: number
}

const entry = (name: number): { record: Entry; instance: ChartInstance } => {
  const record = { name, timerSlot: -1, timerDueTick: 0, timerNext: undefined, timerPrevious: undefined }
  return { record, instance: { scope: record } as unknown as ChartInstance }
}

t.test('seeded timers, some cleared, some set anew, fire when they are due', async t => {
  const clock = createVirtualClock(123_456.7)
  const random = createRandom(4)
  const fired = new Map<number, number>()
  const timers = createConnectionTimers(clock, record => void fired.set((record as Entry).name, clock.now()), {
    tickMs: 10,
    ticks: 64,
    rounds: 4,
  })
  const due = new Map<number, number>()
  const entries = Array.from({ length: 400 }, (_, name) => entry(name))
  for (const { record, instance } of entries) {
    const delayMs = random() * 5_000
    timers.set(instance, 2, delayMs)
    due.set(record.name, clock.now() + delayMs)
    if (random() < 0.2) {
      timers.clear(instance, 2)
      due.delete(record.name)
    }
    if (random() < 0.2) {
      timers.set(instance, 1, delayMs / 2)
      due.set(record.name, clock.now() + delayMs / 2)
    }
    if (random() < 0.3) await clock.advance(random() * 30)
  }
  await clock.advance(6_000)
  t.same([...fired.keys()].sort(), [...due.keys()].sort())
  for (const [name, atMs] of fired) {
    const lateMs = atMs - due.get(name)!
    if (lateMs < 0 || lateMs > 10.001) t.fail(`timer ${name} fired ${lateMs} ms late`)
  }
  t.equal(clock.pending, 0, 'an empty wheel sets no timer')
})

t.test('what is due in many rounds wakes nobody before its round begins', async t => {
  const clock = createVirtualClock()
  let wakes = 0
  const counting: Clock = {
    ...clock,
    setTimeout: (fn, ms) =>
      clock.setTimeout(() => {
        wakes++
        fn()
      }, ms),
  }
  const fired: number[] = []
  const timers = createConnectionTimers(counting, () => void fired.push(clock.now()), { tickMs: 10, ticks: 100 })
  const startMs = clock.now()
  // A tick after the other.
  for (let name = 0; name < 50; name++) {
    timers.set(entry(name).instance, 0, 60_100)
    await clock.advance(10)
  }
  await clock.advance(59_400)
  t.equal(wakes, 0)
  await clock.advance(1_000)
  t.same(
    fired,
    Array.from({ length: 50 }, (_, name) => startMs + 60_100 + 10 * name),
  )
  t.equal(wakes, 51, 'for the round, and for each tick of it')
})

t.test('a timer that is set while others fire slowly is in its place', async t => {
  let nowMs = 0
  const clock = {
    now: () => nowMs,
    wake: () => {},
    setTimeout(fn: () => void) {
      clock.wake = fn
    },
    clearTimeout() {},
  }
  const [slow, next, short, far] = [entry(1), entry(2), entry(3), entry(4)]
  const fired: number[] = []
  const options = { tickMs: 10, ticks: 16 }
  const timers = createConnectionTimers(
    clock,
    record => {
      fired.push((record as Entry).name)
      if (record !== slow.record) return
      nowMs += 400
      timers.set(short.instance, 0, 20)
      timers.set(far.instance, 0, 200)
    },
    options,
  )
  timers.set(slow.instance, 0, 100)
  timers.set(next.instance, 0, 110)
  for (nowMs of [100, 500, 520, 690]) {
    clock.wake()
    await new Promise(resolve => setImmediate(resolve))
  }
  t.same(fired, [1, 2, 3])
  nowMs = 700
  clock.wake()
  t.same(fired, [1, 2, 3, 4])
})

t.test('a wheel that wakes late has what came meanwhile read first', async t => {
  let nowMs = 5_000
  let wake: (() => void) | undefined
  const clock: Clock = {
    now: () => nowMs,
    setTimeout: callback => {
      wake = callback
      return 1 as unknown as TimerHandle
    },
    clearTimeout: () => {
      wake = undefined
    },
  }
  const fired: number[] = []
  const timers = createConnectionTimers(clock, record => void fired.push((record as Entry).name))
  const [inTime, tooLate, again] = [entry(1), entry(2), entry(3)]
  const poll = () => new Promise(resolve => setImmediate(resolve))
  timers.set(inTime.instance, 1, 2_000)
  timers.set(tooLate.instance, 1, 2_000)
  nowMs += 2_300
  wake!()
  t.same(fired, [])
  timers.clear(inTime.instance, 1)
  timers.set(again.instance, 1, 500)
  await poll()
  t.same(fired, [2])
  nowMs += 500
  wake!()
  t.same(fired, [2, 3], 'in time, it does not wait')
  timers.set(inTime.instance, 1, 2_000)
  nowMs += 2_300
  wake!()
  timers.clear(inTime.instance, 1)
  timers.set(again.instance, 1, 100)
  await poll()
  t.same(fired, [2, 3], 'stood still, and was set anew')
  nowMs += 100
  wake!()
  t.same(fired, [2, 3, 3])
})

t.test('clearing another slot than the one that is set does nothing', async t => {
  const clock = createVirtualClock()
  const fired: number[] = []
  const timers = createConnectionTimers(clock, (_record, slot) => void fired.push(slot))
  const { instance } = entry(1)
  timers.set(instance, 3, 100)
  timers.clear(instance, 2)
  t.equal(timers.remainingMs(instance, 2), undefined)
  t.equal(timers.remainingMs(instance, 3), 100)
  await clock.advance(99)
  t.same(fired, [])
  await clock.advance(1)
  t.same(fired, [3])
  t.equal(timers.remainingMs(instance, 3), undefined)
})

t.test('what fires may set and clear others that are due in the same tick', async t => {
  const clock = createVirtualClock()
  const [a, b, c] = [entry(1), entry(2), entry(3)]
  const fired: string[] = []
  const timers = createConnectionTimers(clock, (record, slot) => {
    fired.push(`${(record as Entry).name}/${slot}`)
    if (fired.length > 1) return
    for (const other of [a, b, c]) if (other.record !== record) timers.clear(other.instance, 0)
    timers.set(b.instance, 1, 0)
  })
  for (const { instance } of [a, b, c]) timers.set(instance, 0, 50)
  await clock.advance(50)
  t.equal(fired.length, 1)
  await clock.advance(10)
  t.equal(fired[1], '2/1')
})

t.test('after a stall longer than a round everything due fires, and the rest later', async t => {
  let nowMs = 0
  let wake: (() => void) | undefined
  const clock = {
    now: () => nowMs,
    setTimeout(fn: () => void) {
      wake = fn
    },
    clearTimeout() {},
  }
  const fired: number[] = []
  const timers = createConnectionTimers(clock, record => void fired.push((record as Entry).name), {
    tickMs: 10,
    ticks: 16,
  })
  const entries = Array.from({ length: 60 }, (_, name) => entry(name))
  for (const { record, instance } of entries) timers.set(instance, 0, record.name * 20)
  nowMs = 1_000
  wake!()
  await new Promise(resolve => setImmediate(resolve))
  t.equal(fired.length, 51)
  nowMs = 1_200
  wake!()
  await new Promise(resolve => setImmediate(resolve))
  t.equal(fired.length, 60)
})
