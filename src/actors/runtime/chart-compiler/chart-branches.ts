/** All that a compiled chart can do, branch by branch: what a proof has to cover, and what a viewer can show. */
import type { CompiledChart } from '../compiled-chart.ts'
import type { ChartPlan } from './chart-plan.ts'
import { planOf } from './compile-chart.ts'
import { type DecisionTree, isFork } from './decision-tree.ts'

/** One way through the chart: a configuration, an event, and what the guards say. */
export interface ChartBranch {
  /** Index into the chart's configurations; undefined for the initial step. */
  readonly from: number | undefined
  /** The event's type; undefined stands for any type that the configuration does not name, and for the initial step. */
  readonly event: string | undefined
  /** The guards in the order in which they are asked, with their answers. */
  readonly guards: readonly { readonly name: string; readonly answer: boolean }[]
  /** The configuration the step ends in. */
  readonly to: number
  /** True when the machine is done there. */
  readonly done: boolean
}

/** Every branch of a compiled chart, those of unhandled events included, the initial step's first. */
export function branchesOf(chart: Pick<CompiledChart, 'configurations'>): readonly ChartBranch[] {
  const plan = planOf(chart)
  const branches = leavesOf(plan, plan.initial, undefined, undefined)
  plan.configurations.forEach(({ cells, other, done }, from) => {
    if (done) return
    for (const [event, tree] of cells) branches.push(...leavesOf(plan, tree, from, event))
    branches.push(...leavesOf(plan, other, from, undefined))
  })
  return branches
}

function leavesOf(
  plan: ChartPlan,
  tree: DecisionTree,
  from: number | undefined,
  event: string | undefined,
  guards: ChartBranch['guards'] = [],
): ChartBranch[] {
  const { next } = tree
  if (!isFork(next)) return [{ from, event, guards, to: next.configuration, done: next.done }]
  const { name } = plan.parts.guards[next.guard]!
  return [
    ...leavesOf(plan, next.yes, from, event, [...guards, { name, answer: true }]),
    ...leavesOf(plan, next.no, from, event, [...guards, { name, answer: false }]),
  ]
}
