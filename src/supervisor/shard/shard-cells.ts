/**
 * The few numbers that a worker and the main thread share, readable from either side whatever the other one does.
 *
 * One Int32 each, at the index that {@link shardCell} names. Written by the worker unless said otherwise.
 */

/** Index of each number in the cells. */
export const shardCell = {
  /** Counts the turns of the worker's tick; wraps around. Standing still is what the watchdog looks for. */
  ticks: 0,
  /** 1 while the worker is held by {@link holdShard}; the main thread sets it back to 0. */
  paused: 1,
  /** The operating system's thread id, 0 where it is unknown (not Linux). */
  osThreadId: 2,
  /** Heap in use, KiB, as of the last tick. */
  heapUsedKib: 3,
  /** Most that the heap may grow to, KiB. */
  heapLimitKib: 4,
  /** Heap in use after the last full garbage collection, KiB; 0 before the first. */
  heapLiveKib: 5,
} as const

const cellCount = 6

/** A fresh block of cells, all 0. */
export function createShardCells(): SharedArrayBuffer {
  return new SharedArrayBuffer(cellCount * Int32Array.BYTES_PER_ELEMENT)
}

/** The cells of a block, to be read and written with `Atomics`. */
export function shardCells(shared: SharedArrayBuffer): Int32Array {
  return new Int32Array(shared, 0, cellCount)
}

/** Called in a worker: blocks its thread, for a fault injector, until {@link releaseShard} is called elsewhere. */
export function holdShard(shared: SharedArrayBuffer): void {
  const cells = shardCells(shared)
  Atomics.store(cells, shardCell.paused, 1)
  // For whoever waits to see it held.
  Atomics.notify(cells, shardCell.paused)
  while (Atomics.load(cells, shardCell.paused) === 1) Atomics.wait(cells, shardCell.paused, 1)
}

/** Called on another thread: lets a worker that {@link holdShard} holds go on. */
export function releaseShard(shared: SharedArrayBuffer): void {
  const cells = shardCells(shared)
  Atomics.store(cells, shardCell.paused, 0)
  Atomics.notify(cells, shardCell.paused)
}
