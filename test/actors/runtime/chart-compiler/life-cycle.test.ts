/** An instance of a compiled chart is created, started, stepped, stopped, persisted and restored as the contract says. */
import t from 'tap'
import { assign, createMachine, setup } from 'xstate'
import { compileChart } from '../../../../src/actors/runtime/chart-compiler/compile-chart.ts'
import { createClockTimers } from '../../../../src/actors/runtime/chart-timers.ts'
import { createVirtualClock } from '../../../../src/actors/runtime/clock.ts'
import type { ChartInstance } from '../../../../src/actors/runtime/compiled-chart.ts'

interface Doc {
  n: number
  seen: string[]
}

const docMachine = setup({
  types: {} as { context: Doc; events: { type: 'edit' | 'save' | 'break' | 'crash' | 'end' }; input: { n: number } },
  actions: {
    see: ({ context, event }) => void context.seen.push(event.type),
    break: () => {
      throw new RangeError('broken')
    },
    count: assign({ n: ({ context }) => context.n + 1 }),
  },
  guards: {
    even: ({ context }) => {
      if (context.n < 0) throw new RangeError('negative')
      return context.n % 2 === 0
    },
  },
}).createMachine({
  id: 'doc',
  context: ({ input }) => {
    if (Number.isNaN(input.n)) throw new RangeError('no number')
    return { n: input.n, seen: [] }
  },
  initial: 'clean',
  entry: 'see',
  states: {
    clean: { on: { edit: { target: 'dirty', actions: ['count', 'see'] }, save: { guard: 'even', actions: 'see' } } },
    dirty: {
      after: { 1000: 'clean', 5000: 'ended' },
      on: {
        break: { target: 'clean', actions: ['count', 'break'] },
        crash: { actions: 'break' },
        save: 'clean',
        end: 'ended',
      },
    },
    ended: { type: 'final' },
  },
  output: ({ context }) => context.n,
})

