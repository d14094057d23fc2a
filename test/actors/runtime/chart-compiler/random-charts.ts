/** Generates charts by seed and compares each with a live actor. */
import type { Test } from 'tap'
import { type ChartPlan, planChart } from '../../../../src/actors/runtime/chart-compiler/chart-plan.ts'
import { buildChart } from '../../../../src/actors/runtime/chart-compiler/compile-chart.ts'
import { createRandom } from '../../../../src/actors/runtime/clock.ts'
import { isStarfishError } from '../../../../src/messages/errors.ts'
import { tryBranches, walkOnce } from '../chart-equivalence.ts'
import { createJournal } from '../chart-runs.ts'
import { type RandomChart, randomChart } from './random-chart.ts'

/** Which charts to try. */
export interface RandomChartOptions {
  readonly firstSeed: number
  /** How many charts must compile and agree. */
  readonly charts: number
  /** Steps of the walk through each chart. */
  readonly steps: number
  /** One chart in so many is also tried on every branch. */
  readonly branchesEvery: number
}

/** Features that a generated chart may use; each must have been in some chart that agreed. */
const expectedFeatures = [
  ...['atomic', 'compound', 'parallel', 'final', 'onDone', 'after', 'always', 'guard', 'raise', 'wildcard', 'reenter'],
  ...['targetless', 'several targets', 'initial with actions', 'id', 'forbidden event', 'context from input'],
  ...['output of a state', 'output of the machine', 'action that throws', '10', '25', '60', 'fixed', 'computed'],
]

/** Fails `t` at the first chart that differs from a live actor, naming its seed; prints what was covered. */
export function assertRandomChartsAgree(t: Test, options: RandomChartOptions): void {
  const { firstSeed, charts, steps, branchesEvery } = options
  const features = new Map<string, number>()
  let [agreed, refused, configurations, walked, branches] = [0, 0, 0, 0, 0]
  let problem: string | undefined
  let seed = firstSeed
  for (; agreed < charts && problem === undefined; seed++) {
    const random = createRandom(seed)
    const desk = { open: createJournal() }
    const chart = randomChart(random, desk)
    const plan = planOrRefusal(chart)
    if (plan === undefined) {
      refused += 1
      continue
    }
    const compiled = [buildChart(plan), buildChart(plan, { codegen: 'never' })]
    const walk = walkOnce(chart.machine, compiled, desk, random, { ...chart, steps })
    problem = walk.problem
    if (problem === undefined && seed % branchesEvery === 0) {
      const tried = tryBranches(chart.machine)
      branches += tried.covered
      problem = tried.problems[0]
    }
    agreed += 1
    walked += walk.steps
    configurations += plan.configurations.length
    for (const feature of chart.features) features.set(feature, (features.get(feature) ?? 0) + 1)
  }
  if (problem !== undefined) t.fail(`the chart of seed ${seed - 1} differs: ${problem}`)
  t.comment(
    `${agreed} charts agree (seeds ${firstSeed} to ${seed - 1}, ${refused} more were refused): ` +
      `${configurations} configurations, ${walked} steps walked, ${branches} branches covered of ${branches}`,
  )
  t.comment([...features].map(([feature, count]) => `${feature} ${count}`).join(', '))
  t.same(missing(features), [], 'every feature was in a chart that agreed')
  t.equal(agreed, charts)
}

function missing(features: ReadonlyMap<string, number>): string[] {
  return expectedFeatures.filter(feature => !features.has(feature))
}

/** Only what may go on for ever, is too large, or re-enters its root may be refused: the rest is supported. */
function planOrRefusal({ machine }: RandomChart): ChartPlan | undefined {
  try {
    return planChart(machine)
  } catch (error) {
    const feature = isStarfishError(error, 'CHART_NOT_COMPILABLE') ? String(error.details['feature']) : ''
    if (/for ever|more than|while it is active/.test(feature)) return undefined
    throw error
  }
}
