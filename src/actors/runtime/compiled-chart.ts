/**
 * The contract between a compiled chart and those who run it: connections by the ten thousand, and actors of
 * `engine: 'compiled'`.
 */
import type { AnyEventObject } from 'xstate'

/** Where the instances of a compiled chart keep their `after` timers. One timer a slot; slots are numbered per chart. */
export interface ChartTimers {
  /** Calls `chart.expire(instance, slot)` once, `delayMs` from now; replaces a timer already set in that slot. */
  set(instance: ChartInstance, slot: number, delayMs: number): void
  /** Forgets the timer of that slot, if any. */
  clear(instance: ChartInstance, slot: number): void
  /** Milliseconds until the timer of that slot fires, or undefined when none is set. */
  remainingMs(instance: ChartInstance, slot: number): number | undefined
}

/** One running instance of a compiled chart: a flat mutable record. */
export interface ChartInstance<TContext = unknown> {
  /** The extended state. Actions may mutate it; `assign` replaces it. */
  context: TContext
  /** Index into `chart.configurations`. */
  configuration: number
  status: 'idle' | 'active' | 'done' | 'stopped' | 'error'
  /** The machine's output once `done`. */
  output: unknown
  /** What an action or guard threw, once `error`. */
  error: unknown
  /** Handed to every action and guard as `self` and as `system`; the owner finds its actor by it. */
  readonly scope: object
  /** The chart it runs, so that whoever keeps its timers knows where to expire them. */
  readonly chart: Pick<CompiledChart, 'id' | 'timerSlots' | 'expire'>
  /** Room for its {@link ChartTimers}: one handle a slot. Nobody else touches it. */
  timerHandles: unknown[] | undefined
}

/** What survives of an instance: plain data, clonable where the context is. */
export interface PersistedChart {
  readonly value: unknown
  /** Tells configurations of that value apart, which can differ in the order in which parallel regions act. */
  readonly configuration?: number
  readonly context: unknown
  readonly status: ChartInstance['status']
  readonly output?: unknown
  /** Timers that were set, by the type of the event they raise. */
  readonly timers: readonly { readonly event: string; readonly remainingMs: number }[]
}

/** A machine turned into generated code. Steps are synchronous and run to completion (`always`, `raise`, `done` included). */
export interface CompiledChart<TContext = unknown, TEvent extends AnyEventObject = AnyEventObject, TInput = unknown> {
  readonly id: string
  /** The state values the chart can be in, as text such as `open.reading`; an instance's `configuration` indexes it. */
  readonly configurations: readonly string[]
  /** Timers a chart can have: the event type that each slot raises. */
  readonly timerSlots: readonly string[]
  /**
   * A new instance in the initial state. As in XState, the context, assigns and guards of the initial step are evaluated
   * now, its actions and timers wait for {@link start}. What is thrown on the way makes `status: 'error'`, and `start`
   * rethrows it.
   */
  create(input: TInput, timers: ChartTimers, scope?: object): ChartInstance<TContext>
  /** Runs the initial entry actions, then arms the first timers. Does nothing on an instance that has started. */
  start(instance: ChartInstance<TContext>): void
  /**
   * Takes one event; ignored once the instance has ended. An action or guard that throws sets `status: 'error'`, leaves
   * state and context as they were before the step, clears the timers and is rethrown. Throws CHART_MISUSED before
   * `start` and from inside a step of the same instance: queueing is the owner's.
   */
  step(instance: ChartInstance<TContext>, event: TEvent): void
  /** Takes the event that the timer of `slot` stands for. */
  expire(instance: ChartInstance<TContext>, slot: number): void
  /**
   * Ends the instance and clears its timers, as stopping a live actor does: no exit actions run. From inside a step of
   * the instance it takes effect when that step is over.
   */
  stop(instance: ChartInstance<TContext>): void
  /** True when the instance's configuration includes the state of that dotted path. */
  matches(instance: ChartInstance<TContext>, path: string): boolean
  /** The state value in XState's own form. */
  valueOf(instance: ChartInstance<TContext>): unknown
  /** Throws CHART_MISUSED on an instance that has not started. The context is not copied. */
  persist(instance: ChartInstance<TContext>, timers: ChartTimers): PersistedChart
  /** An instance that goes on where `persisted` stood, its timers re-armed with the time that remained. Runs no actions. Throws BAD_SNAPSHOT. */
  restore(persisted: PersistedChart, timers: ChartTimers, scope?: object): ChartInstance<TContext>
}
