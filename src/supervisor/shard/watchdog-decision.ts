/**
 * Tells, from outside, why a worker does not turn its event loop. Pure: samples in, verdict out.
 *
 * Silence alone proves nothing: a worker that the machine gives no processor is silent too, and to kill it would add
 * the load of its replacement to a machine that has too much. So what counts is the time the worker could have used:
 *
 *     elapsed = on a processor + ready but waiting for one (or for the disk) + asleep
 *               '------ cpu -'   '--------------- wait --------------------'
 *     stalled: elapsed - wait >= limit. It used that time: spinning. It slept: paused.
 *     starved: elapsed >= limit, but elapsed - wait < limit, and the wait is no trifle.
 *
 * Where the system keeps no such account the processor time that the worker itself reports has to do, and the verdict
 * may be `unknown`.
 */
import type { ThreadTime } from './thread-time.ts'

/** What a worker does, as far as can be told; only `spinning` and `paused` are reasons to end it. */
export type Diagnosis = 'alive' | 'starved' | 'spinning' | 'paused' | 'unknown'

/** One look at a worker. */
export interface WatchdogSample {
  /** When it was taken, ms on the watcher's clock. */
  readonly atMs: number
  /** The worker's tick counter; only whether it changed matters. */
  readonly ticks: number
  /** A fault injector holds the worker. */
  readonly held: boolean
  /** The system's account of the thread, where there is one. */
  readonly thread: ThreadTime | undefined
  /** Processor time as the worker last answered, ms; undefined when it did not answer since the last sample. */
  readonly reportedCpuMs: number | undefined
}

/** What is known of a worker's silence so far. */
export interface Watch {
  readonly last: WatchdogSample
  /** Silent for, ms, in samples that were taken in time. */
  readonly elapsedMs: number
  /** Of that: on a processor, ms. */
  readonly cpuMs: number
  /** Of that: kept from running, ms. */
  readonly waitMs: number
  /** The last processor time the worker reported, ms. */
  readonly reportedCpuMs: number | undefined
}

/** Periods of a watch, ms. */
export interface WatchLimits {
  readonly intervalMs: number
  readonly stalledAfterMs: number
}

/** A sample that comes later than this many intervals after the one before says more about the watcher. */
const lateAfterIntervals = 2
/** From this share of the time it could use, a silent worker computes rather than sleeps. */
const spinningFrom = 0.5
/** From this share of its silence kept from running it is starved; below that it is given the little it lacks. */
const starvedFrom = 0.2
/** Up to this share it sleeps, when all there is to go by is its own report. Starved threads get more than this. */
const sleepingUpTo = 0.01

/** Begins to watch, or begins anew after a sign of life. */
export function beginWatch(sample: WatchdogSample): Watch {
  return { last: sample, elapsedMs: 0, cpuMs: 0, waitMs: 0, reportedCpuMs: sample.reportedCpuMs }
}

/** Takes a sample in: a tick ends the silence, a late sample counts for nothing. */
export function observe(watch: Watch, sample: WatchdogSample, limits: WatchLimits): Watch {
  return sample.ticks === watch.last.ticks ? observeSilence(watch, sample, limits) : beginWatch(sample)
}

/** As {@link observe}, where ticks are no sign of life: a worker that loads may tick and never be done. */
export function observeSilence(watch: Watch, sample: WatchdogSample, { intervalMs }: WatchLimits): Watch {
  const passedMs = sample.atMs - watch.last.atMs
  const reportedCpuMs = sample.reportedCpuMs ?? watch.reportedCpuMs
  if (passedMs > intervalMs * lateAfterIntervals) return { ...watch, last: sample, reportedCpuMs }
  const spent = spentOf(watch, sample, passedMs)
  return {
    last: sample,
    elapsedMs: watch.elapsedMs + passedMs,
    cpuMs: watch.cpuMs + spent.cpuMs,
    waitMs: watch.waitMs + spent.waitMs,
    reportedCpuMs,
  }
}

/** How long the worker was silent though it could have run, ms. */
export function availableMs(watch: Watch): number {
  return watch.elapsedMs - watch.waitMs
}

/** Why the worker is silent; `alive` as long as it is not silent for the limit. */
export function diagnose(watch: Watch, { stalledAfterMs }: WatchLimits): Diagnosis {
  if (watch.elapsedMs < stalledAfterMs) return 'alive'
  if (watch.last.held) return 'paused'
  return watch.last.thread === undefined ? diagnoseByReport(watch) : diagnoseByAccount(watch, stalledAfterMs)
}

function diagnoseByAccount(watch: Watch, stalledAfterMs: number): Diagnosis {
  const couldRunMs = availableMs(watch)
  if (couldRunMs < stalledAfterMs) return watch.waitMs >= watch.elapsedMs * starvedFrom ? 'starved' : 'alive'
  return watch.cpuMs >= couldRunMs * spinningFrom ? 'spinning' : 'paused'
}

function diagnoseByReport(watch: Watch): Diagnosis {
  const share = watch.cpuMs / watch.elapsedMs
  if (share >= spinningFrom) return 'spinning'
  if (watch.last.reportedCpuMs === undefined) return 'unknown'
  return share <= sleepingUpTo ? 'paused' : 'starved'
}

interface Spent {
  readonly cpuMs: number
  readonly waitMs: number
}

function spentOf({ last, reportedCpuMs }: Watch, sample: WatchdogSample, passedMs: number): Spent {
  if (last.thread === undefined || sample.thread === undefined) {
    const known = reportedCpuMs !== undefined && sample.reportedCpuMs !== undefined
    return { cpuMs: known ? sample.reportedCpuMs - reportedCpuMs : 0, waitMs: 0 }
  }
  const cpuMs = Math.min(passedMs, sample.thread.cpuMs - last.thread.cpuMs)
  const idleMs = passedMs - cpuMs
  const accountedMs = Math.min(idleMs, sample.thread.waitMs - last.thread.waitMs)
  // A thread that waits at this moment has that wait not yet on its account: all it did not run is taken as waited.
  return { cpuMs, waitMs: sample.thread.now === 'sleeping' ? accountedMs : idleMs }
}
