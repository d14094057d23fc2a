/** OTP's group significant: supervisors that end when significant children have. */
import type { AutoShutdown, SupervisorSpec } from '../../src/supervisor/child-spec.ts'
import { type ConformanceGroup, children, story } from './suite.ts'
import type { ConformanceWorld, ScriptedExit, WorldSupervisor } from './world.ts'

const modes: AutoShutdown[] = ['never', 'any_significant', 'all_significant']
const autoShutdown = { type: 'shutdown', detail: 'auto_shutdown' }

/** A supervisor with two significant children, s1 and s2, and one that is not, n. */
async function superviseThree(
  world: ConformanceWorld,
  options: Pick<SupervisorSpec, 'autoShutdown' | 'strategy'> & { restart: 'transient' | 'temporary'; id: string },
): Promise<WorldSupervisor> {
  const { restart, id, ...rest } = options
  const specs = ['s1', 'n', 's2'].map(name => world.actor(`${id}.${name}`, { restart, significant: name !== 'n' }))
  return world.supervise({ id, intensity: 5, ...rest, children: specs })
}

/** Automatic shutdown. */
export const significant: ConformanceGroup = {
  name: 'significant',
  cases: [
    ...(['temporary', 'transient'] as const).map(restart => ({
      name: `nonsignificant_${restart}`,
      stimulus: `a ${restart} child that is not significant ends in every way, under each autoShutdown`,
      observed: 'the supervisor goes on',
      async run(t: import('tap').Test, world: ConformanceWorld) {
        for (const mode of modes) {
          const sup = await world.supervise({ id: `top.${mode}`, intensity: 5, autoShutdown: mode })
          const spec = world.actor(mode, { restart, significant: false })
          await sup.startChild(spec)
          await sup.terminateChild(mode)
          for (const exit of ['killed', 'abnormal', 'normal'] as const) {
            if (world.running(mode) === undefined)
              await (restart === 'temporary' ? sup.startChild(spec) : sup.restartChild(mode))
            await world.exit({ [mode]: exit })
            t.equal(sup.exit(), undefined)
            t.equal(world.running(mode) !== undefined, restart === 'transient' && exit !== 'normal')
          }
        }
      },
    })),
    {
      name: 'significant_temporary',
      stimulus: 'temporary significant children are terminated, killed, fail, and end normally',
      observed:
        'terminateChild ends nothing; any other end ends the supervisor, or the last one does under all_significant',
      async run(t, world) {
        for (const exit of ['killed', 'abnormal', 'normal'] as const) {
          const id = `any.${exit}`
          const sup = await superviseThree(world, { id, restart: 'temporary', autoShutdown: 'any_significant' })
          await sup.terminateChild(`${id}.s2`)
          t.equal(sup.exit(), undefined)
          const from = world.log.length
          await world.exit({ [`${id}.s1`]: exit })
          t.match(sup.exit(), { ...autoShutdown, culprit: { id: `${id}.s1` } })
          t.same(story(world, from + 1), [`exit ${id}.n#1 shutdown`])
        }
        const sup = await superviseThree(world, { id: 'all', restart: 'temporary', autoShutdown: 'all_significant' })
        await world.exit({ 'all.s1': 'normal' })
        t.same(await children(sup), ['all.n running', 'all.s2 running'])
        await world.exit({ 'all.s2': 'normal' })
        t.match(sup.exit(), autoShutdown)
        t.equal(world.running('all.n'), undefined)
      },
    },
    {
      name: 'significant_transient',
      stimulus: 'transient significant children are terminated, killed, fail, and end normally',
      observed: 'only a normal end counts: any of them, or the last under all_significant, ends the supervisor',
      async run(t, world) {
        const id = 'any'
        const any = await superviseThree(world, { id, restart: 'transient', autoShutdown: 'any_significant' })
        await any.terminateChild('any.s1')
        await any.restartChild('any.s1')
        await world.exit({ 'any.s1': 'killed' })
        await world.exit({ 'any.s1': 'abnormal' })
        t.equal(any.exit(), undefined)
        t.equal(world.running('any.s1'), 4)
        await world.exit({ 'any.s1': 'normal' })
        t.match(any.exit(), autoShutdown)
        t.equal(world.running('any.s2'), undefined)

        const all = await superviseThree(world, { id: 'all', restart: 'transient', autoShutdown: 'all_significant' })
        await world.exit({ 'all.s1': 'normal' })
        t.same(await children(all), ['all.s1 undefined', 'all.n running', 'all.s2 running'])
        await world.exit({ 'all.s2': 'shutdown:detail' })
        t.match(all.exit(), autoShutdown)
      },
    },
    {
      name: 'significant_bystander',
      stimulus: 'a sibling of two significant children is killed, under each strategy and autoShutdown',
      observed: 'significant children that are stopped with it end nothing, and come back',
      async run(t, world) {
        for (const strategy of ['one_for_one', 'one_for_all', 'rest_for_one'] as const)
          for (const mode of ['any_significant', 'all_significant'] as const) {
            const id = `${strategy}.${mode}`
            const sup = await superviseThree(world, { id, restart: 'transient', autoShutdown: mode, strategy })
            await world.exit({ [`${id}.n`]: 'killed' })
            const again = { one_for_one: [1, 2, 1], one_for_all: [2, 2, 2], rest_for_one: [1, 2, 2] }[strategy]
            t.same(
              ['s1', 'n', 's2'].map(name => world.running(`${id}.${name}`)),
              again,
            )
            t.equal(sup.exit(), undefined)
          }
      },
    },
    {
      name: 'significant_escalation',
      stimulus: 'the significant child of a supervisor ends, which is itself a significant child, or is not',
      observed: 'its supervisor ends; the one above ends too only if that was significant to it',
      async run(t, world) {
        for (const isSignificant of [true, false]) {
          const [id, worker] = [`inner.${isSignificant}`, `worker.${isSignificant}`]
          const inner: SupervisorSpec = {
            id,
            autoShutdown: 'any_significant',
            restart: 'transient',
            significant: isSignificant,
            children: [world.actor(worker, { restart: 'transient', significant: true })],
          }
          const sup = await world.supervise({ id: `top.${isSignificant}`, autoShutdown: 'any_significant' })
          await sup.startChild(inner)
          await world.exit({ [worker]: 'normal' })
          t.equal(world.running(id), undefined)
          if (isSignificant) t.match(sup.exit(), { ...autoShutdown, culprit: { id, reason: autoShutdown } })
          else t.equal(sup.exit(), undefined)
        }
      },
    },
    {
      name: 'last_significant_restarting (not in OTP)',
      needs: ['time'],
      stimulus: 'under all_significant one child is in a restart loop when the other ends normally',
      observed: 'the one that restarts still counts: the supervisor goes on',
      async run(t, world) {
        const sup = await superviseThree(world, { id: 'all', restart: 'transient', autoShutdown: 'all_significant' })
        world.script('all.s1', { starts: ['hang', 'run'] })
        await world.exit({ 'all.s1': 'abnormal' })
        await world.exit({ 'all.s2': 'normal' } satisfies Record<string, ScriptedExit>)
        await world.advance(10_000)
        t.equal(world.running('all.s1'), 3)
        t.equal(sup.exit(), undefined)
      },
    },
  ],
  mutations: [
    {
      breaks: 'any significant child ends the supervisor, also under all_significant',
      file: 'supervisor/strategy.ts',
      search: 'if (other.spec.significant && other.active) return false',
      replacement: '',
    },
    {
      breaks: 'children that are not significant end the supervisor',
      file: 'supervisor/strategy.ts',
      search: "autoShutdown === 'never' || !ended.spec.significant",
      replacement: "autoShutdown === 'never'",
    },
    {
      breaks: 'the supervisor never ends by itself',
      file: 'supervisor/strategy.ts',
      search: "if (autoShutdown === 'any_significant') return true",
      replacement: "if (autoShutdown === 'any_significant') return false",
    },
  ],
}
