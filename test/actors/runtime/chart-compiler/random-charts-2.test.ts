/** The second half of ten thousand generated charts over all supported features do what live actors do. */
import t from 'tap'
import { assertRandomChartsAgree } from './random-charts.ts'

t.setTimeout(120_000)
assertRandomChartsAgree(t, { firstSeed: 1_000_001, charts: 5_000, steps: 20, branchesEvery: 20 })
