/**
 * How readers hear of new messages, on whatever thread they are: a counter in shared memory that the engine moves on when it has
 * committed, and on which readers sleep (`Atomics.waitAsync`). While nobody waits, a commit costs an addition.
 *
 * ```
 * memory: slots x i32; a partition has the slot of its number modulo slots
 * engine: commit -> add 1 -> notify               reader: listen -> look -> nothing new? -> woken -> look again
 * ```
 * Partitions may share a slot, so to be woken means to look. A reader listens before it looks: so it misses nothing.
 */

const slots = 1_024

/** Memory for the store that an engine and its readers have open. */
export function createAdvances(): SharedArrayBuffer {
  return new SharedArrayBuffer(slots * Int32Array.BYTES_PER_ELEMENT)
}

type Wake = () => void

/** One thread's hand on that memory. */
export class Advances {
  readonly #counters: Int32Array<SharedArrayBuffer>
  readonly #listeners = new Map<number, Set<Wake>>()
  /** Slots on which this thread sleeps. */
  readonly #armed = new Set<number>()

  constructor(memory: SharedArrayBuffer) {
    this.#counters = new Int32Array(memory)
  }

  /** Wakes whoever listens to that partition. */
  tell(partitionId: number): void {
    this.#move(partitionId % slots)
  }

  /** Wakes everybody: after a time in which somebody may have committed and not lived to tell. */
  tellAll(): void {
    for (let slot = 0; slot < slots; slot++) this.#move(slot)
  }

  /** Calls `wake` whenever that partition may have changed, until the function it answers is called. */
  listen(partitionId: number, wake: Wake): () => void {
    const slot = partitionId % slots
    const listeners = this.#listeners.get(slot) ?? new Set()
    this.#listeners.set(slot, listeners.add(wake))
    this.#arm(slot)
    return () => {
      if (listeners.delete(wake) && listeners.size === 0) this.#listeners.delete(slot)
    }
  }

  /** Has all listeners of this thread look, nobody else's: when their reader closes. */
  wakeOwn(): void {
    for (const listeners of [...this.#listeners.values()]) for (const wake of [...listeners]) wake()
  }

  #move(slot: number): void {
    Atomics.add(this.#counters, slot, 1)
    Atomics.notify(this.#counters, slot)
  }

  #arm(slot: number): void {
    if (this.#armed.has(slot)) return
    this.#armed.add(slot)
    const seen = Atomics.load(this.#counters, slot)
    const sleep = Atomics.waitAsync(this.#counters, slot, seen)
    void Promise.resolve(sleep.value).then(() => this.#wake(slot))
  }

  #wake(slot: number): void {
    this.#armed.delete(slot)
    const listeners = this.#listeners.get(slot)
    if (listeners === undefined) return
    this.#arm(slot)
    for (const wake of [...listeners]) wake()
  }
}

/**
 * Resolves when `highWaterMark` answers more than `offset` or `signal` aborts; rejects with what it throws. For a reader whose
 * partitions are told of by {@link Advances}.
 */
export function whenAdvanced(
  advances: Advances,
  partitionId: number,
  offset: number,
  highWaterMark: (partitionId: number) => number,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (outcome: () => void): void => {
      stop()
      signal.removeEventListener('abort', abort)
      outcome()
    }
    const look = (): void => {
      try {
        if (signal.aborted || highWaterMark(partitionId) > offset) settle(resolve)
      } catch (error) {
        settle(() => reject(error))
      }
    }
    const abort = (): void => settle(resolve)
    const stop = advances.listen(partitionId, look)
    signal.addEventListener('abort', abort)
    look()
  })
}
