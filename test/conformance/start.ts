/** OTP's group sup_start and sup_start_map: how a supervisor and its children come up, or do not. */
import { StarfishError } from '../../src/messages/errors.ts'
import type { SupervisorSpec } from '../../src/supervisor/child-spec.ts'
import { type ConformanceGroup, children, counts, refuses, story } from './suite.ts'

const top: SupervisorSpec = { id: 'top', intensity: 2, periodMs: 3_600_000 }
const dynamic: SupervisorSpec = { ...top, dynamic: true }

/** How supervisors start. */
export const start: ConformanceGroup = {
  name: 'start',
  cases: [
    {
      name: 'sup_start_normal',
      stimulus: 'a supervisor without children is started and asked to end',
      observed: 'it runs, then ends with shutdown',
      async run(t, world) {
        const sup = await world.supervise({ ...top, children: [] })
        t.equal(sup.exit(), undefined)
        await sup.stop()
        t.same(sup.exit(), { type: 'shutdown' })
      },
    },
    {
      name: 'sup_start_ignore_child',
      stimulus: 'startChild of a permanent child that declines, and of one that runs',
      observed: 'both are defined, the first without an actor',
      async run(t, world) {
        const sup = await world.supervise(top)
        world.script('a', { starts: ['ignore'] })
        t.same(await sup.startChild(world.actor('a')), { id: 'a', actor: undefined })
        t.match(await sup.startChild(world.actor('b')), { id: 'b', actor: { incarnation: 1 } })
        t.same(await children(sup), ['a undefined', 'b running'])
        t.same(await counts(sup), [2, 1, 0, 2])
      },
    },
    {
      name: 'sup_start_ignore_temporary_child',
      stimulus: 'a supervisor starts with a temporary child that declines, and one that runs',
      observed: 'the first is not defined any more',
      async run(t, world) {
        world.script('a', { starts: ['ignore'] })
        const specs = [world.actor('a', { restart: 'temporary' }), world.actor('b', { restart: 'temporary' })]
        const sup = await world.supervise({ ...top, children: specs })
        t.same(await children(sup), ['b running'])
        t.same(await counts(sup), [1, 1, 0, 1])
      },
    },
    {
      name: 'sup_start_ignore_temporary_child_start_child',
      stimulus: 'startChild of a temporary child that declines',
      observed: 'it is answered without an actor and not defined',
      async run(t, world) {
        const sup = await world.supervise(top)
        world.script('a', { starts: ['ignore'] })
        t.same(await sup.startChild(world.actor('a', { restart: 'temporary' })), { id: 'a', actor: undefined })
        await sup.startChild(world.actor('b', { restart: 'temporary' }))
        t.same(await children(sup), ['b running'])
        t.same(await counts(sup), [1, 1, 0, 1])
      },
    },
    {
      name: 'sup_start_ignore_temporary_child_start_child_simple',
      stimulus: 'startChild of a temporary child that declines, in a dynamic supervisor',
      observed: 'it is not defined',
      async run(t, world) {
        const sup = await world.supervise(dynamic)
        world.script('a', { starts: ['ignore'] })
        t.same(await sup.startChild(world.actor('a', { restart: 'temporary' })), { id: 'a', actor: undefined })
        await sup.startChild(world.actor('b', { restart: 'temporary' }))
        t.same(await children(sup), ['b running'])
        t.same(await counts(sup), [1, 1, 0, 1])
      },
    },
    {
      name: 'sup_start_ignore_permanent_child_start_child_simple',
      stimulus: 'startChild of a permanent child that declines, in a dynamic supervisor that then ends',
      observed: 'it is not defined, and the supervisor ends with shutdown',
      async run(t, world) {
        const sup = await world.supervise(dynamic)
        world.script('a', { starts: ['ignore'] })
        await sup.startChild(world.actor('a'))
        await sup.startChild(world.actor('b'))
        t.same(await children(sup), ['b running'])
        await sup.stop()
        t.same(sup.exit(), { type: 'shutdown' })
        t.same(story(world), ['up b#1', 'exit b#1 shutdown'])
      },
    },
    {
      name: 'sup_start_error_return',
      stimulus: 'what is given as a supervisor spec is none',
      observed: 'BAD_SPEC, and nothing is started',
      async run(t, world) {
        await refuses(t, world.supervise('invalid' as unknown as SupervisorSpec), 'BAD_SPEC')
        t.same(story(world), [])
      },
    },
    {
      name: 'sup_start_fail',
      stimulus: 'the second of three children throws while the supervisor starts',
      observed: 'START_FAILED names it; the first has been stopped, the third never started',
      async run(t, world) {
        world.script('b', { starts: ['fail'] })
        const specs = [world.actor('a'), world.actor('b'), world.actor('c')]
        await t.rejects(world.supervise({ ...top, children: specs }), {
          code: 'START_FAILED',
          message: /[/]b could not be started: bootstrapFailed: b does not start$/,
          details: {
            reason: {
              type: 'shutdown',
              detail: 'failed_to_start_child',
              culprit: { id: 'b', reason: { type: 'bootstrapFailed' } },
            },
          },
        })
        t.same(story(world), ['up a#1', 'exit a#1 shutdown'])
      },
    },
    {
      name: 'sup_start_child_returns_error',
      stimulus: 'startChild of a child whose start throws',
      observed: 'START_FAILED with its error as the cause, and it is not defined',
      async run(t, world) {
        const sup = await world.supervise(top)
        world.script('a', { starts: ['fail'] })
        await t.rejects(sup.startChild(world.actor('a')), {
          code: 'START_FAILED',
          message: /a could not be started: bootstrapFailed: a does not start$/,
          cause: { message: 'a does not start' },
        })
        t.same(await children(sup), [])
        t.equal(sup.exit(), undefined)
      },
    },
    {
      name: 'sup_start_restart_child_returns_error',
      stimulus: 'restartChild of a terminated child whose start throws',
      observed: 'START_FAILED, and it stays defined without an actor',
      async run(t, world) {
        world.script('a', { starts: ['run', 'fail'] })
        const sup = await world.supervise({ ...top, children: [world.actor('a')] })
        await sup.terminateChild('a')
        await refuses(t, sup.restartChild('a'), 'START_FAILED')
        t.same(await children(sup), ['a undefined'])
      },
    },
    {
      name: 'sup_start_child_returns_error_simple',
      stimulus: 'startChild of a child whose start throws, in a dynamic supervisor',
      observed: 'START_FAILED, and it is not defined',
      async run(t, world) {
        const sup = await world.supervise(dynamic)
        world.script('a', { starts: ['fail'] })
        await refuses(t, sup.startChild(world.actor('a')), 'START_FAILED')
        t.same(await children(sup), [])
      },
    },
    {
      name: 'sup_start_map',
      stimulus: 'children are specified with few options',
      observed: 'the rest is as OTP has it: permanent, 5,000 ms for actors, infinity for supervisors',
      async run(t, world) {
        const specs = [world.actor('a'), world.actor('b', { shutdown: 'brutal_kill' }), { id: 'c', children: [] }]
        const sup = await world.supervise({ id: 'top', children: specs })
        t.match(await sup.childSpec('a'), { restart: 'permanent', shutdown: 5_000, kind: 'actor', significant: false })
        t.match(await sup.childSpec('b'), { restart: 'permanent', shutdown: 'brutal_kill', kind: 'actor' })
        t.match(await sup.childSpec('c'), {
          restart: 'permanent',
          shutdown: 'infinity',
          kind: 'supervisor',
          strategy: 'one_for_one',
          intensity: 1,
          periodMs: 5_000,
          autoShutdown: 'never',
        })
        await refuses(t, sup.childSpec('d'), 'CHILD_NOT_FOUND')
      },
    },
    {
      name: 'sup_start_map_simple',
      stimulus: 'three temporary children are added to a dynamic supervisor',
      observed: 'the spec of each can be read, that of another cannot',
      async run(t, world) {
        const sup = await world.supervise({ id: 'top', dynamic: true })
        for (const id of ['a', 'b', 'c']) await sup.startChild(world.actor(id, { restart: 'temporary' }))
        for (const id of ['a', 'b', 'c'])
          t.match(await sup.childSpec(id), { id, restart: 'temporary', shutdown: 5_000, significant: false })
        await refuses(t, sup.childSpec('d'), 'CHILD_NOT_FOUND')
      },
    },
    {
      name: 'sup_start_map_faulty_specs',
      stimulus: 'specs without id, without definition, with an unknown option, and one that is none',
      observed: 'BAD_SPEC for all, also for the unknown option, which OTP passes over',
      async run(t, world) {
        const { id: _, ...nameless } = world.actor('a')
        const faulty = [nameless, { id: 'b' }, 'child', { ...world.actor('d'), sillyFlag: true }] as never[]
        for (const spec of faulty) await refuses(t, world.supervise({ id: 'top', children: [spec] }), 'BAD_SPEC')
        t.same(story(world), [])
      },
    },
    {
      name: 'already_started_outside_supervisor',
      stimulus: 'startChild of a child whose address is taken by somebody else',
      observed: 'DUPLICATE_ADDRESS is passed on, and it is not defined',
      async run(t, world) {
        const sup = await world.supervise(top)
        world.script('a', { starts: ['addressTaken'] })
        await refuses(t, sup.startChild(world.actor('a', { restart: 'transient' })), 'DUPLICATE_ADDRESS')
        t.same(await children(sup), [])
        await sup.stop()
        t.same(sup.exit(), { type: 'shutdown' })
      },
    },
    {
      name: 'faulty_application_shutdown',
      stimulus: 'a child two levels down throws while the tree starts',
      observed: 'START_FAILED tells of each level, down to the error itself',
      async run(t, world) {
        world.script('deep', { starts: ['fail'] })
        const inner = { id: 'inner', children: [world.actor('deep')] }
        const error = await world.supervise({ id: 'top', children: [world.actor('a'), inner] }).catch(error => error)
        t.ok(error instanceof StarfishError)
        t.match(error, {
          code: 'START_FAILED',
          message: /[/]inner[/]deep could not be started: bootstrapFailed: deep does not start$/,
          details: { address: /[/]inner[/]deep$/ },
          cause: { message: 'deep does not start' },
        })
        t.match(error, {
          details: {
            reason: {
              detail: 'failed_to_start_child',
              culprit: {
                id: 'inner',
                reason: {
                  detail: 'failed_to_start_child',
                  culprit: {
                    id: 'deep',
                    reason: { type: 'bootstrapFailed', error: { message: 'deep does not start' } },
                  },
                },
              },
            },
          },
        })
        t.same(story(world), ['up a#1', 'exit a#1 shutdown'])
      },
    },
  ],
  mutations: [
    {
      breaks: 'a temporary child that declines stays defined',
      file: 'supervisor/strategy.ts',
      search: "return restart !== 'temporary' && !dynamic",
      replacement: 'return true',
    },
    {
      breaks: 'a failed start does not stop the children that came up before',
      file: 'supervisor/supervisor-job.ts',
      search: 'stop: state.spec.dynamic ? [] : [...state.children.values()].reverse()',
      replacement: 'stop: []',
    },
    {
      breaks: 'a child that could not be started stays defined',
      file: 'supervisor/supervisor-job.ts',
      search: "if (job.kind === 'startChild') removeChild(state, child)",
      replacement: '',
    },
  ],
}
