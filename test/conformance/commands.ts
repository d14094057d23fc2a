/** OTP's child_adm, which_children and count_children: the commands of a supervisor's handle. */
import type { SupervisorSpec } from '../../src/supervisor/child-spec.ts'
import { type ConformanceGroup, children, counts, refuses, story, upTo } from './suite.ts'

const top: SupervisorSpec = { id: 'top', intensity: 2, periodMs: 3_600_000 }

/** What the commands do and answer. */
export const commands: ConformanceGroup = {
  name: 'commands',
  cases: [
    {
      name: 'child_adm',
      stimulus: 'every command on a child that runs, that was terminated, that was deleted, and that never was',
      observed: "OTP's answer to each",
      async run(t, world) {
        const spec = world.actor('a', { shutdown: 1_000 })
        const sup = await world.supervise({ ...top, children: [spec] })
        t.same(await counts(sup), [1, 1, 0, 1])
        await refuses(t, sup.startChild(spec), 'CHILD_ALREADY_STARTED')

        await refuses(t, sup.terminateChild('hej'), 'CHILD_NOT_FOUND')
        await sup.terminateChild('a')
        t.same(story(world, 1), ['exit a#1 shutdown'])
        t.same(await children(sup), ['a undefined'])
        t.same(await counts(sup), [1, 0, 0, 1])
        await sup.terminateChild('a')
        await refuses(t, sup.startChild(spec), 'CHILD_ALREADY_PRESENT')

        t.match(await sup.restartChild('a'), { id: 'a', actor: { incarnation: 2 } })
        t.same(await counts(sup), [1, 1, 0, 1])
        await refuses(t, sup.restartChild('a'), 'CHILD_RUNNING')
        await refuses(t, sup.restartChild('b'), 'CHILD_NOT_FOUND')

        await refuses(t, sup.deleteChild('a'), 'CHILD_RUNNING')
        await refuses(t, sup.deleteChild('hej'), 'CHILD_NOT_FOUND')
        await sup.terminateChild('a')
        await sup.deleteChild('a')
        await refuses(t, sup.restartChild('a'), 'CHILD_NOT_FOUND')
        t.same(await children(sup), [])
        t.same(await counts(sup), [0, 0, 0, 0])

        t.match(await sup.startChild(spec), { actor: { incarnation: 3 } })
        t.same(await children(sup), ['a running'])
        await sup.stop()
        await refuses(t, sup.whichChildren(), 'NO_SUCH_ACTOR')
      },
    },
    {
      name: 'extra_return',
      stimulus: 'children are started by startChild, restartChild and after a failure',
      observed: 'the answers and whichChildren say what the start told: incarnation and place',
      async run(t, world) {
        const sup = await world.supervise({ ...top, children: [world.actor('a')] })
        const [listed] = await sup.whichChildren('a')
        t.match(listed, {
          id: 'a',
          kind: 'actor',
          state: 'running',
          actor: { incarnation: 1, place: { address: /a$/ } },
        })
        await sup.terminateChild('a')
        t.notOk((await sup.whichChildren('a'))[0]!.actor)
        const { actor } = await sup.restartChild('a')
        t.match(actor, { incarnation: 2, place: listed!.actor!.place })
        await sup.terminateChild('a')
        await sup.deleteChild('a')
        t.match((await sup.startChild(world.actor('a'))).actor, { incarnation: 3, place: listed!.actor!.place })
        await world.exit({ a: 'abnormal' })
        t.match(await sup.whichChildren('a'), [{ actor: { incarnation: 4, place: listed!.actor!.place } }])
        t.same(await counts(sup), [1, 1, 0, 1])
      },
    },
    {
      name: 'which_children',
      stimulus: 'two children are added, the first is terminated and deleted, and the list and each entry are read',
      observed: 'the list is in start order; an entry can be read by id while the child is defined',
      async run(t, world) {
        const sup = await world.supervise({ id: 'top' })
        t.same(await sup.whichChildren(), [])
        await refuses(t, sup.whichChildren('x'), 'CHILD_NOT_FOUND')
        await sup.startChild(world.actor('a'))
        await sup.startChild(world.actor('b'))
        t.same(await children(sup), ['a running', 'b running'])
        t.match(await sup.whichChildren('b'), [{ id: 'b', state: 'running' }])
        await sup.terminateChild('a')
        t.same(await children(sup), ['a undefined', 'b running'])
        t.match(await sup.whichChildren('a'), [{ id: 'a', state: 'undefined' }])
        await sup.deleteChild('a')
        t.same(await children(sup), ['b running'])
        await refuses(t, sup.whichChildren('a'), 'CHILD_NOT_FOUND')
      },
    },
    {
      name: 'which_children_simple_one_for_one',
      stimulus: 'the same in a dynamic supervisor',
      observed: 'a terminated child is not listed any more',
      async run(t, world) {
        const sup = await world.supervise({ id: 'top', dynamic: true })
        t.same(await sup.whichChildren(), [])
        await sup.startChild(world.actor('a', { restart: 'temporary' }))
        await sup.startChild(world.actor('b', { restart: 'temporary' }))
        t.match(await sup.whichChildren('a'), [{ id: 'a', state: 'running' }])
        await sup.terminateChild('a')
        t.same(await children(sup), ['b running'])
        await refuses(t, sup.whichChildren('a'), 'CHILD_NOT_FOUND')
      },
    },
    {
      name: 'count_children',
      stimulus:
        'half a crowd of temporary children is added to a dynamic supervisor, then the other half, and all are killed',
      observed: 'the counts and the list agree at each point',
      async run(t, world) {
        const sup = await world.supervise({ ...top, dynamic: true })
        for (const half of [1, 2]) {
          for (const n of upTo(world.crowd / 2))
            await sup.startChild(world.actor(`c${half}.${n}`, { restart: 'temporary' }))
          const total = (half * world.crowd) / 2
          t.same(await counts(sup), [total, total, 0, total])
          t.equal((await sup.whichChildren()).length, total)
        }
        const entries = await sup.whichChildren()
        await world.exit(Object.fromEntries(entries.map(({ id }) => [id, 'killed'] as const)))
        t.same(await counts(sup), [0, 0, 0, 0])
      },
    },
    {
      name: 'count_children_supervisor',
      stimulus: 'a hundred supervisors are children of a dynamic supervisor, and are then killed',
      observed: 'they count as supervisors',
      async run(t, world) {
        const sup = await world.supervise({ ...top, dynamic: true })
        for (const n of upTo(100)) await sup.startChild({ id: `s${n}`, children: [], restart: 'temporary' })
        t.same(await counts(sup), [100, 100, 100, 0])
        for (const n of upTo(100)) await world.supervisor(`s${n}`).kill()
        t.same(await counts(sup), [0, 0, 0, 0])
      },
    },
    {
      name: 'scale_start_stop_many_children',
      stimulus: 'a crowd of permanent children is added and terminated one by one',
      observed: 'each starts and ends once; all stay defined',
      async run(t, world) {
        const sup = await world.supervise(top)
        const { crowd } = world
        for (const n of upTo(crowd)) await sup.startChild(world.actor(`c${n}`))
        for (const n of upTo(crowd)) await sup.terminateChild(`c${n}`)
        t.same(await counts(sup), [crowd, 0, 0, crowd])
        t.equal(world.log.length, 2 * crowd)
      },
    },
    {
      name: 'commands_while_ending (not in OTP)',
      needs: ['time'],
      stimulus: 'commands while a supervisor waits for its last child to end',
      observed: 'SHUTTING_DOWN, at once: every command is answered',
      async run(t, world) {
        world.script('a', { onShutdown: { afterMs: 1_000 } })
        const sup = await world.supervise({ ...top, children: [world.actor('a')] })
        await sup.stop()
        await refuses(t, sup.startChild(world.actor('b')), 'SHUTTING_DOWN')
        await refuses(t, sup.countChildren(), 'SHUTTING_DOWN')
        await world.advance(1_000)
        t.same(sup.exit(), { type: 'shutdown' })
      },
    },
    {
      name: 'commands_waiting_at_the_end (not in OTP)',
      needs: ['time'],
      stimulus: 'a stop arrives behind one command and before another, while a child takes 1 s to start',
      observed: 'they are taken in the order in which they came: the first is carried out, the last is refused',
      async run(t, world) {
        world.script('a', { starts: [{ runAfterMs: 1_000 }] })
        const sup = await world.supervise(top)
        const started = sup.startChild(world.actor('a'))
        const counted = counts(sup).then(list => t.same(list, [1, 1, 0, 1]))
        const stopped = sup.stop()
        const refused = refuses(t, sup.countChildren(), 'SHUTTING_DOWN')
        await world.advance(1_000)
        t.match(await started, { actor: { incarnation: 1 } })
        await Promise.all([counted, stopped, refused])
        t.same(sup.exit(), { type: 'shutdown' })
      },
    },
  ],
  mutations: [
    {
      breaks: 'a terminated child is forgotten',
      file: 'supervisor/strategy.ts',
      search: "return restart !== 'temporary' && !dynamic",
      replacement: 'return false',
    },
    {
      breaks: 'running children can be restarted and deleted',
      file: 'supervisor/supervisor-commands.ts',
      search: 'if (child === undefined || !child.active) return child',
      replacement: 'return child',
    },
    {
      breaks: 'commands that come too late are never answered',
      file: 'supervisor/supervisor-decisions.ts',
      search: 'if (isCommand) refuseCommand(state, event)',
      replacement: '',
    },
  ],
}
