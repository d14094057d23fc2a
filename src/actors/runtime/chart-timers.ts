/**
 * Where compiled charts keep their `after` timers: one clock timer each for a few instances, a timing wheel for tens of
 * thousands.
 */
import { StarfishError } from '../../messages/errors.ts'
import type { Clock, TimerHandle } from './clock.ts'
import type { ChartInstance, ChartTimers } from './compiled-chart.ts'

/** What happens when a timer fires; by default the chart of the instance takes the event. */
export type Expire = (instance: ChartInstance, slot: number) => void

interface ClockTimer {
  readonly handle: TimerHandle
  readonly dueMs: number
}

/** Timers that are one timer of `clock` each, as exact as the clock is. */
export function createClockTimers(clock: Clock, expire: Expire = expireInChart): ChartTimers {
  const clear: ChartTimers['clear'] = (instance, slot) => {
    const timer = instance.timerHandles?.[slot] as ClockTimer | undefined
    if (timer === undefined) return
    instance.timerHandles![slot] = undefined
    clock.clearTimeout(timer.handle)
  }
  return {
    clear,
    set(instance, slot, delayMs) {
      clear(instance, slot)
      const handles = handlesOf(instance)
      const handle = clock.setTimeout(() => {
        handles[slot] = undefined
        expire(instance, slot)
      }, delayMs)
      handles[slot] = { handle, dueMs: clock.now() + delayMs } satisfies ClockTimer
    },
    remainingMs(instance, slot) {
      const timer = instance.timerHandles?.[slot] as ClockTimer | undefined
      return timer === undefined ? undefined : Math.max(0, timer.dueMs - clock.now())
    },
  }
}

/** The handles of an instance, made when it first needs them and no longer than needed: there are many instances. */
function handlesOf(instance: ChartInstance): unknown[] {
  instance.timerHandles ??= new Array(instance.chart.timerSlots.length)
  return instance.timerHandles
}

/** Gives the event to the chart that the instance runs. */
export function expireInChart(instance: ChartInstance, slot: number): void {
  instance.chart.expire(instance, slot)
}

/** How to build a wheel. */
export interface TimingWheelOptions {
  /** Length of a tick: timers fire up to this much late, and never early. */
  readonly tickMs: number
  /** What happens when a timer fires; by default the chart of the instance takes the event. */
  readonly expire?: Expire
}

/**
 * A hashed timing wheel (Varghese and Lauck, 1987): timers of tens of thousands of instances on one timer of the clock.
 *
 *     buckets  0 | 1 | 2 | … | 511      a timer lies in the bucket of its tick, modulo their number
 *                  `- idle(a) - idle(b) - header(c)           doubly linked: set and clear are O(1)
 *
 * The clock wakes the wheel at the next tick that has a bucket to look into, and not at all while the wheel is empty.
 */
export interface TimingWheel extends ChartTimers {
  /** How many timers are set. */
  readonly size: number
}

/** Power of two; with ticks of 50 ms one turn is 26 s, and a minute's timeout is looked at twice before it fires. */
const bucketCount = 512

/** A timer in the wheel; the same object serves its slot for as long as the instance lives. */
class WheelTimer {
  readonly instance: ChartInstance | undefined
  readonly slot: number
  next: WheelTimer = this
  previous: WheelTimer = this
  /** Number of the tick at which it fires. */
  tick = 0
  dueMs = 0
  set = false

  constructor(instance: ChartInstance | undefined, slot: number) {
    this.instance = instance
    this.slot = slot
  }
}

/**
 * Creates a {@link TimingWheel} on `clock`. Timers of one tick fire in the order of their due times. What `expire` throws
 * is rethrown to the clock once the other timers of that tick have fired. Throws BAD_CONFIG for a tick of no length.
 */
export function createTimingWheel(clock: Clock, options: TimingWheelOptions): TimingWheel {
  return new Wheel(clock, options)
}

class Wheel implements TimingWheel {
  readonly #clock: Clock
  readonly #tickMs: number
  readonly #expire: Expire
  readonly #originMs: number
  readonly #buckets = Array.from({ length: bucketCount }, () => new WheelTimer(undefined, -1))
  #size = 0
  /** All ticks up to this one have been looked at. */
  #doneTick = 0
  #wake: TimerHandle = undefined
  /** The tick the clock will wake the wheel at; Infinity while it will not. */
  #wakeTick = Number.POSITIVE_INFINITY

