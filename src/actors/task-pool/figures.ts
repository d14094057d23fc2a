/**
 * What a task pool counts, in memory that its server shares: readable at any time, and kept when the pool is restarted.
 *
 * ```
 * active i32 | queued i32 | completed i32 | refused i32 | cancelled i32 | lost i32
 * ```
 */

const at = { active: 0, queued: 1, completed: 2, refused: 3, cancelled: 4, lost: 5 } as const

/** The figures of a task pool: the first two are of now, the others since the server was created. */
export interface TaskPoolFigures {
  /** Workers that have a task. */
  readonly active: number
  /** Tasks that wait for a worker. */
  readonly queued: number
  /** Tasks that were done, or whose handler failed. */
  readonly completed: number
  /** Tasks for which there was no room. */
  readonly refused: number
  /** Tasks whose time was over, or that nobody waited for any more. */
  readonly cancelled: number
  /** Tasks whose worker ended under them. */
  readonly lost: number
}

/** The name of a figure that only grows. */
export type PoolCount = 'completed' | 'refused' | 'cancelled' | 'lost'

/** Memory for the figures of one pool. */
export function createTaskPoolFigures(): SharedArrayBuffer {
  return new SharedArrayBuffer(Object.keys(at).length * 4)
}

/** Reads the figures. */
export function readTaskPoolFigures(buffer: SharedArrayBuffer): TaskPoolFigures {
  const ints = new Int32Array(buffer)
  const read = (index: number): number => Atomics.load(ints, index) >>> 0
  return {
    active: read(at.active),
    queued: read(at.queued),
    completed: read(at.completed),
    refused: read(at.refused),
    cancelled: read(at.cancelled),
    lost: read(at.lost),
  }
}

/** The pool's own hand on its figures. */
export interface TaskPoolCounters {
  setLoad(active: number, queued: number): void
  count(figure: PoolCount): void
}

/** Opens the figures to be written. */
export function openTaskPoolFigures(buffer: SharedArrayBuffer): TaskPoolCounters {
  const ints = new Int32Array(buffer)
  return {
    setLoad(active, queued) {
      Atomics.store(ints, at.active, active)
      Atomics.store(ints, at.queued, queued)
    },
    count: figure => void Atomics.add(ints, at[figure], 1),
  }
}
