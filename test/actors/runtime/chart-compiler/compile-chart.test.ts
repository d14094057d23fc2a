/** Compiled charts do what live actors do, by generated code and by walking. */
import t from 'tap'
import { assertChartAgrees } from '../chart-equivalence.ts'
import { linkEvents, linkMachine, playerEvents, playerMachine } from './sample-charts.ts'

for (const codegen of ['auto', 'never'] as const) {
  t.test(`nested states, guards, timers and outputs agree with a live actor (codegen ${codegen})`, async t => {
    const input = () => ({ idleMs: 80 })
    assertChartAgrees(t, linkMachine, { input, events: linkEvents, walks: 150, seed: 7, codegen })
  })

  t.test(`parallel regions agree with a live actor (codegen ${codegen})`, async t => {
    assertChartAgrees(t, playerMachine, { events: playerEvents, walks: 150, seed: 9, codegen })
  })
}
