/**
 * Looks at every worker at a fixed interval and says which are stalled; what that means is up to those who asked.
 */
import type { Clock, TimerHandle } from '../../actors/runtime/clock.ts'
import { shardCell, shardCells } from './shard-cells.ts'
import type { ThreadTime } from './thread-time.ts'
import {
  availableMs,
  beginWatch,
  type Diagnosis,
  diagnose,
  observe,
  observeSilence,
  type Watch,
  type WatchdogSample,
  type WatchLimits,
} from './watchdog-decision.ts'

/** A worker as the watchdog sees it. */
export interface Watched {
  readonly shared: SharedArrayBuffer
  /** How long it may load, ms; once `isLoaded()` the limit of the watchdog holds. */
  readonly loadTimeoutMs: number
  isLoaded(): boolean
  /** Asks the worker for its processor time; undefined when it does not answer. Needed where the system keeps no account. */
  cpuUsage(): Promise<NodeJS.CpuUsage | undefined>
  /** Its diagnosis changed. */
  diagnosed(diagnosis: Diagnosis, forMs: number): void
  /** It could have loaded and did not; called once. */
  overdue(forMs: number): void
}

/** The watch over all workers of a host. */
export interface Watchdog {
  /** Watches a worker until the returned function is called. */
  watch(watched: Watched): () => void
}

/** What a watchdog is made of. */
export interface WatchdogOptions extends WatchLimits {
  readonly clock: Clock
  /** Reads the system's account of a thread. */
  readonly readThread: (osThreadId: number) => ThreadTime | undefined
}

/** Creates a watchdog; its timer runs only while there is somebody to watch. */
export function createWatchdog({ clock, readThread, ...limits }: WatchdogOptions): Watchdog {
  const rounds = new Set<() => void>()
  let timer: TimerHandle

  function run(): void {
    timer = clock.setTimeout(run, limits.intervalMs)
    for (const look of rounds) look()
  }

  return {
    watch(watched) {
      const look = createLook(watched, clock, readThread, limits)
      if (rounds.size === 0) timer = clock.setTimeout(run, limits.intervalMs)
      rounds.add(look)
      return () => {
        if (rounds.delete(look) && rounds.size === 0) clock.clearTimeout(timer)
      }
    },
  }
}

/** The function that looks at one worker. */
function createLook(
  watched: Watched,
  clock: Clock,
  readThread: WatchdogOptions['readThread'],
  limits: WatchLimits,
): () => void {
  const sampler = createSampler(watched, clock, readThread)
  let watch: Watch = beginWatch(sampler())
  let phase: 'loading' | 'overdue' | 'loaded' = 'loading'
  let diagnosis: Diagnosis = 'alive'

  function lookAtLoading(sample: WatchdogSample): void {
    watch = observeSilence(watch, sample, limits)
    if (phase === 'overdue' || availableMs(watch) < watched.loadTimeoutMs) return
    phase = 'overdue'
    watched.overdue(Math.round(watch.elapsedMs))
  }

  function lookAtLoaded(sample: WatchdogSample): void {
    watch = phase === 'loaded' ? observe(watch, sample, limits) : beginWatch(sample)
    phase = 'loaded'
    const next = diagnose(watch, limits)
    if (next === diagnosis) return
    diagnosis = next
    watched.diagnosed(diagnosis, Math.round(watch.elapsedMs))
  }

  return () => {
    const sample = sampler()
    if (watched.isLoaded()) lookAtLoaded(sample)
    else lookAtLoading(sample)
  }
}

/** Takes samples of one worker; asks it for its processor time only where the system does not tell. */
function createSampler(
  watched: Watched,
  clock: Clock,
  readThread: WatchdogOptions['readThread'],
): () => WatchdogSample {
  const cells = shardCells(watched.shared)
  let answer: number | undefined
  let asking = false

  async function ask(): Promise<void> {
    if (asking) return
    asking = true
    const usage = await watched.cpuUsage()
    asking = false
    answer = usage === undefined ? undefined : (usage.user + usage.system) / 1000
  }

  return () => {
    const thread = readThread(Atomics.load(cells, shardCell.osThreadId))
    const sample: WatchdogSample = {
      atMs: clock.now(),
      ticks: Atomics.load(cells, shardCell.ticks),
      held: Atomics.load(cells, shardCell.paused) === 1,
      thread,
      reportedCpuMs: answer,
    }
    answer = undefined
    if (thread === undefined) void ask()
    return sample
  }
}
