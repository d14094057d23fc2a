/**
 * The soft heap mark. A worker that hits V8's hard limit usually dies alone, sometimes takes the process with it, and
 * sometimes hangs so that nothing ends it. So a worker watches its own heap and ends itself while it still can.
 *
 * What counts is what a full collection left in the old heap: the limit that kills is the old heap's, and between two
 * collections it may well be full of garbage. Code that fills the heap without ever returning to the event loop is not
 * caught: nothing of the worker's own can run then, and V8's limit ends it.
 */
import { constants, PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8'
import { resourceLimits } from 'node:worker_threads'
import { shardCell } from './shard-cells.ts'

/** What a guard needs. */
export interface HeapGuardOptions {
  /** Share of the old heap's limit, 0 to 1. */
  readonly markRatio: number
  /** Cells that the figures are written to. */
  readonly cells: Int32Array
  /** Called once, when the mark was passed; `detail` says so in words. */
  readonly onMark: (detail: string) => void
}

/** A guard of the heap of the thread that created it. */
export interface HeapGuard {
  /** Writes the present figures to the cells; call it about once a tick. Takes some microseconds. */
  sample(): void
  stop(): void
}

/** Starts to watch the heap of the calling thread. */
export function createHeapGuard({ markRatio, cells, onMark }: HeapGuardOptions): HeapGuard {
  const limitBytes = oldHeapLimitBytes()
  Atomics.store(cells, shardCell.heapLimitKib, limitBytes / 1024)
  const observer = new PerformanceObserver(list => {
    if (list.getEntries().some(isFullCollection)) collected()
  })
  observer.observe({ entryTypes: ['gc'] })

  function collected(): void {
    const liveBytes = oldHeapUsedBytes()
    Atomics.store(cells, shardCell.heapLiveKib, liveBytes / 1024)
    if (liveBytes < limitBytes * markRatio) return
    observer.disconnect()
    onMark(describeMark(liveBytes, limitBytes, markRatio))
  }

  return {
    sample: () => void Atomics.store(cells, shardCell.heapUsedKib, oldHeapUsedBytes() / 1024),
    stop: () => observer.disconnect(),
  }
}

/**
 * The limit that was asked for, or V8's own (which it states with the young heap included) if that is lower.
 * `--max-old-space-size` makes V8 ignore the former; the guard holds to it all the same.
 */
function oldHeapLimitBytes(): number {
  const { maxOldGenerationSizeMb = Number.POSITIVE_INFINITY, maxYoungGenerationSizeMb = 0 } = resourceLimits
  const v8LimitBytes = getHeapStatistics().heap_size_limit - maxYoungGenerationSizeMb * 1024 * 1024
  return Math.min(v8LimitBytes, maxOldGenerationSizeMb * 1024 * 1024)
}

function oldHeapUsedBytes(): number {
  let bytes = 0
  for (const { space_name: name, space_used_size: used } of getHeapSpaceStatistics())
    if (!name.startsWith('new_')) bytes += used
  return bytes
}

/** A mark-sweep-compact, as opposed to a scavenge of the young heap or a step of an incremental marking. */
function isFullCollection(entry: PerformanceEntry): boolean {
  const { kind } = (entry as PerformanceEntry & { detail: { kind: number } }).detail
  return kind === constants.NODE_PERFORMANCE_GC_MAJOR
}

function describeMark(liveBytes: number, limitBytes: number, markRatio: number): string {
  const mib = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MiB`
  return `soft heap mark: ${mib(liveBytes)} live of ${mib(limitBytes)}, mark at ${Math.round(markRatio * 100)} %`
}
