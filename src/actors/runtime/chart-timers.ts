/**
 * Where compiled charts keep their `after` timers: one clock timer each for a few instances, a timing wheel for tens of
 * thousands.
 */

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
      instance.timerHandles ??= []
      const handle = clock.setTimeout(() => {
        instance.timerHandles![slot] = undefined
        expire(instance, slot)
      }, delayMs)
      instance.timerHandles[slot] = { handle, dueMs: clock.now() + delayMs } satisfies ClockTimer
    },
    remainingMs(instance, slot) {
      const timer = instance.timerHandles?.[slot] as ClockTimer | undefined
      return timer === undefined ? undefined : Math.max(0, timer.dueMs - clock.now())
    },
  }
}

/** Gives the event to the chart the instance runs. */
export function expireInChart(instance: ChartInstance, slot: number): void {
  instance.chart.expire(instance, slot)
}
