/** The connection chart as shards run it: compiled once for each thread, at the first acceptor. */
import { compileChart } from '../runtime/chart-compiler/compile-chart.ts'
import { connectionChartSource } from './io.ts'
import type { ConnectionChart } from './plane.ts'

let compiled: ConnectionChart | undefined

/** The compiled chart of this thread. */
export function connectionChart(): ConnectionChart {
  compiled ??= compileChart(connectionChartSource)
  return compiled
}
