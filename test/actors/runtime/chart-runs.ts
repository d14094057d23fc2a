/**
 * The two sides of an equivalence proof: a live XState actor and an instance of a compiled chart, each on a clock of its
 * own, each with a journal of what its actions saw.
 */
import { type AnyActor, type AnyEventObject, type AnyStateMachine, createActor } from 'xstate'
import { createClockTimers } from '../../../src/actors/runtime/chart-timers.ts'
import type { Clock } from '../../../src/actors/runtime/clock.ts'
import type { ChartInstance, ChartTimers, CompiledChart } from '../../../src/actors/runtime/compiled-chart.ts'

/** What one run did; the functions of the chart write into the journal that is open. */
export interface Journal {
  entries: unknown[]
  /** Answers for scripted guards. */
  script: readonly boolean[]
  asked: number
  answers: Map<string, boolean>
  events: Map<object, number>
  changes: number
}

/** Says which journal is open. */
export interface Desk {
  open: Journal
}

/** A new journal with nothing in it. */
export function createJournal(): Journal {
  return { entries: [], script: [], asked: 0, answers: new Map(), events: new Map(), changes: 0 }
}

/** Readies a journal for the next event. */
export function turnPage(journal: Journal, script: readonly boolean[] = []): void {
  Object.assign(journal, createJournal(), { script })
}

/** What the two sides must agree on after every event. */
export interface RunState {
  readonly value: unknown
  readonly context: unknown
  readonly status: string
  readonly output: unknown
  /** Time at which each timer fires, by event type. */
  readonly timers: Readonly<Record<string, number>>
  readonly error: string | undefined
}

/** One side. */
export interface Run {
  readonly journal: Journal
  readonly clock: StepClock
  start(): void
  send(event: AnyEventObject): void
  stop(): void
  state(): RunState
}

/** A clock that runs its timers synchronously, by time and then by age. */
export interface StepClock extends Clock {
  advanceTo(ms: number): void
  nextAt(): number | undefined
}

/** Creates a {@link StepClock} at 0. */
export function createStepClock(): StepClock {
  interface Timer {
    readonly at: number
    readonly fn: () => void
  }
  let nowMs = 0
  const timers = new Set<Timer>()
  const next = () =>
    [...timers].reduce<Timer | undefined>((a, b) => (a === undefined || b.at < a.at ? b : a), undefined)
  return {
    now: () => nowMs,
    setTimeout(fn, ms) {
      const timer = { at: nowMs + Math.max(0, ms), fn }
      timers.add(timer)
      return timer
    },
    clearTimeout: handle => void timers.delete(handle as Timer),
    advanceTo(ms) {
      for (let timer = next(); timer !== undefined && timer.at <= ms; timer = next()) {
        timers.delete(timer)
        nowMs = timer.at
        timer.fn()
      }
      nowMs = ms
    },
    nextAt: () => next()?.at,
  }
}

/** A live actor of `machine`. It exists, with its initial step taken, but has not started. */
export function createLiveRun(machine: AnyStateMachine, input: unknown, desk: Desk, script: readonly boolean[]): Run {
  const journal = createJournal()
  const clock = createStepClock()
  const dueAt = new WeakMap<object, number>()
  turnPage(journal, script)
  desk.open = journal
  const watchedClock = {
    ...clock,
    setTimeout(fn: () => void, ms: number) {
      liveTimers(actor, clock, dueAt)
      return clock.setTimeout(fn, ms)
    },
  }
  const actor: AnyActor = createActor(machine, { input, clock: watchedClock as never, logger: () => undefined })
  actor.subscribe({ error: () => undefined })
  return {
    journal,
    clock,
    start: () => void actor.start(),
    send: event => actor.send(event),
    stop: () => void actor.stop(),
    state() {
      const snapshot = actor.getSnapshot()
      const { error } = snapshot
      const { value, context, status, output } = snapshot
      return { value, context, status, output, timers: liveTimers(actor, clock, dueAt), error: errorText(error) }
    },
  }
}

/** XState keeps delays, not due times, so it is asked whenever it sets a timer: what is new then is due from then on. */
function liveTimers(actor: AnyActor, clock: Clock, dueAt: WeakMap<object, number>): Record<string, number> {
  const scheduled = actor.system.getSnapshot()._scheduledEvents
  const timers: Record<string, number> = {}
  for (const entry of Object.values(scheduled)) {
    if (!dueAt.has(entry)) dueAt.set(entry, clock.now() + Math.max(0, entry.delay))
    timers[entry.event.type] = dueAt.get(entry)!
  }
  return timers
}

/** An instance of a compiled chart; `restart` carries it over into a new instance by persisting and restoring it. */
export interface CompiledRun extends Run {
  restart(): void
  readonly instance: ChartInstance
}

/** An instance of `chart`, not started. */
export function createCompiledRun(
  chart: CompiledChart,
  input: unknown,
  desk: Desk,
  script: readonly boolean[],
): CompiledRun {
  const journal = createJournal()
  const clock = createStepClock()
  const timers: ChartTimers = createClockTimers(clock, (expired, slot) => attempt(() => chart.expire(expired, slot)))
  const slotOf = new Map(chart.timerSlots.map((type, slot) => [type, slot]))
  turnPage(journal, script)
  desk.open = journal
  let instance = chart.create(input, timers)
  return {
    journal,
    clock,
    get instance() {
      return instance
    },
    start: () => attempt(() => chart.start(instance)),
    send: event =>
      attempt(() => {
        const slot = slotOf.get(event.type)
        if (slot === undefined) chart.step(instance, event)
        else chart.expire(instance, slot)
      }),
    stop: () => chart.stop(instance),
    restart() {
      const persisted = chart.persist(instance, timers)
      chart.stop(instance)
      instance = chart.restore(persisted, timers)
    },
    state() {
      const due: Record<string, number> = {}
      chart.timerSlots.forEach((type, slot) => {
        const remainingMs = timers.remainingMs(instance, slot)
        if (remainingMs !== undefined) due[type] = clock.now() + remainingMs
      })
      const { context, status, output, error } = instance
      return { value: chart.valueOf(instance), context, status, output, timers: due, error: errorText(error) }
    },
  }
}

/** What is thrown is in the instance too, where it is compared. */
function attempt(fn: () => void): void {
  try {
    fn()
  } catch {}
}

/** XState wraps what a guard throws; the last line is the original message. */
function errorText(error: unknown): string | undefined {
  if (error === undefined) return undefined
  return error instanceof Error ? error.message.split('\n').at(-1) : String(error)
}
