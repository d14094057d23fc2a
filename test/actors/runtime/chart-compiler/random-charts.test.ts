/** Hundreds of generated charts over all supported features do what live actors do; the acceptance run has ten thousand. */
import t from 'tap'
import { assertRandomChartsAgree } from './random-charts.ts'

t.setTimeout(120_000)
assertRandomChartsAgree(t, { firstSeed: 1, charts: 300, steps: 20, branchesEvery: 20 })
