/** Ten thousand generated charts over all supported features do what live actors do, generated and walked. */
import t from 'tap'
import { planChart } from '../../../../src/actors/runtime/chart-compiler/chart-plan.ts'
import { buildChart } from '../../../../src/actors/runtime/chart-compiler/compile-chart.ts'
import { createRandom } from '../../../../src/actors/runtime/clock.ts'
import { isStarfishError } from '../../../../src/messages/errors.ts'
import { tryBranches, walkOnce } from '../chart-equivalence.ts'
import { createJournal } from '../chart-runs.ts'
import { randomChart } from './random-chart.ts'

const wanted = Number(process.env['CHARTS'] ?? 10_000)
t.setTimeout(300_000)
const refusals = new Map<string, number>()
let agreed = 0,
  steps = 0,
  branches = 0,
  planMs = 0,
  configs = 0
for (let seed = Number(process.env['SEED'] ?? 1); agreed < wanted; seed++) {
  const random = createRandom(seed)
  const desk = { open: createJournal() }
  const { machine, input, events } = randomChart(random, desk)
  let plan
  const t0 = performance.now()
  try {
    plan = planChart(machine)
  } catch (error) {
    if (!isStarfishError(error, 'CHART_NOT_COMPILABLE')) {
      console.log('seed', seed, error)
      break
    }
    const f = String(error.details['feature'])
    refusals.set(f, (refusals.get(f) ?? 0) + 1)
    planMs += performance.now() - t0
    continue
  }
  planMs += performance.now() - t0
  configs += plan.configurations.length
  const charts = [buildChart(plan), buildChart(plan, { codegen: 'never' })]
  const result = walkOnce(machine, charts, desk, random, { input, events, steps: 25 })
  steps += result.steps
  if (result.problem) {
    t.fail(`seed ${seed}: ${result.problem}`)
    break
  }
  if (seed % 20 === 0) {
    const tried = tryBranches(machine)
    branches += tried.covered
    if (tried.problems.length) {
      t.fail(`seed ${seed}: ${tried.problems[0]}`)
      break
    }
  }
  agreed++
}
t.comment({ agreed, steps, branches, planMs, configs, refusals: Object.fromEntries(refusals) })
t.equal(agreed, wanted)
