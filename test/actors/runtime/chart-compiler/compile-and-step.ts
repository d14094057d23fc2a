/** A program for `no-code-generation.test.ts`: compiles a chart, steps it, prints how and where it ended. */
import { compileChart } from '../../../../src/actors/runtime/chart-compiler/compile-chart.ts'
import { mayGenerateCode } from '../../../../src/actors/runtime/chart-compiler/generate-step.ts'
import { createClockTimers } from '../../../../src/actors/runtime/chart-timers.ts'
import { createVirtualClock } from '../../../../src/actors/runtime/clock.ts'
import { linkMachine } from './sample-charts.ts'

const chart = compileChart(linkMachine)
const instance = chart.create({ idleMs: 80 }, createClockTimers(createVirtualClock()))
chart.start(instance)
chart.step(instance, { type: 'accept' })
for (const bytes of [800, 800, 20]) chart.step(instance, { type: 'data', bytes })
console.log(JSON.stringify({ generates: mayGenerateCode(), context: instance.context }))