for (const codegen of ['auto', 'never'] as const) {
  const chart = compileChart(docMachine, { codegen })

  function create(n = 0, scope?: object) {
    const clock = createVirtualClock()
    const timers = createClockTimers(clock)
    return { clock, timers, instance: chart.create({ n }, timers, scope) }
  }

  t.test(`initial actions wait for the start, as those of a live actor do (codegen ${codegen})`, async t => {
    const { instance } = create()
    t.equal(instance.status, 'idle')
    t.same(instance.context.seen, [])
    t.throws(() => chart.step(instance, { type: 'edit' }), { code: 'CHART_MISUSED' })
    chart.start(instance)
    t.equal(instance.status, 'active')
    t.same(instance.context.seen, ['xstate.init'])
    chart.start(instance)
    t.same(instance.context.seen, ['xstate.init'], 'a second start does nothing')
  })

  t.test(`an action that throws ends the instance where it stood before the event (codegen ${codegen})`, async t => {
    const { clock, instance } = create()
    chart.start(instance)
    chart.step(instance, { type: 'edit' })
    t.equal(clock.pending, 2)
    t.throws(() => chart.step(instance, { type: 'break' }), RangeError)
    t.equal(instance.status, 'error')
    t.match(instance.error, { message: 'broken' })
    t.equal(chart.valueOf(instance), 'dirty', 'the state is that before the event')
    t.equal(instance.context.n, 1, 'the assign of the failed step is undone')
    t.equal(clock.pending, 0)
    chart.step(instance, { type: 'save' })
    t.equal(chart.valueOf(instance), 'dirty', 'events are ignored from then on')
  })

  t.test(`an error clears timers that the failed step did not touch (codegen ${codegen})`, async t => {
    const { clock, instance } = create()
    chart.start(instance)
    chart.step(instance, { type: 'edit' })
    t.equal(clock.pending, 2)
    t.throws(() => chart.step(instance, { type: 'crash' }), RangeError)
    t.equal(clock.pending, 0)
  })

  t.test(`a guard that throws is rethrown as it is (codegen ${codegen})`, async t => {
    const { instance } = create(-1)
    chart.start(instance)
    t.throws(() => chart.step(instance, { type: 'save' }), new RangeError('negative'))
    t.equal(instance.status, 'error')
  })

  t.test(`what the initial step throws is rethrown by start (codegen ${codegen})`, async t => {
    const { instance } = create(Number.NaN)
    t.equal(instance.status, 'error')
    t.throws(() => chart.start(instance), new RangeError('no number'))
  })

  t.test(`the machine's output is there when it is done, and its timers are gone (codegen ${codegen})`, async t => {
    const { clock, instance } = create(4)
    chart.start(instance)
    chart.step(instance, { type: 'edit' })
    chart.step(instance, { type: 'end' })
    t.match(instance, { status: 'done', output: 5 })
    t.equal(clock.pending, 0)
    t.ok(chart.matches(instance, 'ended'))
  })

  t.test(`stop clears the timers, runs no exit actions and is final (codegen ${codegen})`, async t => {
    const { clock, instance } = create()
    chart.start(instance)
    chart.step(instance, { type: 'edit' })
    const seen = [...instance.context.seen]
    chart.stop(instance)
    t.equal(instance.status, 'stopped')
    t.equal(clock.pending, 0)
    chart.step(instance, { type: 'save' })
    t.equal(chart.valueOf(instance), 'dirty')
    t.same(instance.context.seen, seen)
    const idle = create().instance
    chart.stop(idle)
    chart.start(idle)
    t.equal(idle.status, 'stopped', 'an instance stopped before its start never starts')
  })

  t.test(`persist and restore keep state, context and the time timers had left (codegen ${codegen})`, async t => {
    const { clock, timers, instance } = create()
    t.throws(() => chart.persist(instance, timers), { code: 'CHART_MISUSED' })
    chart.start(instance)
    chart.step(instance, { type: 'edit' })
    await clock.advance(400)
    const persisted = structuredClone(chart.persist(instance, timers))
    t.match(persisted, { value: 'dirty', status: 'active', context: { n: 1 } })
    t.same(persisted.timers, [
      { event: 'xstate.after.1000.doc.dirty', remainingMs: 600 },
      { event: 'xstate.after.5000.doc.dirty', remainingMs: 4_600 },
    ])
    chart.stop(instance)
    const later = createVirtualClock(1_000_000)
    const laterTimers = createClockTimers(later)
    const restored = chart.restore(persisted, laterTimers)
    t.equal(restored.status, 'active')
    t.same(restored.context, instance.context, 'no action ran')
    await later.advance(599)
    t.equal(chart.valueOf(restored), 'dirty')
    await later.advance(1)
    t.equal(chart.valueOf(restored), 'clean')
    t.equal(later.pending, 0)
  })

  t.test(`a snapshot of another chart is refused (codegen ${codegen})`, async t => {
    const { timers } = create()
    const snapshot = { value: 'clean', context: {}, status: 'active', timers: [] } as const
    const fits = { code: 'BAD_SNAPSHOT', details: { chart: 'doc' } }
    t.throws(() => chart.restore({ ...snapshot, value: 'gone' }, timers), fits)
    t.throws(() => chart.restore({ ...snapshot, timers: [{ event: 'x', remainingMs: 1 }] }, timers), fits)
    t.throws(() => chart.restore({ ...snapshot, status: 'idle' }, timers), fits)
    t.equal(chart.restore({ ...snapshot, value: 'ended', status: 'done', output: 3 }, timers).output, 3)
  })

  t.test(
    `a step inside a step of the same instance is refused, of another instance is not (codegen ${codegen})`,
    async t => {
      interface Node {
        peers: ChartInstance<Node>[]
        log: string[]
      }
      const machine = createMachine({
        id: 'node',
        types: {} as { context: Node; events: { type: 'relay' | 'note' | 'stop' } },
        context: () => ({ peers: [], log: [] }),
        on: {
          relay: {
            actions: args => {
              for (const peer of args.context.peers) relay.step(peer, { type: 'note' })
              // The inner steps must not have touched the arguments of this one.
              args.context.log.push(`relayed ${args.event.type} for ${(args.self as unknown as { name: string }).name}`)
            },
          },
          note: { actions: ({ context, event }) => void context.log.push(event.type) },
          stop: {
            actions: ({ context, self }) => {
              relay.stop((self as unknown as { instance: ChartInstance<Node> }).instance)
              context.log.push('still stepping')
            },
          },
        },
      })
      const relay = compileChart(machine, { codegen })
      const timers = createClockTimers(createVirtualClock())
      const scopes = ['one', 'two', 'three'].map(name => ({ name, instance: undefined as unknown }))
      const [one, two, three] = scopes.map(scope => {
        const instance = relay.create(undefined, timers, scope)
        scope.instance = instance
        relay.start(instance)
        return instance
      })
      one!.context.peers = [two!, three!]
      relay.step(one!, { type: 'relay' })
      t.same(
        [one, two, three].map(instance => instance!.context.log),
        [['relayed relay for one'], ['note'], ['note']],
      )
      two!.context.peers = [three!, two!]
      t.throws(() => relay.step(two!, { type: 'relay' }), { code: 'CHART_MISUSED', message: /inside its own step/ })
      t.match(two, { status: 'error' })
      relay.step(three!, { type: 'stop' })
      t.match(three, { status: 'stopped', context: { log: ['note', 'note', 'still stepping'] } })
    },
  )

  t.test(`the first timers are armed after the initial actions (codegen ${codegen})`, async t => {
    const clock = createVirtualClock()
    const fired: string[] = []
    const machine = createMachine({
      entry: () => clock.setTimeout(() => fired.push('action'), 10),
      after: { 10: { actions: () => void fired.push('after') } },
    })
    const both = compileChart(machine, { codegen })
    both.start(both.create(undefined, createClockTimers(clock)))
    await clock.advance(10)
    t.same(fired, ['action', 'after'])
  })

  t.test(`instances do not share a static context, nor what is in it (codegen ${codegen})`, async t => {
    const shared = () => 'shared'
    const machine = createMachine({
      types: {} as { context: { n: number; deep: { list: number[][] }; shared: () => string } },
      context: { n: 0, deep: { list: [[]] }, shared },
      on: {
        add: {
          actions: ({ context }) => {
            context.deep.list[0]!.push(++context.n)
          },
        },
      },
    })
    const counter = compileChart(machine, { codegen })
    const timers = createClockTimers(createVirtualClock())
    const [one, two] = [counter.create(undefined, timers), counter.create(undefined, timers)]
    counter.start(one)
    counter.step(one, { type: 'add' })
    t.same(one.context, { n: 1, deep: { list: [[1]] }, shared })
    t.same(two.context, { n: 0, deep: { list: [[]] }, shared })
    t.same(machine.config.context, { n: 0, deep: { list: [[]] }, shared })
  })

  t.test(
    `an assign that spawns, and a delay that is no number, end the instance with an error (codegen ${codegen})`,
    async t => {
      const machine = setup({ delays: { wrong: () => 'soon' as unknown as number } }).createMachine({
        initial: 'a',
        states: {
          a: { on: { spawn: { actions: assign(({ spawn }) => ({ child: (spawn as () => unknown)() })) }, wait: 'b' } },
          b: { after: { wrong: 'a' } },
        },
      })
      const wrong = compileChart(machine, { codegen })
      for (const [type, code] of [
        ['spawn', 'CHART_NOT_COMPILABLE'],
        ['wait', 'BAD_CONFIG'],
      ] as const) {
        const instance = wrong.create(undefined, createClockTimers(createVirtualClock()))
        wrong.start(instance)
        t.throws(() => wrong.step(instance, { type }), { code })
      }
    },
  )
}
