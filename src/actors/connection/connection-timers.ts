/**
 * The timers of connections: a hierarchical timing wheel (Varghese and Lauck 1987) whose entries are the records themselves. In
 * every state of the connection chart at most one timer is set, so a record carries the links of one, and an idle connection
 * costs no timer object at all.
 *
 * ```
 * near   a place for each tick of this round      what is due there fires
 * far    a place for each round to come           all of it becomes near when its round begins
 * ```
 * Timers fire at the first tick that is not before they are due: never early, at most one tick late. The clock is only
 * asked to wake the wheel for the next tick that has entries, or the next round: thousands that wait for minutes wake nobody. One
 * that wakes late found the thread busy: what peers did in time is in the kernel, and is read before anything fires.
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
  /** Of a round, default 1,024. */
  readonly ticks?: number
  /** Default 1,024: what is due later is passed by once in so many rounds. */
  readonly rounds?: number
}

/** A wake that is so many ticks late was kept by other work. */
const lateTicks = 5

/** Timers for instances whose `scope` is a {@link TimedRecord}; `expire` is told of each that is due, and must not throw. */
export function createConnectionTimers(
  clock: Clock,
  expire: (instance: TimedRecord, slot: number) => void,
  { tickMs = 10, ticks = 1_024, rounds = 1_024 }: WheelOptions = {},
): ChartTimers {
  const near: (TimedRecord | undefined)[] = new Array(ticks).fill(undefined)
  const far: (TimedRecord | undefined)[] = new Array(rounds).fill(undefined)
  const epochMs = clock.now()
  /** No timer is due up to it; those of its round are near. */
  let doneTick = 0
  let count = 0
  /** Nothing is to be done before it. */
  let wakeTick = Number.POSITIVE_INFINITY
  let handle: TimerHandle

  const tickNow = (): number => Math.floor((clock.now() - epochMs) / tickMs)
  const roundOf = (tick: number): number => Math.floor(tick / ticks)
  const isFar = (dueTick: number): boolean => roundOf(dueTick) > roundOf(doneTick)

  function setHead(dueTick: number, record: TimedRecord | undefined): TimedRecord | undefined {
    const places = isFar(dueTick) ? far : near
    const place = places === far ? roundOf(dueTick) % rounds : dueTick % ticks
    const head = places[place]
    places[place] = record
    return head
  }

  function unlink(record: TimedRecord): void {
    const { timerNext: next, timerPrevious: previous } = record
    if (previous === undefined) setHead(record.timerDueTick, next)
    else previous.timerNext = next
    if (next !== undefined) next.timerPrevious = previous
    record.timerNext = undefined
    record.timerPrevious = undefined
    record.timerSlot = -1
    count--
  }

  function link(record: TimedRecord, slot: number, dueTick: number): void {
    const head = setHead(dueTick, record)
    record.timerSlot = slot
    record.timerDueTick = dueTick
    record.timerNext = head
    if (head !== undefined) head.timerPrevious = record
    count++
  }

  function wakeAt(tick: number): void {
    if (tick >= wakeTick) return
    if (wakeTick !== Number.POSITIVE_INFINITY) clock.clearTimeout(handle)
    wakeTick = tick
    handle = clock.setTimeout(wake, Math.max(0, epochMs + tick * tickMs - clock.now()))
  }

  function sleep(): void {
    clock.clearTimeout(handle)
    wakeTick = Number.POSITIVE_INFINITY
  }

  /** The next tick whose place is taken, or the first of the next round whose place is. */
  function nextTaken(): number {
    const round = roundOf(doneTick)
    for (let tick = doneTick + 1; tick < (round + 1) * ticks; tick++) if (near[tick % ticks] !== undefined) return tick
    for (let next = round + 1; next <= round + rounds; next++) if (far[next % rounds] !== undefined) return next * ticks
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
    const fromTick = doneTick + 1
    const now = tickNow()
    if (now >= fromTick) moveTo(now)
    const due: TimedRecord[] = []
    // After a long stall one round visits every place.
    for (let tick = Math.max(fromTick, now - ticks + 1); tick <= now; tick++) {
      for (let record = near[tick % ticks]; record !== undefined; record = record.timerNext) {
        if (record.timerDueTick <= now) due.push(record)
      }
    }
    for (const record of due) {
      // One that fired before it may have cleared or set it anew.
      if (record.timerSlot < 0 || record.timerDueTick > now) continue
      const slot = record.timerSlot
      unlink(record)
      expire(record, slot)
    }
    sleep()
    if (count > 0) wakeAt(nextTaken())
  }

  /** Goes on to a tick; what belongs to rounds that have begun becomes near. */
  function moveTo(tick: number): void {
    const round = roundOf(tick)
    const begun: [record: TimedRecord, slot: number][] = []
    for (let next = Math.max(roundOf(doneTick) + 1, round - rounds + 1); next <= round; next++) {
      let record = far[next % rounds]
      while (record !== undefined) {
        const { timerNext, timerSlot, timerDueTick } = record
        if (roundOf(timerDueTick) <= round) {
          unlink(record)
          begun.push([record, timerSlot])
        }
        record = timerNext
      }
    }
    doneTick = tick
    for (const [record, slot] of begun) link(record, slot, record.timerDueTick)
  }

  return {
    set(instance, slot, delayMs) {
      const record = recordOf(instance)
      if (record.timerSlot >= 0) unlink(record)
      const passedMs = clock.now() - epochMs
      // A wheel that stood still woke for nothing; its place is where the clock is.
      doneTick = Math.max(doneTick, Math.min(Math.floor(passedMs / tickMs), wakeTick - 1))
      const dueTick = Math.max(doneTick + 1, Math.ceil((passedMs + delayMs) / tickMs))
      link(record, slot, dueTick)
      wakeAt(isFar(dueTick) ? roundOf(dueTick) * ticks : dueTick)
    },
    clear(instance, slot) {
      const record = recordOf(instance)
      if (record.timerSlot !== slot) return
      unlink(record)
      if (count === 0) sleep()
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
