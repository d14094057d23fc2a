/** Compiled charts do what live actors do, by generated code and by walking. */
import t from 'tap'
import { createActor, matchesState, pathToStateValue } from 'xstate'
import { compileChart } from '../../../../src/actors/runtime/chart-compiler/compile-chart.ts'
import { createClockTimers } from '../../../../src/actors/runtime/chart-timers.ts'
import { createVirtualClock } from '../../../../src/actors/runtime/clock.ts'
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

t.test('configurations are told and matched as those of a live actor are', async t => {
  const chart = compileChart(playerMachine)
  const instance = chart.create(undefined, createClockTimers(createVirtualClock()))
  const actor = createActor(playerMachine).start()
  chart.start(instance)
  const paths = ['track', 'track.stopped', 'track.playing', 'volume', 'volume.loud', 'volume.normal', 'volume.muted']
  for (const event of [{ type: 'unheard' }, { type: 'play' }, { type: 'reset' }, { type: 'skip' }]) {
    chart.step(instance, event)
    actor.send(event)
    const snapshot = actor.getSnapshot()
    const live = paths.map(path => matchesState(pathToStateValue(path.split('.')), snapshot.value))
    t.same(
      paths.map(path => chart.matches(instance, path)),
      live,
      JSON.stringify(snapshot.value),
    )
    const leaves = Object.entries(snapshot.value as object).map(region => region.join('.'))
    t.equal(chart.configurations[instance.configuration], leaves.sort().join(' & '))
  }
  actor.stop()
})

t.test('the types of the machine are those of the chart', async t => {
  const chart = compileChart(linkMachine)
  const timers = createClockTimers(createVirtualClock())
  const instance = chart.create({ idleMs: 1 }, timers)
  const retries: number = instance.context.retries
  t.equal(retries, 0)
  // @ts-expect-error the context has no such field
  t.equal(instance.context.missing, undefined)
  // @ts-expect-error the input lacks a field
  chart.create({}, timers)
  chart.start(instance)
  chart.step(instance, { type: 'data', bytes: 1 })
  // @ts-expect-error the event lacks a field
  chart.step(instance, { type: 'data' })
  // @ts-expect-error no such event
  chart.step(instance, { type: 'gone' })
})
