/** OTP's group restart_one_for_one, and the restart loops under it. */
import type { SupervisorSpec } from '../../src/supervisor/child-spec.ts'
import { type ConformanceGroup, children, counts, refuses, story } from './suite.ts'

const top: SupervisorSpec = { id: 'top', intensity: 2, periodMs: 3_600_000 }
const gaveUp = { type: 'shutdown', detail: 'reached_max_restart_intensity' }

/** Each child by itself. */
export const oneForOne: ConformanceGroup = {
  name: 'one-for-one',
  cases: [
    {
      name: 'one_for_one',
      stimulus: 'one of two children fails, then the other, then one more time',
      observed: 'only the one that failed is started again; the third failure is one too many',
      async run(t, world) {
        const sup = await world.supervise({ ...top, children: [world.actor('a'), world.actor('b')] })
        await world.exit({ a: 'abnormal' })
        t.same(story(world, 2), ['exit a#1 threw', 'up a#2'])
        t.same(await counts(sup), [2, 2, 0, 2])
        await world.exit({ b: 'abnormal' })
        t.same(story(world, 4), ['exit b#1 threw', 'up b#2'])
        await world.exit({ a: 'abnormal' })
        t.same(story(world, 6), ['exit a#2 threw', 'exit b#2 shutdown'])
        t.match(sup.exit(), { ...gaveUp, culprit: { id: 'a', reason: { type: 'threw' } } })
      },
    },
    {
      name: 'one_for_one_escalation',
      stimulus: 'a child fails and cannot be started again',
      observed: 'each try counts; after the fourth its sibling is stopped and the supervisor ends with shutdown',
      async run(t, world) {
        world.script('a', { starts: ['run', 'fail'] })
        const specs = [world.actor('a'), world.actor('b')]
        const sup = await world.supervise({ ...top, intensity: 4, children: specs })
        await world.exit({ a: 'abnormal' })
        t.same(story(world, 2), ['exit a#1 threw', 'exit b#1 shutdown'])
        t.match(sup.exit(), { ...gaveUp, culprit: { id: 'a', reason: { type: 'bootstrapFailed' } } })
        world.script('a', { starts: ['run'] })
        await world.supervise({ ...top, children: [world.actor('a')] })
        t.equal(world.running('a'), 6, 'the first start, and four tries')
      },
    },
    {
      name: 'hanging_restart_loop',
      needs: ['time'],
      stimulus: 'commands, then a stop, while a child that failed hangs in start after start of 2 s',
      observed:
        'they are answered between two tries: the child is restarting, can be terminated, the supervisor can end',
      async run(t, world) {
        world.script('a', { starts: ['run', 'hang'] })
        const sup = await world.supervise({ ...top, intensity: 8, periodMs: 10_000 })
        const spec = world.actor('a', { shutdown: 'brutal_kill', initTimeoutMs: 2_000 })
        await sup.startChild(spec)
        await world.exit({ a: 'abnormal' })
        const answers = [
          refuses(t, sup.startChild(spec), 'CHILD_ALREADY_PRESENT'),
          refuses(t, sup.restartChild('a'), 'CHILD_RESTARTING'),
          refuses(t, sup.deleteChild('a'), 'CHILD_RESTARTING'),
          children(sup).then(list => t.same(list, ['a restarting'])),
          counts(sup).then(list => t.same(list, [1, 0, 0, 1])),
          sup.terminateChild('a'),
          children(sup).then(list => t.same(list, ['a undefined'])),
        ]
        await world.advance(2_000)
        await Promise.all(answers)
        await world.advance(10_000)
        t.same(story(world), ['up a#1', 'exit a#1 threw'], 'no further try')
        world.script('a', { starts: ['run', 'hang'] })
        t.match(await sup.restartChild('a'), { actor: { incarnation: 3 } })
        await world.exit({ a: 'abnormal' })
        await world.advance(3_000)
        await sup.stop()
        t.equal(sup.exit(), undefined, 'it is in the middle of a try')
        await world.advance(1_000)
        t.same(sup.exit(), { type: 'shutdown' })
      },
    },
  ],
  mutations: [
    {
      breaks: 'the budget is never exceeded',
      file: 'supervisor/intensity.ts',
      search: 'return window.length <= budget.intensity',
      replacement: 'return true',
    },
    {
      breaks: 'a failed start is not tried again',
      file: 'supervisor/supervisor-job.ts',
      search: "state.host.post({ type: 'supervisor.tryAgain', id, incarnation })",
      replacement: '',
    },
    {
      breaks: 'the next try does not wait for its turn',
      file: 'supervisor/supervisor-job.ts',
      search: "state.host.post({ type: 'supervisor.tryAgain', id, incarnation })",
      replacement: "state.job = newJob('restart', { start: [child] })",
    },
  ],
}
