/** What cannot be compiled is refused when the chart is compiled, with the path of the state that uses it. */
import t from 'tap'
import {
  type AnyStateMachine,
  and,
  assign,
  cancel,
  createMachine,
  emit,
  enqueueActions,
  fromCallback,
  log,
  not,
  or,
  raise,
  sendTo,
  setup,
  spawnChild,
  stateIn,
  stopChild,
} from 'xstate'
import { compileChart } from '../../../../src/actors/runtime/chart-compiler/compile-chart.ts'

const child = fromCallback(() => undefined)

/** What state `deep.inner` of the chart `m` may not have, and what the refusal calls it. */
const refused: readonly (readonly [feature: string, inner: object])[] = [
  ['invoke', { invoke: { src: child } }],
  ['a history state', { initial: 'x', states: { x: {}, h: { type: 'history' } } }],
  ['the partial wildcard', { on: { 'a.*': {} } }],
  ['the action spawnChild', { entry: spawnChild(child) }],
  ['the action sendTo', { exit: sendTo('x', { type: 'a' }) }],
  ['the action stopChild', { on: { a: { actions: stopChild('x') } } }],
  ['the action enqueueActions', { always: { actions: enqueueActions(() => undefined) } }],
  ['the action emit', { after: { 1: { actions: emit({ type: 'a' }) } } }],
  ['the action log', { entry: log('a') }],
  ['the action cancel', { entry: ['named', cancel('a')] }],
  ['a delayed raise', { entry: raise({ type: 'a' }, { delay: 1 }) }],
  ['a computed raise', { entry: raise(() => ({ type: 'a' })) }],
  ['the guard and', { on: { a: { guard: and(['yes', 'yes']) } } }],
  ['the guard or', { on: { a: [{ guard: 'yes' }, { guard: or(['yes', 'yes']) }] } }],
  ['the guard not', { always: [{ guard: not('yes') }] }],
  ['the guard stateIn', { on: { a: { guard: stateIn('#m') } } }],
  ["the guard 'missing'", { on: { a: { guard: 'missing' } } }],
  ["the guard 'circular'", { on: { a: { guard: 'circular' } } }],
  ["the delay 'missing'", { after: { missing: {} } }],
  ["the name '__proto__'", { initial: 'x', states: Object.fromEntries([['__proto__', {}]]), on: { a: {} } }],
  ["an assign of '__proto__'", { entry: assign(Object.fromEntries([['__proto__', 1]])) }],
  ['for ever', { initial: 'x', states: { x: { always: 'y' }, y: { always: 'x' } } }],
  ['for ever', { on: { a: { actions: raise({ type: 'a' }) } } }],
  ['for ever', { always: { guard: 'yes', actions: assign({ n: 1 }) } }],
]

for (const [feature, inner] of refused) {
  t.test(`${feature} is refused: ${JSON.stringify(inner)}`, async t => {
    const config = { id: 'm', context: {}, initial: 'deep', states: { deep: { initial: 'inner', states: { inner } } } }
    const implementations = { guards: { yes: () => true, circular: 'circular' }, actions: { named: () => undefined } }
    const machine = createMachine(config as never, implementations as never) as unknown as AnyStateMachine
    const path = `m.deep.inner${
      'states' in inner
        ? Object.keys(inner.states as object)
            .at(-1)!
            .replace(/^/, '.')
        : ''
    }`
    t.throws(() => compileChart(machine), {
      code: 'CHART_NOT_COMPILABLE',
      message: new RegExp(`chart 'm' cannot be compiled: ${path} uses .*${feature.replace(/[()]/g, '')}`),
      details: { chart: 'm', path },
    })
  })
}

t.test(
  'a static context that could not be copied as it is is refused, with the place of what is no plain data',
  async t => {
    class Meter {
      n = 1
    }
    const circle: Record<string, unknown> = {}
    circle['self'] = { again: circle }
    for (const [context, feature] of [
      [new Meter(), 'a static context with a Meter at context'],
      [new Map(), 'a static context with a Map at context'],
      [7, 'a static context that is no object'],
      [{ list: [{}, { at: new Date(0) }] }, 'a static context with a Date at context.list.1.at'],
      [{ none: Object.create(null) }, 'a static context with an object of no class at context.none'],
      [
        {
          a: {
            get twice() {
              return 2
            },
          },
        },
        'a static context whose context.a.twice is no plain field',
      ],
      [Object.defineProperty({}, 'hidden', { value: 1 }), 'a static context whose context.hidden is no plain field'],
      [circle, 'a static context that holds itself at context.self.again'],
    ] as const) {
      const machine = createMachine({ id: 'm', context: context as never }) as unknown as AnyStateMachine
      t.throws(() => compileChart(machine), {
        code: 'CHART_NOT_COMPILABLE',
        message: `chart 'm' cannot be compiled: m uses ${feature}; a function can make such a context`,
      })
      const made = createMachine({ id: 'm', context: () => context as never }) as unknown as AnyStateMachine
      t.ok(compileChart(made), feature)
    }
  },
)

t.test('a builtin behind a name is refused where it is used', async t => {
  const machine = setup({ actions: { tell: sendTo('x', { type: 'a' }) } }).createMachine({
    id: 'm',
    initial: 'a',
    states: { a: { on: { go: { actions: 'tell' } } } },
  })
  t.throws(() => compileChart(machine), { code: 'CHART_NOT_COMPILABLE', message: /m\.a uses the action sendTo/ })
})

t.test('a child that enters its root without leaving it would arm its timer twice, and is refused', async t => {
  const machine = createMachine({
    id: 'm',
    after: { 10: '.a' },
    initial: 'a',
    states: { a: { on: { again: '#m' } } },
  })
  t.throws(() => compileChart(machine), { message: /`after` of a state that is entered while it is active/ })
})

t.test('a chart with too many configurations is refused instead of taking for ever', async t => {
  const region = {
    initial: 'a',
    states: Object.fromEntries([...'abcd'].map(key => [key, { on: { [`to ${key}`]: {} } }])),
  }
  const states = Object.fromEntries(
    Array.from({ length: 6 }, (_, at) => {
      const on = Object.fromEntries([...'abcd'].map(key => [`${at}${key}`, `.${key}`]))
      return [`r${at}`, { ...region, on }]
    }),
  )
  const machine = createMachine({ id: 'm', type: 'parallel', states } as never) as unknown as AnyStateMachine
  t.throws(() => compileChart(machine), { message: /more than 2000 configurations/ })
})
