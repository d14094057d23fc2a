/** OTP's tree and simple_global_supervisor: supervisors under supervisors. */
import type { SupervisorSpec } from '../../src/supervisor/child-spec.ts'
import { type ConformanceGroup, children, counts, story } from './suite.ts'
import type { ConformanceWorld, WorldSupervisor } from './world.ts'

/** A supervisor above a supervisor above a worker. */
async function nest(world: ConformanceWorld, id: string): Promise<WorldSupervisor> {
  const middle: SupervisorSpec = {
    id: `${id}.middle`,
    strategy: 'one_for_all',
    intensity: 3,
    periodMs: 60_000,
    shutdown: 2_000,
    children: [world.actor(`${id}.server`, { shutdown: 2_000 })],
  }
  return world.supervise({ id, strategy: 'one_for_all', intensity: 3, periodMs: 60_000, children: [middle] })
}

/** Trees. */
export const trees: ConformanceGroup = {
  name: 'trees',
  cases: [
    {
      name: 'tree',
      stimulus: 'children fail in a tree of three supervisors under one_for_all; one cannot be started again',
      observed:
        'a failure stays within its supervisor until that gives up; then the whole tree is started anew, without the children that were added',
      async run(t, world) {
        const sup = { intensity: 4, periodMs: 3_600_000 }
        const top = await world.supervise({ id: 'top', strategy: 'one_for_all', ...sup })
        await top.startChild({ id: 's1', ...sup, children: [world.actor('a'), world.actor('b')] })
        await top.startChild({ id: 's2', ...sup, children: [] })
        await top.startChild({ id: 's3', ...sup, children: [], restart: 'transient' })
        await top.terminateChild('s3')
        t.same(await counts(top), [3, 2, 3, 0])
        const [s1, s2] = [world.supervisor('s1'), world.supervisor('s2')]
        t.same(await counts(s1), [2, 2, 0, 2])
        t.same(await counts(s2), [0, 0, 0, 0])

        world.script('c', { starts: ['run', 'fail'] })
        await s2.startChild(world.actor('c'))
        await s2.startChild(world.actor('d'))
        await world.exit({ d: 'abnormal' })
        t.same(await children(s2), ['c running', 'd running'])
        t.same(
          ['a', 'b', 'c', 'd'].map(id => world.running(id)),
          [1, 1, 1, 2],
        )

        await world.exit({ c: 'abnormal' })
        t.same(await children(top), ['s1 running', 's2 running', 's3 running'])
        t.same(await counts(top), [3, 3, 3, 0])
        t.same(await children(world.supervisor('s1')), ['a running', 'b running'])
        t.same(
          ['a', 'b'].map(id => world.running(id)),
          [2, 2],
        )
        t.same(await children(world.supervisor('s2')), [])
        t.same(await children(world.supervisor('s3')), [])
      },
    },
    {
      name: 'simple_global_supervisor',
      stimulus:
        'in a tree of two levels the inner supervisor is killed, the worker is killed, ends, or is restarted by hand',
      observed: 'the worker runs again each time under the same address; the killed supervisor took it along',
      async run(t, world) {
        await nest(world, 'w')
        await world.supervisor('w.middle').kill()
        t.same([world.running('w.middle'), world.running('w.server')], [2, 2])
        t.same(story(world).slice(2, 4).sort(), ['exit w.middle#1 killed', 'exit w.server#1 killed'])

        await nest(world, 'x')
        await world.exit({ 'x.server': 'killed' })
        t.same([world.running('x.middle'), world.running('x.server')], [1, 2])

        await nest(world, 'y')
        await world.exit({ 'y.server': 'normal' })
        t.same([world.running('y.middle'), world.running('y.server')], [1, 2])

        await nest(world, 'z')
        await world.supervisor('z.middle').terminateChild('z.server')
        await world.supervisor('z.middle').restartChild('z.server')
        t.same([world.running('z.middle'), world.running('z.server')], [1, 2])
      },
    },
    {
      name: 'stop_of_a_tree (not in OTP)',
      stimulus: 'a tree of two levels is asked to end',
      observed: 'each supervisor ends its own children, right to left, before it ends itself',
      async run(t, world) {
        const inner = (id: string) => ({ id, children: [world.actor(`${id}.1`), world.actor(`${id}.2`)] })
        const top = await world.supervise({ id: 'top', children: [inner('a'), world.actor('b'), inner('c')] })
        const from = world.log.length
        await top.stop()
        t.same(
          story(world, from),
          ['c.2#1', 'c.1#1', 'c#1', 'b#1', 'a.2#1', 'a.1#1', 'a#1'].map(who => `exit ${who} shutdown`),
        )
      },
    },
    {
      name: 'supervisor_killed_by_deadline (not in OTP)',
      needs: ['time'],
      stimulus: 'a nested supervisor with a shutdown of 100 ms is asked to end while its child does not react',
      observed: 'it is killed with its child',
      async run(t, world) {
        world.script('stuck', { onShutdown: 'refuse' })
        const inner = { id: 'inner', shutdown: 100, children: [world.actor('stuck')] }
        const top = await world.supervise({ id: 'top', children: [inner] })
        const terminated = top.terminateChild('inner')
        await world.advance(100)
        await terminated
        t.same(story(world, 2).sort(), ['exit inner#1 killed', 'exit stuck#1 killed'])
      },
    },
  ],
  mutations: [
    {
      breaks: 'a supervisor never tells that it is up',
      file: 'supervisor/supervisor-job.ts',
      search: "if (job.kind === 'boot') state.host.ready()",
      replacement: '',
    },
    {
      breaks: 'a killed supervisor leaves its children running',
      file: 'supervisor/supervisor-state.ts',
      search: "const living = new Set(['starting', 'running', 'stopping', 'stoppingPatiently', 'killing'])",
      replacement: 'const living = new Set()',
    },
  ],
}
