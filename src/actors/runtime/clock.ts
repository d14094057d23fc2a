/**
 * Time and chance as values: nothing in Starfish reads the clock or randomness but through these two.
 */

// The global of that name is a getter, which costs as much as the clock.
import { performance } from 'node:perf_hooks'
import { badArgument } from '../../messages/argument-check.ts'
import { show } from '../../messages/option-faults.ts'

/** A handle of {@link Clock.setTimeout}; opaque. */
export type TimerHandle = unknown

/** A source of time. Shaped so that XState takes it as its clock. */
export interface Clock {
  /** Milliseconds since the epoch; never goes back within one clock. */
  now(): number
  /**
   * Calls `fn` once, `ms` milliseconds from now at the earliest. The clocks of this module wait for any finite time, and
   * throw BAD_CONFIG for another.
   */
  setTimeout(fn: () => void, ms: number): TimerHandle
  /** Forgets a timer; one that fired or is unknown is ignored. */
  clearTimeout(handle: TimerHandle): void
  /**
   * Calls `fn` once the event loop has turned: what is due takes longer than one turn of it may. By default that is
   * `setImmediate`; a clock that is told its time has to know of such work.
   */
  defer?(fn: () => void): void
}

/** A source of numbers in [0, 1). */
export type Random = () => number

/** Read once: it is a getter. */
const originMs = performance.timeOrigin

const processNow = () => originMs + performance.now()

/** A timer of Node's that is set for longer fires at once. */
const nodeTimerMsMax = 2_147_483_647

/** A wait that takes several of Node's timers, one after the other. */
class LongTimer {
  readonly #fn: () => void
  readonly #dueMs: number
  readonly #legMs: number
  #timer: NodeJS.Timeout | undefined

  constructor(fn: () => void, ms: number, legMs: number) {
    this.#fn = fn
    this.#dueMs = processNow() + ms
    this.#legMs = legMs
    this.#wait()
  }

  #wait(): void {
    const leftMs = this.#dueMs - processNow()
    const isLast = leftMs <= this.#legMs
    this.#timer = isLast ? setTimeout(this.#fn, Math.max(0, leftMs)) : setTimeout(() => this.#wait(), this.#legMs)
  }

  clear(): void {
    clearTimeout(this.#timer)
  }
}

/** Makes the process's clock; no timer of Node's is set for longer than `legMs`. */
export function createProcessClock(legMs = nodeTimerMsMax): Clock {
  return {
    now: processNow,
    setTimeout(fn, ms) {
      checkWait(ms)
      return ms <= legMs ? setTimeout(fn, ms) : new LongTimer(fn, ms, legMs)
    },
    clearTimeout(handle) {
      if (handle instanceof LongTimer) handle.clear()
      else clearTimeout(handle as NodeJS.Timeout | undefined)
    },
  }
}

/** The process's own clock: wall time at start, advanced by the monotonic clock, so it never goes back. */
export const systemClock: Clock = createProcessClock()

function checkWait(ms: unknown): void {
  if (!Number.isFinite(ms)) throw badArgument('clock.setTimeout', 'ms', `is ${show(ms)}, not a finite number`)
}

/** A clock whose time passes only when told. */
export interface VirtualClock extends Clock {
  /**
   * Moves time forward by `ms`, firing due timers in order of time, then of creation. Between two timers all runs that
   * is due by then: promise chains, and the turns of all actors that have mail. Actors that never rest keep it waiting.
   */
  advance(ms: number): Promise<void>
  /** Time of the next timer, or undefined when none is set. */
  nextTimerAt(): number | undefined
  /** How many timers are set. */
  readonly pending: number
}

/** Whether time passes only when told: such a clock is known by its `advance`. */
export function isVirtualClock(clock: Clock): clock is VirtualClock {
  return 'advance' in clock
}

interface VirtualTimer {
  readonly at: number
  readonly order: number
  readonly fn: () => void
}

/** Creates a {@link VirtualClock} that starts at `startMs` (0 by default). */
export function createVirtualClock(startMs = 0): VirtualClock {
  let nowMs = startMs
  let order = 0
  const timers = new Set<VirtualTimer>()
  let deferred = 0

  function next(): VirtualTimer | undefined {
    let first: VirtualTimer | undefined
    for (const timer of timers) {
      if (first === undefined || timer.at < first.at || (timer.at === first.at && timer.order < first.order))
        first = timer
    }
    return first
  }

  /** Lets run what is due: every microtask with those they queue, and what was deferred with what that defers. */
  async function settle(): Promise<void> {
    do await turn()
    while (deferred > 0)
  }

  return {
    now: () => nowMs,
    setTimeout(fn, ms) {
      checkWait(ms)
      const timer = { at: nowMs + Math.max(0, ms), order: order++, fn }
      timers.add(timer)
      return timer
    },
    clearTimeout: handle => void timers.delete(handle as VirtualTimer),
    defer(fn) {
      deferred++
      setImmediate(() => {
        deferred--
        fn()
      })
    },
    async advance(ms) {
      const until = nowMs + ms
      await settle()
      for (let timer = next(); timer !== undefined && timer.at <= until; timer = next()) {
        timers.delete(timer)
        nowMs = Math.max(nowMs, timer.at)
        timer.fn()
        await settle()
      }
      nowMs = until
      await settle()
    },
    nextTimerAt: () => next()?.at,
    get pending() {
      return timers.size
    },
  }
}

/** One turn of the event loop's check phase: until then every microtask has run. */
function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** A seeded generator (mulberry32): the same seed gives the same numbers on every machine. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