  constructor(clock: Clock, { tickMs, expire = expireInChart }: TimingWheelOptions) {
    if (!(tickMs > 0)) throw new StarfishError('BAD_CONFIG', `tickMs must be above 0, not ${tickMs}`)
    this.#clock = clock
    this.#tickMs = tickMs
    this.#expire = expire
    this.#originMs = clock.now()
  }

  get size(): number {
    return this.#size
  }

  set(instance: ChartInstance, slot: number, delayMs: number): void {
    const timer = this.#timerOf(instance, slot)
    if (timer.set) unlink(timer)
    else {
      timer.set = true
      this.#size += 1
    }
    const sinceOriginMs = this.#clock.now() - this.#originMs + Math.max(0, delayMs)
    timer.dueMs = sinceOriginMs
    // The tick that is being looked at is over for new timers.
    timer.tick = Math.max(Math.ceil(sinceOriginMs / this.#tickMs), this.#doneTick + 1)
    link(timer, this.#buckets[timer.tick & (bucketCount - 1)]!)
    if (timer.tick < this.#wakeTick) this.#wakeAt(timer.tick)
  }

  clear(instance: ChartInstance, slot: number): void {
    const timer = instance.timerHandles?.[slot] as WheelTimer | undefined
    if (timer === undefined || !timer.set) return
    this.#remove(timer)
    if (this.#size === 0) this.#sleep()
  }

  remainingMs(instance: ChartInstance, slot: number): number | undefined {
    const timer = instance.timerHandles?.[slot] as WheelTimer | undefined
    if (timer === undefined || !timer.set) return undefined
    return Math.max(0, timer.dueMs - (this.#clock.now() - this.#originMs))
  }

  #timerOf(instance: ChartInstance, slot: number): WheelTimer {
    const handles = handlesOf(instance)
    let timer = handles[slot] as WheelTimer | undefined
    if (timer === undefined) {
      timer = new WheelTimer(instance, slot)
      handles[slot] = timer
    }
    return timer
  }

  #remove(timer: WheelTimer): void {
    timer.set = false
    unlink(timer)
    this.#size -= 1
  }

  #wakeAt(tick: number): void {
    if (this.#wakeTick !== Number.POSITIVE_INFINITY) this.#clock.clearTimeout(this.#wake)
    this.#wakeTick = tick
    const inMs = this.#originMs + tick * this.#tickMs - this.#clock.now()
    this.#wake = this.#clock.setTimeout(() => this.#turn(), Math.max(0, inMs))
  }

  #sleep(): void {
    if (this.#wakeTick === Number.POSITIVE_INFINITY) return
    this.#clock.clearTimeout(this.#wake)
    this.#wakeTick = Number.POSITIVE_INFINITY
  }

  /** Fires all that is due. The clock may wake the wheel late, by many ticks, or early by its own rounding. */
  #turn(): void {
    this.#wakeTick = Number.POSITIVE_INFINITY
    const nowTick = Math.floor((this.#clock.now() - this.#originMs) / this.#tickMs)
    const due = this.#collect(nowTick)
    this.#doneTick = Math.max(this.#doneTick, nowTick)
    const errors: unknown[] = []
    for (const timer of due) {
      // An earlier one may have cleared it, or set it anew.
      if (!timer.set || timer.tick > nowTick) continue
      this.#remove(timer)
      try {
        this.#expire(timer.instance!, timer.slot)
      } catch (error) {
        errors.push(error)
      }
    }
    this.#wakeNext()
    if (errors.length === 1) throw errors[0]
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} timers failed`)
  }

  #collect(nowTick: number): WheelTimer[] {
    const due: WheelTimer[] = []
    const buckets = Math.min(nowTick - this.#doneTick, bucketCount)
    for (let back = buckets - 1; back >= 0; back--) {
      const bucket = this.#buckets[(nowTick - back) & (bucketCount - 1)]!
      for (let timer = bucket.next; timer !== bucket; timer = timer.next) if (timer.tick <= nowTick) due.push(timer)
    }
    return due.sort((a, b) => a.dueMs - b.dueMs)
  }

  #wakeNext(): void {
    if (this.#size === 0) return
    for (let tick = this.#doneTick + 1; tick < this.#wakeTick; tick++) {
      const bucket = this.#buckets[tick & (bucketCount - 1)]!
      if (bucket.next !== bucket) this.#wakeAt(tick)
    }
  }
}

function link(timer: WheelTimer, bucket: WheelTimer): void {
  timer.previous = bucket.previous
  timer.next = bucket
  bucket.previous.next = timer
  bucket.previous = timer
}

function unlink(timer: WheelTimer): void {
  timer.previous.next = timer.next
  timer.next.previous = timer.previous
  timer.next = timer
  timer.previous = timer
}
