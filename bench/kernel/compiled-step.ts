/**
 * Nanoseconds per step of compiled charts, with every sample chart loaded and stepped in the same process. Alone:
 * `node bench/kernel/compiled-step.ts [--walk]`.
 */
import { type CompiledChartOf, compileChart } from '../../src/actors/runtime/chart-compiler/compile-chart.ts'
import { createClockTimers, createTimingWheel } from '../../src/actors/runtime/chart-timers.ts'
import { systemClock } from '../../src/actors/runtime/clock.ts'
import type { CompiledChart } from '../../src/actors/runtime/compiled-chart.ts'
import { assigningMachine, deadlineMachine, mutatingMachine, otherMachines } from './charts.ts'
import { type Measured, measure, report } from './measure.ts'

const codegen = process.argv.includes('--walk') ? 'never' : 'auto'
const timers = createClockTimers(systemClock)
const wheel = createTimingWheel(systemClock, { tickMs: 50 })
const chunk = { type: 'chunk', bytes: 64 } as const

const mutating = compileChart(mutatingMachine, { codegen })
const assigning = compileChart(assigningMachine, { codegen })
const deadline = compileChart(deadlineMachine, { codegen })
const others = otherMachines.map(machine => compileChart(machine, { codegen }) as unknown as CompiledChart)

function started<M extends Parameters<typeof compileChart>[0]>(chart: CompiledChartOf<M>, on = timers) {
  const instance = chart.create(undefined as never, on)
  chart.start(instance)
  return instance
}

/** Steps every chart of the process, so that nothing that is shared stays in the shape of one chart. */
function stepOthers(): void {
  for (const chart of others) {
    const instance = chart.create(undefined, timers)
    chart.start(instance)
    for (let at = 0; at < 20_000; at++) chart.step(instance, at % 3 === 0 ? { type: 'flip', bytes: at } : chunk)
    chart.stop(instance)
  }
}

stepOthers()
const results: Measured[] = []
for (let round = 0; round < 2; round++) {
  const [a, b, c] = [started(mutating), started(assigning), started(deadline, wheel)]
  const instances = Array.from({ length: 1_000 }, () => started(mutating))
  results.length = 0
  results.push(
    measure('guard + mutating action', 20_000_000, count => {
      for (let at = 0; at < count; at++) mutating.step(a, chunk)
    }),
    measure('the same over 1,000 instances', 20_000_000, count => {
      for (let at = 0; at < count; at++) mutating.step(instances[at % 1_000]!, chunk)
    }),
    measure('guard + assign', 10_000_000, count => {
      for (let at = 0; at < count; at++) assigning.step(b, chunk)
    }),
    measure('guard + action + re-armed timer on a wheel', 5_000_000, count => {
      for (let at = 0; at < count; at++) deadline.step(c, chunk)
    }),
  )
  stepOthers()
  deadline.stop(c)
}

report(results)
