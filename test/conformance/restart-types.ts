/** OTP's groups normal_, shutdown_ and abnormal_termination, and what becomes of temporary children. */
import type { Restart } from '../../src/actors/runtime/child.ts'
import type { SupervisorSpec } from '../../src/supervisor/child-spec.ts'
import { type ConformanceCase, type ConformanceGroup, children, counts, refuses, story } from './suite.ts'
import type { ScriptedExit } from './world.ts'

const top: SupervisorSpec = { id: 'top', intensity: 2, periodMs: 3_600_000 }

/** One child of a restart type ends by itself, once for each of the exits. */
function ending(name: string, restart: Restart, exits: ScriptedExit[], comesBack: boolean): ConformanceCase {
  const observed = { permanent: '', transient: 'it stays defined', temporary: 'it is forgotten' }[restart]
  return {
    name,
    stimulus: `a ${restart} child ends with ${exits.join(', then with ')}`,
    observed: comesBack ? 'it is started again' : observed,
    async run(t, world) {
      const sup = await world.supervise(top)
      await sup.startChild(world.actor('a', { restart, shutdown: 1_000 }))
      for (const [n, exit] of exits.entries()) {
        if (world.running('a') === undefined)
          await (restart === 'temporary' ? sup.startChild(world.actor('a', { restart })) : sup.restartChild('a'))
        t.equal(world.running('a'), n + 1)
        await world.exit({ a: exit })
        t.equal(world.running('a'), comesBack ? n + 2 : undefined)
        const stays = restart !== 'temporary'
        t.same(await children(sup), stays ? [`a ${comesBack ? 'running' : 'undefined'}`] : [])
        t.same(await counts(sup), stays ? [1, comesBack ? 1 : 0, 0, 1] : [0, 0, 0, 0])
      }
      t.equal(sup.exit(), undefined)
    },
  }
}

/** Which exits bring a child back. */
export const restartTypes: ConformanceGroup = {
  name: 'restart-types',
  cases: [
    {
      name: 'external_start_no_progress_log',
      stimulus: 'a child is started by startChild and comes back after a failure',
      observed: 'the outside is told of both starts, and which of them was a restart',
      async run(t, world) {
        const sup = await world.supervise(top)
        await sup.startChild(world.actor('a'))
        await world.exit({ a: 'abnormal' })
        t.match(world.reports, [
          { type: 'child.started', supervisor: 'top', id: 'a', incarnation: 1, cause: 'startChild', attempt: 0 },
          { type: 'child.terminated', id: 'a', incarnation: 1, reason: { type: 'threw' }, outcome: 'restart' },
          { type: 'child.started', id: 'a', incarnation: 2, cause: 'restart', attempt: 1 },
        ])
        t.equal(world.reports.length, 3)
      },
    },
    ending('permanent_normal', 'permanent', ['normal'], true),
    ending('transient_normal', 'transient', ['normal'], false),
    ending('temporary_normal', 'temporary', ['normal'], false),
    ending('permanent_shutdown', 'permanent', ['shutdown', 'shutdown:detail'], true),
    ending('transient_shutdown', 'transient', ['shutdown', 'shutdown:detail'], false),
    ending('temporary_shutdown', 'temporary', ['shutdown', 'shutdown:detail'], false),
    ending('permanent_abnormal', 'permanent', ['abnormal', 'killed'], true),
    ending('transient_abnormal', 'transient', ['abnormal', 'killed'], true),
    ending('temporary_abnormal', 'temporary', ['abnormal', 'killed'], false),
    {
      name: 'temporary_bystander',
      needs: ['time'],
      stimulus: 'a permanent child with a temporary sibling ends, under one_for_all and under rest_for_one',
      observed: 'the temporary one is stopped with it and forgotten; only the permanent one comes back',
      async run(t, world) {
        for (const strategy of ['one_for_all', 'rest_for_one'] as const) {
          const from = world.log.length
          const [a, b] = [`${strategy}.a`, `${strategy}.b`]
          const sup = await world.supervise({ ...top, id: strategy, strategy })
          await sup.startChild(world.actor(a, { shutdown: 100 }))
          await sup.startChild(world.actor(b, { restart: 'temporary', shutdown: 100 }))
          await world.exit({ [a]: 'normal' })
          await world.advance(350)
          t.same(story(world, from + 2), [`exit ${a}#1 normal`, `exit ${b}#1 shutdown`, `up ${a}#2`])
          t.same(await children(sup), [`${a} running`])
          t.equal(sup.exit(), undefined)
        }
      },
    },
    {
      name: 'do_not_save_child_specs_for_temporary_children',
      stimulus:
        'children of each restart type end in each way, under each strategy, and are started again by startChild',
      observed: 'a temporary child can be; others are running already, or defined without an actor',
      async run(t, world) {
        for (const strategy of ['one_for_all', 'one_for_one', 'rest_for_one'] as const)
          for (const how of ['killed', 'normal', 'abnormal', 'terminateChild'] as const)
            for (const restart of ['permanent', 'transient', 'temporary'] as const) {
              const id = `${strategy}.${how}.${restart}`
              const sup = await world.supervise({ ...top, id: `top.${id}`, strategy })
              await sup.startChild(world.actor(id, { restart }))
              if (how === 'terminateChild') await sup.terminateChild(id)
              else await world.exit({ [id]: how })
              const again = sup.startChild(world.actor(id, { restart }))
              if (restart === 'temporary') t.match(await again, { actor: { incarnation: 2 } }, id)
              else if (how === 'terminateChild' || (restart === 'transient' && how === 'normal')) {
                await refuses(t, again, 'CHILD_ALREADY_PRESENT')
                t.match(await sup.restartChild(id), { actor: { incarnation: 2 } }, id)
              } else await refuses(t, again, 'CHILD_ALREADY_STARTED')
            }
      },
    },
    {
      name: 'do_not_save_start_parameters_for_temporary_children',
      stimulus:
        'children of each restart type are added with an input, under each strategy and in a dynamic supervisor',
      observed: 'the input of the temporary one is not kept',
      async run(t, world) {
        const input = 'potentially large'
        for (const options of [
          { strategy: 'one_for_all' },
          { strategy: 'rest_for_one' },
          {},
          { dynamic: true },
        ] as const)
          for (const restart of ['permanent', 'transient', 'temporary'] as const) {
            const id = `${Object.values(options)}.${restart}`
            const sup = await world.supervise({ ...top, id: `top.${id}`, ...options })
            await sup.startChild(world.actor(id, { restart, input }))
            t.match(await sup.childSpec(id), { input: restart === 'temporary' ? undefined : input }, id)
          }
      },
    },
  ],
  mutations: [
    {
      breaks: 'a transient child comes back whatever its reason',
      file: 'supervisor/strategy.ts',
      search: "restart === 'transient' && isAbnormal(reason)",
      replacement: "restart === 'transient'",
    },
    {
      breaks: 'a permanent child stays away after a normal end',
      file: 'supervisor/strategy.ts',
      search: "if (restart === 'permanent') return 'restart'",
      replacement: "if (restart === 'permanent' && isAbnormal(reason)) return 'restart'",
    },
    {
      breaks: 'a temporary child is restarted with its group',
      file: 'supervisor/strategy.ts',
      search: "start: group.filter(child => child.spec.restart !== 'temporary'),",
      replacement: 'start: group,',
    },
    {
      breaks: 'the input of temporary children is kept',
      file: 'supervisor/supervisor-job.ts',
      search: "if (cause === 'startChild') forgetInput(child)",
      replacement: '',
    },
  ],
}
