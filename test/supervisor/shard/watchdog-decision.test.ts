import t from 'tap'
import type { ThreadTime } from '../../../src/supervisor/shard/thread-time.ts'
import {
  availableMs,
  beginWatch,
  type Diagnosis,
  diagnose,
  observe,
  observeSilence,
  type Watch,
  type WatchdogSample,
} from '../../../src/supervisor/shard/watchdog-decision.ts'

const limits = { intervalMs: 500, stalledAfterMs: 5_000 }

/** What happens to a worker in one interval. */
interface Interval {
  readonly passedMs?: number
  readonly ticks?: number
  readonly cpuMs?: number
  readonly waitMs?: number
  readonly now?: ThreadTime['now']
  readonly held?: boolean
  /** The worker does not answer, where its report is all there is. */
  readonly mute?: boolean
}

type Account = 'system' | 'report'

/** Watches a worker through these intervals. */
function watchThrough(intervals: readonly Interval[], account: Account = 'system'): Watch {
  let sample: WatchdogSample = sampleOf(account, 0, 0, { cpuMs: 0, waitMs: 0, now: 'sleeping' }, {})
  let watch = beginWatch(sample)
  const total = { cpuMs: 0, waitMs: 0 }
  for (const interval of intervals) {
    total.cpuMs += interval.cpuMs ?? 0
    total.waitMs += interval.waitMs ?? 0
    const thread = { ...total, now: interval.now ?? ('sleeping' as const) }
    sample = sampleOf(
      account,
      sample.atMs + (interval.passedMs ?? 500),
      sample.ticks + (interval.ticks ?? 0),
      thread,
      interval,
    )
    watch = observe(watch, sample, limits)
  }
  return watch
}

function sampleOf(
  account: Account,
  atMs: number,
  ticks: number,
  thread: ThreadTime,
  { held, mute }: Interval,
): WatchdogSample {
  return {
    atMs,
    ticks,
    held: held ?? false,
    thread: account === 'system' ? thread : undefined,
    reportedCpuMs: account === 'report' && !mute ? thread.cpuMs : undefined,
  }
}

function times(count: number, interval: Interval): Interval[] {
  return Array.from({ length: count }, () => interval)
}

const spinning: Interval = { cpuMs: 500, now: 'runnable' }
const starving: Interval = { cpuMs: 25, waitMs: 475, now: 'runnable' }

const table: readonly { title: string; intervals: Interval[]; account?: Account; is: Diagnosis }[] = [
  { title: 'a worker that ticks is alive, however busy', intervals: times(50, { ticks: 1, cpuMs: 500 }), is: 'alive' },
  { title: 'one silent interval less than the limit is no stall', intervals: times(9, spinning), is: 'alive' },
  { title: 'computing without a tick for the limit is spinning', intervals: times(10, spinning), is: 'spinning' },
  { title: 'sleeping without a tick for the limit is paused', intervals: times(10, {}), is: 'paused' },
  { title: 'held by a fault injector is paused', intervals: times(10, { ...spinning, held: true }), is: 'paused' },
  { title: 'runnable without a processor is starved', intervals: times(100, starving), is: 'starved' },
  {
    title: 'runnable without any processor at all, so that its wait is not yet on the account, is starved',
    intervals: times(100, { now: 'runnable' }),
    is: 'starved',
  },
  { title: 'waiting for the disk is starved, not paused', intervals: times(100, { now: 'blocked' }), is: 'starved' },
  {
    title: 'a spinning worker that shares its processor is spinning once it had the limit for itself',
    intervals: times(20, { cpuMs: 250, waitMs: 250, now: 'runnable' }),
    is: 'spinning',
  },
  {
    title: 'and is starved before that',
    intervals: times(19, { cpuMs: 250, waitMs: 250, now: 'runnable' }),
    is: 'starved',
  },
  { title: 'a tick ends the silence', intervals: [...times(9, spinning), { ticks: 1 }, spinning], is: 'alive' },
  { title: 'late samples prove nothing', intervals: times(100, { passedMs: 1_001, now: 'sleeping' }), is: 'alive' },
  {
    title: 'a late sample between others adds nothing and takes nothing away',
    intervals: [...times(9, spinning), { passedMs: 60_000 }, spinning],
    is: 'spinning',
  },
  { title: 'by report: computing is spinning', intervals: times(10, spinning), account: 'report', is: 'spinning' },
  { title: 'by report: idle is paused', intervals: times(10, { cpuMs: 1 }), account: 'report', is: 'paused' },
  { title: 'by report: a little is starved', intervals: times(10, { cpuMs: 50 }), account: 'report', is: 'starved' },
  { title: 'by report: no answer is unknown', intervals: times(10, { mute: true }), account: 'report', is: 'unknown' },
  {
    title: 'by report: ticks are life',
    intervals: times(30, { ticks: 1, mute: true }),
    account: 'report',
    is: 'alive',
  },
]

for (const { title, intervals, account, is } of table) {
  t.test(title, async t => {
    t.equal(diagnose(watchThrough(intervals, account), limits), is)
  })
}

t.test('the stall is as long as the silence that was seen', async t => {
  t.equal(watchThrough([...times(3, { ticks: 1 }), ...times(12, spinning)]).elapsedMs, 6_000)
})

t.test('a worker that answers again counts the time it kept quiet', async t => {
  const watch = watchThrough([...times(9, { ...spinning, mute: true }), spinning], 'report')
  t.equal(watch.cpuMs, 5_000)
})

t.test('loading: ticks do not count, time without a processor does not either', async t => {
  const thread: ThreadTime = { cpuMs: 0, waitMs: 0, now: 'sleeping' }
  const start: WatchdogSample = { atMs: 0, ticks: 0, held: false, thread, reportedCpuMs: undefined }
  const ticked = observeSilence(beginWatch(start), { ...start, atMs: 500, ticks: 4 }, limits)
  t.equal(availableMs(ticked), 500)
  const starved = observeSilence(ticked, { ...start, atMs: 1_000, thread: { ...thread, waitMs: 500 } }, limits)
  t.equal(availableMs(starved), 500)
})
