/**
 * An engine runs the chart of one incarnation. The kernel feeds it one event at a time and asks it nothing else.
 */
import type { ActorEvent } from './actor-runtime.ts'

/** What an engine calls back; all of it may happen during `step`, from a timer, or from an invoked promise. */
export interface EngineHooks {
  /** The chart came to its end, outside of `start` and `step`. */
  ended(): void
  /** An action with that name is about to run; only while {@link Engine.observeActions} is on. */
  action(name: string): void
  /** The state value changed, outside of `step`. */
  moved(): void
}

/** Why an engine no longer runs. */
export type EngineEnd =
  | { readonly type: 'done'; readonly output: unknown }
  | { readonly type: 'error'; readonly error: unknown }

/** One running chart. */
export interface Engine {
  start(): void
  /** Takes one event to its end. Never throws: what an action throws is in `end`. */
  step(event: ActorEvent): void
  /** Ends the chart: its timers and invoked children with it. */
  stop(): void
  /** Set once the chart came to its end by itself. */
  readonly end: EngineEnd | undefined
  /** Equal before and after a step exactly when the state value did not change. */
  readonly stateKey: unknown
  /** The state value in XState's form. */
  readonly value: unknown
  readonly context: unknown
  /** True when the chart has a transition for the event in its present state, guards not asked. */
  handles(type: string): boolean
  /** Clonable state, timers with the time that remains included. */
  persist(): unknown
  observeActions(on: boolean): void
}
