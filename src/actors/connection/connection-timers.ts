/**
 * The timers of connections: a hashed timing wheel whose entries are the records themselves. In every state of the
 * connection chart at most one timer is set, so a record carries the links of one, and an idle connection costs no timer
 * object at all.
 *
 * Timers fire at the first tick that is not before they are due: never early, at most one tick late. The clock is only
 * asked to wake the wheel for the next tick that has entries. One that wakes late found the thread busy: what peers did in
 * time is in the kernel, and is read before anything fires.
 */
import type { Clock, TimerHandle } from '../runtime/clock.ts'
import type { ChartInstance, ChartTimers } from '../runtime/compiled-chart.ts'

/** What a record carries for the wheel. Nobody else touches it. */
export interface TimedRecord {
  /** The chart's timer slot that is set, or -1. */
  timerSlot: number
  timerDueTick: number
  timerNext: TimedRecord | undefined
  timerPrevious: TimedRecord | undefined
}

/** How fine and how long the wheel is. */
export interface WheelOptions {
  /** Default 10. */
  readonly tickMs?: number
  /** Default 1,024: later timers are passed by once a round. */
  readonly ticks?: number
}

/** A wake that is so many ticks late was kept by other work. */
const lateTicks = 5

/** Timers for instances whose `scope` is a {@link TimedRecord}; `expire` is told of each that is due, and must not throw. */
export function createConnectionTimers(
  clock: Clock,
  expire: (instance: TimedRecord, slot: number) => void,
  { tickMs = 10, ticks = 1_024 }: WheelOptions = {},
): ChartTimers {
  const heads: (TimedRecord | undefined)[] = new Array(ticks).fill(undefined)
  const epochMs = clock.now()
  let doneTick = 0
  let count = 0
  let wakeTick = Number.POSITIVE_INFINITY
  let handle: TimerHandle

  const tickNow = (): number => Math.floor((clock.now() - epochMs) / tickMs)

  function unlink(record: TimedRecord): void {
    const { timerNext: next, timerPrevious: previous } = record
    if (previous === undefined) heads[record.timerDueTick % ticks] = next
    else previous.timerNext = next
    if (next !== undefined) next.timerPrevious = previous
    record.timerNext = undefined
    record.timerPrevious = undefined
    record.timerSlot = -1
    count--
  }

  function link(record: TimedRecord, slot: number, dueTick: number): void {
    const head = heads[dueTick % ticks]
    record.timerSlot = slot
    record.timerDueTick = dueTick
    record.timerNext = head
    if (head !== undefined) head.timerPrevious = record
    heads[dueTick % ticks] = record
    count++
  }

  function wakeAt(tick: number): void {
    if (tick >= wakeTick) return
    if (wakeTick !== Number.POSITIVE_INFINITY) clock.clearTimeout(handle)
    wakeTick = tick
    handle = clock.setTimeout(wake, Math.max(0, epochMs + tick * tickMs - clock.now()))
  }

  /** The next tick after the ones that are done whose place on the wheel is taken. */
  function nextTaken(): number {
    for (let tick = doneTick + 1; tick <= doneTick + ticks; tick++) {
      if (heads[tick % ticks] !== undefined) return tick
    }
    return Number.POSITIVE_INFINITY
  }

  function wake(): void {
    const tick = wakeTick
    // The event loop comes to what is deferred after it has polled its sockets.
    if (tickNow() - tick <= lateTicks) turn()
    else if (clock.defer === undefined) setImmediate(goOn, tick)
    else clock.defer(() => goOn(tick))
  }

  /** Unless the wheel stood still meanwhile, or was set anew. */
  function goOn(tick: number): void {
    if (tick === wakeTick) turn()
  }

  function turn(): void {
    wakeTick = Number.POSITIVE_INFINITY
    const now = tickNow()
    const due: TimedRecord[] = []
    // After a long stall one round visits every place.
    for (let tick = Math.max(doneTick + 1, now - ticks + 1); tick <= now; tick++) {
      for (let record = heads[tick % ticks]; record !== undefined; record = record.timerNext) {
        if (record.timerDueTick <= now) due.push(record)
      }
    }
    doneTick = Math.max(doneTick, now)
    for (const record of due) {
      // One that fired before it may have cleared or set it anew.
      if (record.timerSlot < 0 || record.timerDueTick > now) continue
      const slot = record.timerSlot
      unlink(record)
      expire(record, slot)
    }
    if (count > 0) wakeAt(nextTaken())
  }

  return {
    set(instance, slot, delayMs) {
      const record = recordOf(instance)
      if (record.timerSlot >= 0) unlink(record)
      const dueTick = Math.max(doneTick + 1, Math.ceil((clock.now() + delayMs - epochMs) / tickMs))
      link(record, slot, dueTick)
      // A wheel that stood still woke for nothing; its place is where the clock is.
      wakeAt(dueTick - doneTick <= ticks ? dueTick : nextTaken())
    },
    clear(instance, slot) {
      const record = recordOf(instance)
      if (record.timerSlot !== slot) return
      unlink(record)
      if (count > 0) return
      clock.clearTimeout(handle)
      wakeTick = Number.POSITIVE_INFINITY
    },
    remainingMs(instance, slot) {
      const record = recordOf(instance)
      if (record.timerSlot !== slot) return undefined
      return Math.max(0, epochMs + record.timerDueTick * tickMs - clock.now())
    },
  }
}

function recordOf(instance: ChartInstance): TimedRecord {
  return instance.scope as TimedRecord
}
