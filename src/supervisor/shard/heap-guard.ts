/**
 * The soft heap mark. A worker that hits V8's hard limit usually dies alone, sometimes takes the process with it, and
 * sometimes hangs so that nothing ends it. So a worker watches its own heap and ends itself while it still can.
 *
 * Only what survives a full collection counts: between two of them the heap may well be full of garbage. The mark has to
 * be passed at two full collections in a row, because the observer is called a little after each, when the code that
 * ran in between has allocated again.
 */
import { constants, PerformanceObserver } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { shardCell } from './shard-cells.ts'

/** What a guard needs. */
export interface HeapGuardOptions {
  /** Share of the heap limit, 0 to 1. */
  readonly markRatio: number
  /** Cells that the figures are written to. */
  readonly cells: Int32Array
  /** Called once, when the mark was passed; `detail` says so in words. */
  readonly onMark: (detail: string) => void
}

/** A guard of the heap of the thread that created it. */
export interface HeapGuard {
  /** Writes the present figures to the cells; call it about once a tick. About 2 microseconds. */
  sample(): void
  stop(): void
}

/** Full collections in a row that have to leave the heap above the mark. */
const collectionsAboveMark = 2

/** Starts to watch the heap of the calling thread. */
export function createHeapGuard({ markRatio, cells, onMark }: HeapGuardOptions): HeapGuard {
  let above = 0
  const observer = new PerformanceObserver(list => {
    if (list.getEntries().some(isFullCollection)) collected()
  })
  observer.observe({ entryTypes: ['gc'] })

  function collected(): void {
    const { usedBytes, limitBytes } = write()
    Atomics.store(cells, shardCell.heapLiveKib, usedBytes / 1024)
    above = usedBytes >= limitBytes * markRatio ? above + 1 : 0
    if (above < collectionsAboveMark) return
    observer.disconnect()
    onMark(describeMark(usedBytes, limitBytes, markRatio))
  }

  function write(): { usedBytes: number; limitBytes: number } {
    const { used_heap_size: usedBytes, heap_size_limit: limitBytes } = getHeapStatistics()
    Atomics.store(cells, shardCell.heapUsedKib, usedBytes / 1024)
    Atomics.store(cells, shardCell.heapLimitKib, limitBytes / 1024)
    return { usedBytes, limitBytes }
  }

  return { sample: () => void write(), stop: () => observer.disconnect() }
}

/** A mark-sweep-compact, as opposed to a scavenge of the young heap or a step of an incremental marking. */
function isFullCollection(entry: PerformanceEntry): boolean {
  const { kind } = (entry as PerformanceEntry & { detail: { kind: number } }).detail
  return kind === constants.NODE_PERFORMANCE_GC_MAJOR
}

function describeMark(usedBytes: number, limitBytes: number, markRatio: number): string {
  const mib = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MiB`
  return `soft heap mark: ${mib(usedBytes)} live of ${mib(limitBytes)}, mark at ${Math.round(markRatio * 100)} %`
}
