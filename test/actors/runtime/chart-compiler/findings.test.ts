/** What one thread has found out about a chart spares another the exploring. */
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import type { AnyStateMachine } from 'xstate'
import { findingsOf, planChart, resumePlan } from '../../../../src/actors/runtime/chart-compiler/chart-plan.ts'
import { createRandom } from '../../../../src/actors/runtime/clock.ts'
import { isStarfishError } from '../../../../src/messages/errors.ts'
import { childMachine } from '../../../../src/supervisor/child-machine.ts'
import { spawnsMachine } from '../../../../src/supervisor/spawns-machine.ts'
import { createJournal } from '../chart-runs.ts'
import { randomChart } from './random-chart.ts'
import { linkMachine, playerMachine } from './sample-charts.ts'

/** Whether the plan that another thread makes is the one that was handed over, down to each function. */
function isSamePlan(machine: AnyStateMachine): boolean {
  const plan = planChart(machine)
  return isDeepStrictEqual(resumePlan(machine, structuredClone(findingsOf(plan))), plan)
}

t.test('a plan made of findings is the plan that exploring makes', async t => {
  for (const machine of [linkMachine, playerMachine, childMachine, spawnsMachine]) t.ok(isSamePlan(machine), machine.id)
  const random = createRandom(1)
  let agreed = 0
  for (let charts = 0; charts < 100; charts++) {
    const { machine } = randomChart(random, { open: createJournal() })
    try {
      if (isSamePlan(machine)) agreed++
      else t.fail(`random chart ${charts} differs`)
    } catch (error) {
      if (!isStarfishError(error, 'CHART_NOT_COMPILABLE')) throw error
    }
  }
  t.ok(agreed > 50, `${agreed} random charts agree`)
})

t.test('its state values cannot be changed either', async t => {
  const { configurations } = resumePlan(linkMachine, structuredClone(findingsOf(planChart(linkMachine))))
  for (const { value } of configurations) t.ok(Object.isFrozen(value))
})
