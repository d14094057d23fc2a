/**
 * Compiles an XState chart into a step function over flat records, for charts with tens of thousands of instances.
 *
 *     chart ── rewrite: functions out ── explore: ask XState ── plan: decision trees ──┬── generated code
 *                                                                                     └── tree walker
 *
 * What a compiled chart shares with a live actor, and where it differs:
 * - State, context, order of actions, timers, output and status agree, macrostep for macrostep.
 * - Actions run in the middle of the step, as in a running actor, so guards and later actions see what they mutate. In the
 *   initial step XState evaluates assigns and guards first and runs the actions at the start; so does this.
 * - Guards must be pure functions of context and event: two questions that must have one answer are asked once.
 * - The arguments of actions and guards are valid during the call only. `self` and `system` are the instance's scope.
 * - A static `context` is plain data, of which each instance has a copy; XState would share it.
 * - A delay that yields no number ends the instance; XState leaves the state at once.
 * - An error thrown by a guard arrives as it was thrown; XState wraps it.
 */
import type { AnyStateMachine, ContextFrom, EventFrom, InputFrom } from 'xstate'
import type { CompiledChart } from '../compiled-chart.ts'
import { type ChartPlan, planChart } from './chart-plan.ts'
import { ChartRecord, halt, turns } from './chart-record.ts'
import { generateStep, mayGenerateCode } from './generate-step.ts'
import { persistRecord, restoreRecord } from './persist-chart.ts'
import { enterInitialState, startRecord } from './start-chart.ts'
import { createWalkingStep } from './step-by-walking.ts'

/** The compiled form of a machine, with the machine's own types. */
export type CompiledChartOf<M extends AnyStateMachine> = CompiledChart<ContextFrom<M>, EventFrom<M>, InputFrom<M>>

/** How to compile. */
export interface CompileOptions {
  /** `auto` generates code where that is allowed; `never` walks the decision trees, some five times slower. */
  readonly codegen?: 'auto' | 'never'
}

const plans = new WeakMap<object, ChartPlan>()

/**
 * Compiles a machine. Takes milliseconds, so do it once, when a module loads.
 *
 * Refuses with CHART_NOT_COMPILABLE (details `chart`, `path`, `feature`): invoke, history, actions that spawn, send, emit,
 * log, cancel or enqueue, delayed and computed raise, partial wildcards, and/or/not/stateIn guards, guards and delays
 * without an implementation, routes, a static context that is no plain data, the name `__proto__`, and `always` or `raise` that may go on for ever.
 */
export function compileChart<M extends AnyStateMachine>(machine: M, options: CompileOptions = {}): CompiledChartOf<M> {
  return buildChart(planChart(machine), options) as unknown as CompiledChartOf<M>
}

/** A chart that runs a plan. */
export function buildChart(plan: ChartPlan, { codegen = 'auto' }: CompileOptions = {}): CompiledChart {
  const step = codegen === 'auto' && mayGenerateCode() ? generateStep(plan) : createWalkingStep(plan)
  const expiries = plan.parts.slots.map(slot => slot.event)
  const chart: CompiledChart = {
    id: plan.id,
    configurations: plan.configurations.map(configuration => configuration.text),
    timerSlots: expiries.map(event => event.type),
    create(input, timers, scope = {}) {
      const record = new ChartRecord(chart, timers, scope)
      enterInitialState(plan, record, input)
      return record
    },
    start: instance => startRecord(instance as ChartRecord),
    step: step as CompiledChart['step'],
    expire: (instance, slot) => step(instance as ChartRecord, expiries[slot]!),
    stop: instance => stopRecord(instance as ChartRecord),
    matches: (instance, path) => plan.configurations[instance.configuration]!.paths.has(path),
    valueOf: instance => plan.configurations[instance.configuration]!.value,
    persist: (instance, timers) => persistRecord(plan, instance as ChartRecord, timers),
    restore(persisted, timers, scope = {}) {
      const record = new ChartRecord(chart, timers, scope)
      restoreRecord(plan, record, persisted)
      return record
    },
  }
  plans.set(chart, plan)
  return chart
}

/** The plan that a compiled chart runs. */
export function planOf(chart: object): ChartPlan {
  const plan = plans.get(chart)
  if (plan === undefined) throw new TypeError('not a chart of this compiler')
  return plan
}

function stopRecord(record: ChartRecord): void {
  if (record.turn !== turns.none) record.turn = turns.stopping
  else if (record.status === 'active' || record.status === 'idle') halt(record)
}
