/** OTP's group sup_stop and the order of children: how a supervisor ends, and ends its children. */
import type { SupervisorSpec } from '../../src/supervisor/child-spec.ts'
import { type ConformanceGroup, children, story, upTo } from './suite.ts'
import type { ScriptedExit } from './world.ts'

const top: SupervisorSpec = { id: 'top', intensity: 2, periodMs: 3_600_000 }
const dynamic: SupervisorSpec = { ...top, dynamic: true }
const ownExits: ScriptedExit[] = ['normal', 'shutdown', 'shutdown:detail', 'abnormal']
const told: Record<string, string> = { abnormal: 'threw', 'shutdown:detail': 'shutdown' }

function idOf(restart: string, exit: ScriptedExit): string {
  return `${restart}.${exit.replace(':', '.')}`
}

/** How supervisors stop. */
export const stop: ConformanceGroup = {
  name: 'stop',
  cases: [
    {
      name: 'sup_stop_infinity',
      needs: ['time'],
      stimulus: 'a supervisor ends whose children have shutdown infinity and take a long time',
      observed: 'it waits for each, right to left, however long it takes',
      async run(t, world) {
        world.script('b', { onShutdown: { afterMs: 10_000_000 } })
        const specs = [{ id: 'a', children: [] }, world.actor('b', { shutdown: 'infinity' })]
        const sup = await world.supervise({ ...top, children: specs })
        await sup.stop()
        await world.advance(9_999_999)
        t.same(story(world, 2), [])
        await world.advance(1)
        t.same(story(world, 2), ['exit b#1 shutdown', 'exit a#1 shutdown'])
        t.same(sup.exit(), { type: 'shutdown' })
      },
    },
    {
      name: 'sup_stop_timeout',
      needs: ['time'],
      stimulus: 'a supervisor ends while its second child does not react',
      observed: 'that child is killed when its time is up, the first is then asked',
      async run(t, world) {
        world.script('b', { onShutdown: 'refuse' })
        const specs = [world.actor('a', { shutdown: 1_000 }), world.actor('b', { shutdown: 1_000 })]
        const sup = await world.supervise({ ...top, children: specs })
        await sup.stop()
        await world.advance(999)
        t.same(story(world, 2), [])
        await world.advance(1)
        t.same(story(world, 2), ['exit b#1 killed', 'exit a#1 shutdown'])
        t.same(sup.exit(), { type: 'shutdown' })
      },
    },
    {
      name: 'sup_stop_timeout_dynamic',
      needs: ['time'],
      stimulus: 'a dynamic supervisor ends while its second child does not react',
      observed: 'all are asked at once; the one that is left is killed when its time is up',
      async run(t, world) {
        world.script('b', { onShutdown: 'refuse' })
        const sup = await world.supervise(dynamic)
        for (const id of ['a', 'b', 'c'])
          await sup.startChild(world.actor(id, { restart: 'temporary', shutdown: 1_000 }))
        await sup.stop()
        t.same(story(world, 3), ['exit a#1 shutdown', 'exit c#1 shutdown'])
        t.equal(sup.exit(), undefined)
        await world.advance(1_000)
        t.same(story(world, 5), ['exit b#1 killed'])
        t.same(sup.exit(), { type: 'shutdown' })
      },
    },
    {
      name: 'sup_stop_brutal_kill',
      stimulus: 'a supervisor ends whose second child has shutdown brutal_kill',
      observed: 'that child is killed at once and not asked',
      async run(t, world) {
        world.script('b', { onShutdown: 'refuse' })
        const specs = [world.actor('a', { shutdown: 1_000 }), world.actor('b', { shutdown: 'brutal_kill' })]
        const sup = await world.supervise({ ...top, children: specs })
        await sup.stop()
        t.same(story(world, 2), ['exit b#1 killed', 'exit a#1 shutdown'])
        t.same(sup.exit(), { type: 'shutdown' })
      },
    },
    {
      name: 'sup_stop_brutal_kill_dynamic',
      needs: ['together'],
      stimulus: 'a dynamic supervisor ends whose ten children have shutdown brutal_kill',
      observed: 'all are killed at once',
      async run(t, world) {
        const sup = await world.supervise(dynamic)
        for (const n of upTo(10)) {
          world.script(`c${n}`, { onShutdown: 'refuse' })
          await sup.startChild(world.actor(`c${n}`, { restart: 'temporary', shutdown: 'brutal_kill' }))
        }
        await sup.stop()
        t.same(
          story(world, 10),
          upTo(10).map(n => `exit c${n}#1 killed`),
        )
        t.same(sup.exit(), { type: 'shutdown' })
      },
    },
    {
      name: 'sup_stop_race',
      needs: ['time'],
      stimulus: 'while a supervisor that ends waits for its last child, the others end by themselves, for any reason',
      observed: 'each is left at its own reason, nothing is restarted, and the supervisor ends with shutdown',
      async run(t, world) {
        world.script('z', { onShutdown: { afterMs: 1_000 } })
        const sup = await world.supervise(top)
        await sup.startChild(world.actor('a', { restart: 'temporary', shutdown: 1_000 }))
        const exits: Record<string, ScriptedExit> = {}
        for (const restart of ['temporary', 'transient', 'permanent'] as const)
          for (const exit of ownExits) {
            const id = idOf(restart, exit)
            exits[id] = exit
            await sup.startChild(world.actor(id, { restart, shutdown: 1_000 }))
          }
        await sup.startChild(world.actor('z', { restart: 'temporary', shutdown: 2_000 }))
        await sup.stop()
        await world.advance(200)
        await world.exit(exits)
        t.same(
          story(world, 14),
          Object.entries(exits).map(([id, exit]) => `exit ${id}#1 ${told[exit] ?? exit}`),
        )
        t.equal(sup.exit(), undefined)
        await world.advance(800)
        t.same(story(world, 26), ['exit z#1 shutdown', 'exit a#1 shutdown'])
        t.same(sup.exit(), { type: 'shutdown' })
      },
    },
    {
      name: 'sup_stop_non_shutdown_exit_dynamic',
      needs: ['together'],
      stimulus: 'a dynamic supervisor ends whose children end with reasons of their own when asked',
      observed: 'each ends with its own reason, and the supervisor with shutdown',
      async run(t, world) {
        for (const restart of ['temporary', 'transient', 'permanent'] as const) {
          const from = world.log.length
          const sup = await world.supervise({ ...dynamic, id: `top.${restart}` })
          for (const exit of ownExits) {
            world.script(idOf(restart, exit), { onShutdown: { exit } })
            await sup.startChild(world.actor(idOf(restart, exit), { restart }))
          }
          await sup.stop()
          t.same(
            story(world, from + 4),
            ownExits.map(exit => `exit ${idOf(restart, exit)}#1 ${told[exit] ?? exit}`),
          )
          t.same(sup.exit(), { type: 'shutdown' })
        }
      },
    },
    {
      name: 'simple_one_for_one_shutdown',
      needs: ['time'],
      stimulus: 'a dynamic supervisor ends whose children take 1 s, 1 s and 5 s of the 2 s they have',
      observed: 'they end side by side: after 1 s two have ended, after 2 s the third is killed',
      async run(t, world) {
        const sup = await world.supervise(dynamic)
        for (const [id, afterMs] of Object.entries({ a: 1_000, b: 1_000, c: 5_000 })) {
          world.script(id, { onShutdown: { afterMs } })
          await sup.startChild(world.actor(id, { shutdown: 2_000 }))
        }
        await sup.stop()
        await world.advance(1_000)
        t.same(story(world, 3), ['exit a#1 shutdown', 'exit b#1 shutdown'])
        await world.advance(999)
        t.equal(sup.exit(), undefined)
        await world.advance(1)
        t.same(story(world, 5), ['exit c#1 killed'])
        t.same(sup.exit(), { type: 'shutdown' })
      },
    },
    {
      name: 'order_of_children',
      stimulus: 'the third of five rest_for_one children fails; later the supervisor ends',
      observed: 'children start in the order given and stop in the opposite one, each time',
      async run(t, world) {
        const ids = ['ch7', 'ch3', 'ch10', 'ch2', 'ch5']
        const specs = ids.map(id => world.actor(id))
        const sup = await world.supervise({ ...top, strategy: 'rest_for_one', children: specs })
        t.same(
          story(world),
          ids.map(id => `up ${id}#1`),
        )
        await world.exit({ ch10: 'abnormal' })
        t.same(story(world, 5), [
          'exit ch10#1 threw',
          'exit ch5#1 shutdown',
          'exit ch2#1 shutdown',
          'up ch10#2',
          'up ch2#2',
          'up ch5#2',
        ])
        await sup.stop()
        t.same(story(world, 11), [
          'exit ch5#2 shutdown',
          'exit ch2#2 shutdown',
          'exit ch10#2 shutdown',
          'exit ch3#1 shutdown',
          'exit ch7#1 shutdown',
        ])
      },
    },
    {
      name: 'child_unlink',
      needs: ['time'],
      stimulus: 'terminateChild of a child that does not react, and a command after it',
      observed: 'the supervisor does not hang: the child is killed, both commands are answered in order',
      async run(t, world) {
        world.script('naughty', { onShutdown: 'refuse' })
        const sup = await world.supervise({ ...top, children: [world.actor('naughty', { shutdown: 1_000 })] })
        const answers: string[] = []
        const terminated = sup.terminateChild('naughty').then(() => answers.push('terminated'))
        const listed = children(sup).then(list => answers.push(...list))
        await world.advance(999)
        t.same(answers, [])
        await world.advance(1)
        await Promise.all([terminated, listed])
        t.same(answers, ['terminated', 'naughty undefined'])
        t.same(story(world, 1), ['exit naughty#1 killed'])
      },
    },
  ],
  mutations: [
    {
      breaks: 'children are stopped left to right',
      file: 'supervisor/supervisor-job.ts',
      search: 'stop: state.spec.dynamic ? [] : [...state.children.values()].reverse()',
      replacement: 'stop: state.spec.dynamic ? [] : [...state.children.values()]',
    },
    {
      breaks: 'a child that does not react is waited for without end',
      file: 'supervisor/child-machine.ts',
      search: "after: { shutdownMs: 'killing' },",
      replacement: '',
    },
    {
      breaks: 'brutal_kill asks first',
      file: 'supervisor/child-machine.ts',
      search: "{ guard: 'isBrutal', target: 'killing' },",
      replacement: "{ guard: 'isBrutal', target: 'stoppingPatiently' },",
    },
  ],
}
