/** OTP's group restart_rest_for_one, and the restart loop under it. */
import type { SupervisorSpec } from '../../src/supervisor/child-spec.ts'
import { type ConformanceGroup, children, counts, refuses, story } from './suite.ts'

const top: SupervisorSpec = { id: 'top', strategy: 'rest_for_one', intensity: 2, periodMs: 3_600_000 }
const gaveUp = { type: 'shutdown', detail: 'reached_max_restart_intensity' }

/** A child and those that were started after it. */
export const restForOne: ConformanceGroup = {
  name: 'rest-for-one',
  cases: [
    {
      name: 'rest_for_one',
      stimulus: 'the second of three children fails, then the third, then the second',
      observed: 'the child and those after it are started again; the third failure is one too many',
      async run(t, world) {
        const specs = [world.actor('a'), world.actor('b'), world.actor('c')]
        const sup = await world.supervise({ ...top, children: specs })
        await world.exit({ b: 'abnormal' })
        t.same(story(world, 3), ['exit b#1 threw', 'exit c#1 shutdown', 'up b#2', 'up c#2'])
        t.same(await counts(sup), [3, 3, 0, 3])
        await world.exit({ c: 'abnormal' })
        t.same(story(world, 7), ['exit c#2 threw', 'up c#3'])
        await world.exit({ b: 'abnormal' })
        t.same(story(world, 9), ['exit b#2 threw', 'exit c#3 shutdown', 'exit a#1 shutdown'])
        t.match(sup.exit(), gaveUp)
      },
    },
    {
      name: 'rest_for_one_escalation',
      stimulus: 'the first child fails, and the second can never be started again',
      observed: 'each try counts; the first, back already, is left alone until the supervisor ends',
      async run(t, world) {
        world.script('b', { starts: ['run', 'fail'] })
        const sup = await world.supervise({ ...top, intensity: 4, children: [world.actor('a'), world.actor('b')] })
        await world.exit({ a: 'abnormal' })
        t.same(story(world, 2), ['exit a#1 threw', 'exit b#1 shutdown', 'up a#2', 'exit a#2 shutdown'])
        t.match(sup.exit(), gaveUp)
      },
    },
    {
      name: 'rest_for_one_other_child_fails_restart',
      stimulus: 'the first child fails; it comes back, but the second does not at once',
      observed: 'the second is tried again, the first is left alone',
      async run(t, world) {
        world.script('b', { starts: ['run', 'fail', 'run'] })
        const sup = await world.supervise({ ...top, intensity: 3, children: [world.actor('a'), world.actor('b')] })
        await world.exit({ a: 'abnormal' })
        t.same(story(world, 2), ['exit a#1 threw', 'exit b#1 shutdown', 'up a#2', 'up b#3'])
        t.equal(sup.exit(), undefined)
      },
    },
    {
      name: 'hanging_restart_loop_rest_for_one',
      needs: ['time'],
      stimulus: 'commands, then a stop, while the second of three children hangs in start after start of 2 s',
      observed: 'they are answered between two tries: those before it run, those after it are undefined',
      async run(t, world) {
        world.script('b', { starts: ['run', 'hang'] })
        const sup = await world.supervise({ ...top, intensity: 8, periodMs: 10_000 })
        const spec = world.actor('b', { shutdown: 'brutal_kill', initTimeoutMs: 2_000 })
        await sup.startChild(world.actor('a'))
        await sup.startChild(spec)
        await sup.startChild(world.actor('c'))
        await world.exit({ b: 'abnormal' })
        const answers = [
          refuses(t, sup.startChild(spec), 'CHILD_ALREADY_PRESENT'),
          refuses(t, sup.restartChild('b'), 'CHILD_RESTARTING'),
          refuses(t, sup.deleteChild('b'), 'CHILD_RESTARTING'),
          children(sup).then(list => t.same(list, ['a running', 'b restarting', 'c undefined'])),
          counts(sup).then(list => t.same(list, [3, 1, 0, 3])),
          sup.terminateChild('b'),
          children(sup).then(list => t.same(list, ['a running', 'b undefined', 'c undefined'])),
        ]
        await world.advance(2_000)
        await Promise.all(answers)
        world.script('b', { starts: ['run', 'hang'] })
        t.match(await sup.restartChild('b'), { actor: { incarnation: 3 } })
        await world.exit({ b: 'abnormal' })
        await world.advance(3_000)
        await sup.stop()
        await world.advance(1_000)
        t.same(sup.exit(), { type: 'shutdown' })
        t.equal(world.running('a'), undefined)
      },
    },
  ],
  mutations: [
    {
      breaks: 'the whole group is restarted, not the rest of it',
      file: 'supervisor/strategy.ts',
      search: "let inGroup = strategy === 'one_for_all'",
      replacement: 'let inGroup = true',
    },
    {
      breaks: 'the child that failed first is tried again, not the one that could not be started',
      file: 'supervisor/supervisor-job.ts',
      search: "child.life.send({ type: 'child.await', failure: reason })",
      replacement: "job.start[0]!.life.send({ type: 'child.await', failure: reason })",
    },
    {
      breaks: 'a child that waits for its next try counts as running',
      file: 'supervisor/supervisor-commands.ts',
      search: "return isDue(child) || child.life.state === 'starting'",
      replacement: 'return false',
    },
  ],
}
