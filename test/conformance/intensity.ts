/** The restart budget: OTP's multiple_restarts, and the exact edges of its window. */
import { type ConformanceGroup, story } from './suite.ts'

const gaveUp = { type: 'shutdown', detail: 'reached_max_restart_intensity' }

/** How many restarts are too many. */
export const intensity: ConformanceGroup = {
  name: 'intensity',
  cases: [
    {
      name: 'multiple_restarts',
      needs: ['time'],
      stimulus: 'a child fails four times, 2.1 s apart, under a budget of 1 in 1 s',
      observed: 'it comes back each time',
      async run(t, world) {
        const sup = await world.supervise({ id: 'top', intensity: 1, periodMs: 1_000 })
        await sup.startChild(world.actor('a', { shutdown: 'brutal_kill' }))
        await world.exit({ a: 'abnormal' })
        for (const n of [3, 4, 5]) {
          await world.advance(2_100)
          await world.exit({ a: 'abnormal' })
          t.equal(world.running('a'), n)
        }
        await sup.terminateChild('a')
        await sup.deleteChild('a')
        t.equal(sup.exit(), undefined)
      },
    },
    {
      name: 'inclusive_window (not in OTP)',
      needs: ['time'],
      stimulus: 'the failure after the budget comes exactly one period after the first, or 1 ms later',
      observed: 'exactly one period later is still too many; 1 ms later is not',
      async run(t, world) {
        for (const [id, gapMs] of Object.entries({ edge: 5_000, after: 5_001 })) {
          const spec = { id, intensity: 1, periodMs: 5_000, children: [world.actor(`${id}.a`)] }
          const sup = await world.supervise(spec)
          await world.exit({ [`${id}.a`]: 'abnormal' })
          await world.advance(gapMs)
          await world.exit({ [`${id}.a`]: 'abnormal' })
          if (id === 'edge') t.match(sup.exit(), gaveUp)
          else t.equal(sup.exit(), undefined)
        }
      },
    },
    {
      name: 'sliding_window (not in OTP)',
      needs: ['time'],
      stimulus: 'failures at 0, 4, 8 and 9 s under a budget of 2 in 5 s',
      observed: 'the window slides: only the one at 9 s finds two others within 5 s',
      async run(t, world) {
        const sup = await world.supervise({ id: 'top', intensity: 2, periodMs: 5_000, children: [world.actor('a')] })
        for (const gapMs of [0, 4_000, 4_000]) {
          await world.advance(gapMs)
          await world.exit({ a: 'abnormal' })
          t.equal(sup.exit(), undefined)
        }
        await world.advance(1_000)
        await world.exit({ a: 'abnormal' })
        t.match(sup.exit(), gaveUp)
      },
    },
    {
      name: 'zero_intensity (not in OTP)',
      stimulus: 'a child fails under a budget of none, another ended normally before',
      observed: 'the first failure ends the supervisor; the normal end of a transient child cost nothing',
      async run(t, world) {
        const specs = [world.actor('a', { restart: 'transient' }), world.actor('b'), world.actor('c')]
        const sup = await world.supervise({ id: 'top', intensity: 0, children: specs })
        await world.exit({ a: 'normal' })
        t.equal(sup.exit(), undefined)
        await world.exit({ c: 'normal' })
        t.match(sup.exit(), gaveUp, 'a permanent child that ends normally has failed')
        t.same(story(world, 3), ['exit a#1 normal', 'exit c#1 normal', 'exit b#1 shutdown'])
      },
    },
    {
      name: 'commands_cost_nothing (not in OTP)',
      stimulus: 'a child is terminated and restarted by commands ten times',
      observed: 'no restart is counted',
      async run(t, world) {
        const sup = await world.supervise({ id: 'top', intensity: 1, children: [world.actor('a')] })
        for (let n = 0; n < 10; n++) {
          await sup.terminateChild('a')
          await sup.restartChild('a')
        }
        await world.exit({ a: 'abnormal' })
        t.equal(world.running('a'), 12)
      },
    },
    {
      name: 'one_shard_lost (not in OTP)',
      needs: ['shard'],
      stimulus: 'a shard takes three children with it, then a second loss does, under a budget of 2',
      observed: 'each loss is one failure, so all come back twice; the third loss is one too many',
      async run(t, world) {
        const ids = ['a', 'b', 'c']
        const spec = { id: 'top', intensity: 2, periodMs: 60_000, children: ids.map(id => world.actor(id)) }
        const sup = await world.supervise(spec)
        await world.loseShard?.(ids)
        await world.loseShard?.(ids)
        t.same(
          ids.map(id => world.running(id)),
          [3, 3, 3],
        )
        t.equal(sup.exit(), undefined)
        await world.loseShard?.(['a'])
        t.match(sup.exit(), gaveUp)
      },
    },
    {
      name: 'supervisor_gives_up (not in OTP)',
      stimulus: 'a nested supervisor spends its budget, as a permanent, transient and temporary child',
      observed: 'it ends with shutdown: only the permanent one is started again, as with any child',
      async run(t, world) {
        for (const restart of ['permanent', 'transient', 'temporary'] as const) {
          const [id, worker] = [`sup.${restart}`, `worker.${restart}`]
          const inner = { id, restart, intensity: 0, children: [world.actor(worker)] }
          const sup = await world.supervise({ id: `top.${restart}`, intensity: 1, children: [inner] })
          await world.exit({ [worker]: 'abnormal' })
          t.equal(world.running(worker), restart === 'permanent' ? 2 : undefined)
          t.equal((await sup.countChildren()).specs, restart === 'temporary' ? 0 : 1)
          t.equal(sup.exit(), undefined)
        }
      },
    },
  ],
  mutations: [
    {
      breaks: 'the window does not take in its old end',
      file: 'supervisor/intensity.ts',
      search: 'window[left]! < oldest',
      replacement: 'window[left]! <= oldest',
    },
    {
      breaks: 'one restart too many is allowed',
      file: 'supervisor/intensity.ts',
      search: 'window.length <= budget.intensity',
      replacement: 'window.length <= budget.intensity + 1',
    },
    {
      breaks: 'old restarts are never forgotten',
      file: 'supervisor/intensity.ts',
      search: 'if (left > 0) window.splice(0, left)',
      replacement: '',
    },
    {
      breaks: 'each actor of a lost shard is a failure of its own',
      file: 'supervisor/intensity.ts',
      search: 'counted >= loss.incarnation',
      replacement: 'false',
    },
  ],
}
