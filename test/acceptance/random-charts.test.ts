/** Ten thousand generated charts over all supported features do what live actors do. */
import t from 'tap'
import { assertRandomChartsAgree } from '../actors/runtime/chart-compiler/random-charts.ts'

t.setTimeout(300_000)
assertRandomChartsAgree(t, { firstSeed: 1, charts: 10_000, steps: 20, branchesEvery: 20 })
