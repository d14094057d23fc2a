/** The list of branches is all that a chart can do, and the coverage that proofs are measured by. */
import t from 'tap'
import { type AnyStateMachine, assign, createMachine } from 'xstate'
import { branchesOf } from '../../../../src/actors/runtime/chart-compiler/chart-branches.ts'
import { compileChart } from '../../../../src/actors/runtime/chart-compiler/compile-chart.ts'
import { createClockTimers } from '../../../../src/actors/runtime/chart-timers.ts'
import { createRandom, createVirtualClock } from '../../../../src/actors/runtime/clock.ts'
import type { CompiledChart } from '../../../../src/actors/runtime/compiled-chart.ts'
import { assertChartAgrees, walkOnce } from '../chart-equivalence.ts'
import { createJournal } from '../chart-runs.ts'
import { linkEvents, linkMachine } from './sample-charts.ts'

t.test('every configuration, event and answer is listed once', async t => {
  const machine = createMachine(
    {
      context: { n: 0 },
      initial: 'a',
      states: {
        a: {
          on: {
            go: [
              { guard: 'one', target: 'b' },
              { guard: 'two', target: 'a' },
            ],
            halt: 'c',
          },
        },
        b: { on: { '*': 'a' }, always: { guard: 'three', target: 'c' } },
        c: { type: 'final' },
      },
    },
    { guards: { one: ({ context }) => context.n > 1, two: ({ context }) => context.n > 2, three: () => true } },
  )
  const chart = compileChart(machine)
  t.same(chart.configurations, ['a', 'c', 'b'])
  const listed = branchesOf(chart).map(({ from, event, guards, to, done }) => {
    const answers = guards.map(({ name, answer }) => `${name}=${answer}`).join(' ')
    const [start, end] = [from, to].map(index => (index === undefined ? 'initial' : chart.configurations[index]))
    return `${start}: ${event ?? 'other'} [${answers}] ${end}${done ? ' done' : ''}`
  })
  t.same(listed, [
    'initial: other [] a',
    'a: go [one=true three=true] c done',
    'a: go [one=true three=false] b',
    'a: go [one=false two=true] a',
    'a: go [one=false two=false] a',
    'a: halt [] c done',
    'a: other [] a',
    'b: other [] a',
  ])
})

/** Regions that leave `idle` on `go`, in the order in which they came to it; `actions` are those of leaving. */
function regionsMachine(actions: (region: string) => object): AnyStateMachine {
  const isGo = ({ event }: { event: { type: string } }) => event.type === 'go'
  const region = (name: string) => ({
    initial: 'idle',
    states: {
      idle: { on: { [name]: 'away' }, always: { guard: isGo, target: 'gone', ...actions(name) } },
      away: { on: { [name]: 'idle' } },
      gone: {},
    },
  })
  const states = { left: region('left'), right: region('right') }
  return createMachine({ id: 'm', context: { last: '' }, type: 'parallel', states } as never) as never
}

t.test('two orders of regions are one configuration unless their actions come in another order', async t => {
  const idle = (chart: AnyStateMachine) =>
    compileChart(chart).configurations.filter(text => text === 'left.idle & right.idle').length
  t.equal(idle(regionsMachine(() => ({}))), 1)
  const ordered = regionsMachine(last => ({ actions: assign({ last }) }))
  t.equal(idle(ordered), 2)
  assertChartAgrees(t, ordered, { events: ['left', 'right', 'go'].map(type => ({ type })), walks: 60, steps: 8 })
})

t.test('an order of regions survives persisting', async t => {
  const chart = compileChart(regionsMachine(last => ({ actions: assign({ last }) }))) as unknown as CompiledChart
  const timers = createClockTimers(createVirtualClock())
  for (const [moved, last] of [
    ['left', 'left'],
    ['right', 'right'],
  ] as const) {
    const instance = chart.create(undefined, timers)
    chart.start(instance)
    for (const type of [moved, moved]) chart.step(instance, { type })
    const restored = chart.restore(structuredClone(chart.persist(instance, timers)), timers)
    chart.step(restored, { type: 'go' })
    t.same(restored.context, { last }, 'the region that came last leaves last')
  }
})

t.test('a chart that differs in one exit action does not pass for the original', async t => {
  const desk = { open: createJournal() }
  const changed = createMachine(
    { ...linkMachine.config, exit: [] } as never,
    linkMachine.implementations as never,
  ) as unknown as AnyStateMachine
  const chart = compileChart(changed) as unknown as CompiledChart
  const input = () => ({ idleMs: 80 })
  const problems = Array.from({ length: 20 }, (_, seed) =>
    walkOnce(linkMachine, [chart], desk, createRandom(seed), { input, events: linkEvents, steps: 60 }),
  ).filter(({ problem }) => problem !== undefined)
  t.ok(problems.length > 0)
})
