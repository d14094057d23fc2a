/**
 * Runs the charts of children. Supervisors know only {@link ChildLife}, so whether a child's chart is a live XState actor
 * or an instance of the compiled chart is decided in one line, at {@link childLives}.
 */
import { createClockTimers } from '../actors/runtime/chart-timers.ts'
import type { Clock } from '../actors/runtime/clock.ts'
import type { ChartTimers, CompiledChart } from '../actors/runtime/compiled-chart.ts'
import { type ChildContext, type ChildEvent, type ChildRecord, type ChildState, childMachine } from './child-machine.ts'
import { kernelChart } from './kernel-charts.ts'

/** The chart of one child, running. */
export interface ChildLife {
  readonly state: ChildState
  /** Takes one event, to completion. Events that mean nothing in the present state are passed over. */
  send(event: ChildEvent): void
  /** Forgets the child's timers; nothing is sent to it any more. */
  stop(): void
}

/** Begins the life of a child in the state `absent`. */
export type ChildLives = (child: ChildRecord) => ChildLife

/** Each child as an instance of the compiled chart: a record of some hundred bytes. */
function compiledChildLives(
  chart: CompiledChart<ChildContext, ChildEvent, ChildRecord>,
  timers: ChartTimers,
): ChildLives {
  return child => {
    const instance = chart.create(child, timers, child)
    chart.start(instance)
    return {
      get state() {
        return chart.configurations[instance.configuration] as ChildState
      },
      send: event => chart.step(instance, event),
      stop: () => chart.stop(instance),
    }
  }
}

/** How the children of every supervisor are run. */
export const childLives = (clock: Clock): ChildLives =>
  compiledChildLives(kernelChart(childMachine), createClockTimers(clock))
