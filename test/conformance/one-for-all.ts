/** OTP's group restart_one_for_all. */
import type { SupervisorSpec } from '../../src/supervisor/child-spec.ts'
import { type ConformanceGroup, children, counts, story } from './suite.ts'

const top: SupervisorSpec = { id: 'top', strategy: 'one_for_all', intensity: 2, periodMs: 3_600_000 }
const gaveUp = { type: 'shutdown', detail: 'reached_max_restart_intensity' }

/** All children together. */
export const oneForAll: ConformanceGroup = {
  name: 'one-for-all',
  cases: [
    {
      name: 'one_for_all',
      stimulus: 'one of two children fails, three times',
      observed: 'both are started again, twice; the third failure is one too many',
      async run(t, world) {
        const sup = await world.supervise({ ...top, children: [world.actor('a'), world.actor('b')] })
        await world.exit({ a: 'abnormal' })
        t.same(story(world, 2), ['exit a#1 threw', 'exit b#1 shutdown', 'up a#2', 'up b#2'])
        t.same(await counts(sup), [2, 2, 0, 2])
        await world.exit({ b: 'abnormal' })
        t.same(story(world, 6), ['exit b#2 threw', 'exit a#2 shutdown', 'up a#3', 'up b#3'])
        await world.exit({ b: 'abnormal' })
        t.same(story(world, 10), ['exit b#3 threw', 'exit a#3 shutdown'])
        t.match(sup.exit(), gaveUp)
      },
    },
    {
      name: 'one_for_all_escalation',
      stimulus: 'the first child fails, and the second can never be started again',
      observed: 'each try counts and stops the first again; then the supervisor ends with shutdown',
      async run(t, world) {
        world.script('b', { starts: ['run', 'fail'] })
        const sup = await world.supervise({ ...top, intensity: 4, children: [world.actor('a'), world.actor('b')] })
        await world.exit({ a: 'abnormal' })
        t.same(story(world, 2), [
          'exit a#1 threw',
          'exit b#1 shutdown',
          ...[2, 3, 4, 5].flatMap(n => [`up a#${n}`, `exit a#${n} shutdown`]),
        ])
        t.match(sup.exit(), { ...gaveUp, culprit: { id: 'b', reason: { type: 'bootstrapFailed' } } })
      },
    },
    {
      name: 'one_for_all_other_child_fails_restart',
      stimulus: 'the first child fails; it comes back, but the second does not at once',
      observed: 'the first is stopped again, then both are started',
      async run(t, world) {
        world.script('b', { starts: ['run', 'fail', 'run'] })
        const sup = await world.supervise({ ...top, intensity: 3, children: [world.actor('a'), world.actor('b')] })
        await world.exit({ a: 'abnormal' })
        t.same(story(world, 2), [
          'exit a#1 threw',
          'exit b#1 shutdown',
          'up a#2',
          'exit a#2 shutdown',
          'up a#3',
          'up b#3',
        ])
        t.equal(sup.exit(), undefined)
      },
    },
    {
      name: 'ended_transient_sibling (not in OTP)',
      stimulus: 'a transient child has ended normally, another was terminated, a third one fails',
      observed: 'all three are started: what is defined comes back with its group',
      async run(t, world) {
        const specs = [world.actor('a', { restart: 'transient' }), world.actor('b'), world.actor('c')]
        const sup = await world.supervise({ ...top, children: specs })
        await world.exit({ a: 'normal' })
        await sup.terminateChild('b')
        t.same(await children(sup), ['a undefined', 'b undefined', 'c running'])
        await world.exit({ c: 'abnormal' })
        t.same(story(world, 6), ['up a#2', 'up b#2', 'up c#2'])
      },
    },
    {
      name: 'crashes_at_once (not in OTP)',
      needs: ['together'],
      stimulus: 'two of three children fail before the supervisor has dealt with either',
      observed: 'they cost one restart: the second is stopped as part of the group',
      async run(t, world) {
        const specs = [world.actor('a'), world.actor('b'), world.actor('c')]
        const sup = await world.supervise({ ...top, intensity: 1, children: specs })
        await world.exit({ a: 'abnormal', b: 'abnormal' })
        t.same(story(world, 3), ['exit a#1 threw', 'exit b#1 threw', 'exit c#1 shutdown', 'up a#2', 'up b#2', 'up c#2'])
        t.equal(sup.exit(), undefined)
      },
    },
    {
      name: 'crash_during_group_restart (not in OTP)',
      needs: ['time'],
      stimulus: 'a child that the group restart has started fails while a later one still starts',
      observed: 'the group restart is finished first, then that failure costs a second one',
      async run(t, world) {
        world.script('b', { starts: ['run', { runAfterMs: 100 }, 'run'] })
        const sup = await world.supervise({ ...top, intensity: 2, children: [world.actor('a'), world.actor('b')] })
        await world.exit({ a: 'abnormal' })
        await world.exit({ a: 'abnormal' })
        t.same(story(world, 2), ['exit a#1 threw', 'exit b#1 shutdown', 'up a#2', 'exit a#2 threw'])
        await world.advance(100)
        t.same(story(world, 6), ['up b#2', 'exit b#2 shutdown', 'up a#3', 'up b#3'])
        await world.exit({ b: 'abnormal' })
        t.match(sup.exit(), gaveUp, 'two were spent')
      },
    },
    {
      name: 'terminated_while_its_group_restarts (not in OTP)',
      needs: ['time'],
      stimulus:
        'the second child fails; the first, started for that, is terminated meanwhile and then cannot be started',
      observed: 'both have no actor and can be started; nothing is due any more',
      async run(t, world) {
        world.script('a', { starts: ['run', 'hang'] })
        const specs = [world.actor('a', { initTimeoutMs: 2_000 }), world.actor('b')]
        const sup = await world.supervise({ ...top, children: specs })
        await world.exit({ b: 'abnormal' })
        const terminated = sup.terminateChild('a')
        await world.advance(2_000)
        await terminated
        t.same(await children(sup), ['a undefined', 'b undefined'])
        t.match(await sup.restartChild('b'), { actor: { incarnation: 2 } })
      },
    },
  ],
  mutations: [
    {
      breaks: 'siblings that were started before the failed one are left out',
      file: 'supervisor/strategy.ts',
      search: "let inGroup = strategy === 'one_for_all'",
      replacement: 'let inGroup = false',
    },
    {
      breaks: 'a second crash is a failure of its own although its group was stopped',
      file: 'supervisor/supervisor-job.ts',
      search: "if (child.life.state === 'running') {\n      job.awaited = child",
      replacement:
        "if (child.life.state === 'down') return\n    if (child.life.state === 'running') {\n      job.awaited = child",
    },
    {
      breaks: 'a failed start leaves the siblings that came up running',
      file: 'supervisor/strategy.ts',
      search: 'stop: group.filter(child => child !== failed).reverse(),',
      replacement: 'stop: [],',
    },
    {
      breaks: 'when a group restart fails, the child that it was for goes on waiting',
      file: 'supervisor/supervisor-job.ts',
      search: "child.life.send({ type: 'child.forget' })\n    hold(state, child)",
      replacement: 'hold(state, child)',
    },
  ],
}
