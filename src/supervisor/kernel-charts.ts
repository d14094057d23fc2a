/**
 * The charts that kernels run in compiled form. To explore them takes 15 ms of a worker that is waited for, so the main
 * thread hands what it has found to its workers.
 */
import type { AnyStateMachine } from 'xstate'
import { type ChartFindings, findingsOf, resumePlan } from '../actors/runtime/chart-compiler/chart-plan.ts'
import {
  buildChart,
  type CompiledChartOf,
  compileChart,
  planOf,
} from '../actors/runtime/chart-compiler/compile-chart.ts'

/** What has been found out about charts, by their ids; clonable. */
export type KernelFindings = ReadonlyMap<string, ChartFindings>

const compiled = new Map<string, object>()
let adopted: KernelFindings = new Map()

/** The chart of a machine of the kernel, each of which has an id of its own; compiled when it is first asked for. */
export function kernelChart<M extends AnyStateMachine>(machine: M): CompiledChartOf<M> {
  const known = compiled.get(machine.id)
  if (known !== undefined) return known as CompiledChartOf<M>
  const findings = adopted.get(machine.id)
  const chart = findings === undefined ? compileChart(machine) : buildChart(resumePlan(machine, findings))
  compiled.set(machine.id, chart)
  return chart as unknown as CompiledChartOf<M>
}

/** What has been found out about the charts that this thread runs. */
export function kernelFindings(): KernelFindings {
  return new Map([...compiled].map(([id, chart]) => [id, findingsOf(planOf(chart))]))
}

/** Spares this thread the exploring of those charts. They have to be of the same modules. */
export function adoptFindings(findings: KernelFindings): void {
  adopted = findings
}
