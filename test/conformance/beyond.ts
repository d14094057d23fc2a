/** What Starfish adds to OTP: backoff, messages held meanwhile, and budgets per child. */
import type { SupervisorSpec } from '../../src/supervisor/child-spec.ts'
import { type ConformanceGroup, children, counts, refuses, story } from './suite.ts'

const top: SupervisorSpec = { id: 'top', intensity: 3, periodMs: 60_000 }
const backoff = { initialMs: 100, maxMs: 1_000, factor: 2, jitter: 0, resetAfterMs: 10_000, heldMax: 2 }
const spawns: SupervisorSpec = { id: 'spawns', dynamic: true, budgetPerChild: true, intensity: 3, periodMs: 5_000 }

/** Beyond OTP. */
export const beyond: ConformanceGroup = {
  name: 'beyond',
  cases: [
    {
      name: 'backoff',
      needs: ['time'],
      stimulus: 'a child with a backoff fails, cannot be started twice, then runs',
      observed: 'it waits 100, 200 and 400 ms; meanwhile it is restarting and its supervisor is free',
      async run(t, world) {
        world.script('a', { starts: ['run', 'fail', 'fail', 'run'] })
        const specs = [world.actor('a', { backoff }), world.actor('b')]
        const sup = await world.supervise({ ...top, intensity: 10, children: specs })
        await world.exit({ a: 'abnormal' })
        t.same(await children(sup), ['a restarting', 'b running'])
        t.same(await counts(sup), [2, 1, 0, 2])
        await refuses(t, sup.restartChild('a'), 'CHILD_RESTARTING')
        await world.exit({ b: 'normal' })
        t.equal(world.running('b'), 2)
        await world.advance(699)
        t.equal(world.running('a'), undefined)
        await world.advance(1)
        t.equal(world.running('a'), 4)
      },
    },
    {
      name: 'backoff_grows_and_resets',
      needs: ['time'],
      stimulus: 'a child with a backoff fails again and again, once after it had run for long enough',
      observed: 'its waits grow up to their maximum, and begin anew after a long run',
      async run(t, world) {
        const sup = await world.supervise({ ...top, intensity: 40, children: [world.actor('a', { backoff })] })
        for (const [n, waitMs] of [100, 200, 400, 800, 1_000, 1_000].entries()) {
          await world.exit({ a: 'abnormal' })
          await world.advance(waitMs - 1)
          t.equal(world.running('a'), undefined, `wait ${n + 1}`)
          await world.advance(1)
          t.equal(world.running('a'), n + 2)
        }
        await world.advance(10_000)
        await world.exit({ a: 'abnormal' })
        await world.advance(100)
        t.equal(world.running('a'), 8)
        t.equal(sup.exit(), undefined)
      },
    },
    {
      name: 'backoff_of_a_group',
      needs: ['time'],
      stimulus: 'a child with a backoff fails under rest_for_one',
      observed: 'those after it are stopped at once, and all come back together after the wait',
      async run(t, world) {
        const specs = [world.actor('a'), world.actor('b', { backoff }), world.actor('c')]
        const sup = await world.supervise({ ...top, strategy: 'rest_for_one', children: specs })
        await world.exit({ b: 'abnormal' })
        t.same(story(world, 3), ['exit b#1 threw', 'exit c#1 shutdown'])
        t.same(await children(sup), ['a running', 'b restarting', 'c undefined'])
        await world.advance(100)
        t.same(story(world, 5), ['up b#2', 'up c#2'])
      },
    },
    {
      name: 'backoff_and_stop',
      needs: ['time'],
      stimulus: 'a child that backs off is terminated; another one does so when its supervisor ends',
      observed: 'neither comes back',
      async run(t, world) {
        const sup = await world.supervise({
          ...top,
          children: [world.actor('a', { backoff }), world.actor('b', { backoff })],
        })
        await world.exit({ a: 'abnormal', b: 'abnormal' })
        await sup.terminateChild('a')
        t.same(await children(sup), ['a undefined', 'b restarting'])
        await sup.stop()
        t.same(sup.exit(), { type: 'shutdown' })
        await world.advance(1_000)
        t.same(story(world, 4), [])
      },
    },
    {
      name: 'backoff_escalates',
      needs: ['time'],
      stimulus: 'a child with a backoff never stops failing',
      observed: 'its supervisor gives up after the budget all the same',
      async run(t, world) {
        const sup = await world.supervise({ ...top, children: [world.actor('a', { backoff })] })
        world.script('a', { starts: ['fail'] })
        await world.exit({ a: 'abnormal' })
        await world.advance(699)
        t.equal(sup.exit(), undefined)
        await world.advance(1)
        t.match(sup.exit(), { type: 'shutdown', detail: 'reached_max_restart_intensity', culprit: { id: 'a' } })
      },
    },
    {
      name: 'unreachable_escalation',
      stimulus: 'backoffs whose waits are just short enough, and 1 ms too long, for the budget',
      observed: 'the second is refused: such a child would be restarted for ever',
      async run(t, world) {
        // three restarts lie between the first and the fourth failure: 100 + 200 + 400 ms
        const budget = { id: 'top', intensity: 3, periodMs: 700 }
        const sup = await world.supervise({ ...budget, children: [world.actor('a', { backoff })] })
        t.equal(sup.exit(), undefined)
        const tooShort = { ...budget, periodMs: 699, children: [world.actor('b', { backoff })] }
        await t.rejects(world.supervise(tooShort), {
          code: 'BAD_SPEC',
          details: { reasons: [{ path: 'children[0].backoff' }] },
        })
      },
    },
    {
      name: 'held_messages',
      needs: ['time'],
      stimulus: 'three messages to a child that backs off and may have two held',
      observed: 'its next incarnation receives two; the third is a dead letter at once',
      async run(t, world) {
        await world.supervise({ ...top, children: [world.actor('a', { backoff })] })
        await world.exit({ a: 'abnormal' })
        for (const message of ['one', 'two', 'three']) await world.send('a', message)
        t.same(world.deadLetters('a'), ['three'])
        await world.advance(100)
        t.same(world.received('a'), ['one', 'two'])
      },
    },
    {
      name: 'held_messages_of_the_ended',
      needs: ['time'],
      stimulus: 'messages to children that back off, which are then terminated, or whose supervisor gives up',
      observed: 'they become dead letters, and so do later ones',
      async run(t, world) {
        const specs = [world.actor('a', { backoff }), world.actor('b', { backoff })]
        const sup = await world.supervise({ ...top, intensity: 2, children: specs })
        await world.exit({ a: 'abnormal', b: 'abnormal' })
        await world.send('a', 'one')
        await world.send('b', 'two')
        await sup.terminateChild('a')
        t.same(world.deadLetters('a'), ['one'])
        await world.advance(100)
        t.same(world.received('b'), ['two'])
        await world.exit({ b: 'abnormal' })
        t.match(sup.exit(), { detail: 'reached_max_restart_intensity' })
        await world.send('b', 'three')
        t.same(world.deadLetters('b'), ['three'])
      },
    },
    {
      name: 'held_messages_of_a_group',
      needs: ['time'],
      stimulus:
        'messages to three children that are to come back after their sibling; one is deleted, then it is terminated',
      observed:
        'those to the deleted one are dead letters at once, the others when the sibling is: nothing brings them back',
      async run(t, world) {
        const specs = [world.actor('a', { backoff }), ...['b', 'c', 'd'].map(id => world.actor(id))]
        const sup = await world.supervise({ ...top, strategy: 'rest_for_one', children: specs })
        await world.exit({ a: 'abnormal' })
        for (const id of ['b', 'c', 'd']) await world.send(id, 'one')
        await sup.deleteChild('d')
        t.same(['b', 'c', 'd'].map(world.deadLetters, world), [[], [], ['one']])
        await sup.restartChild('c')
        await world.exit({ c: 'abnormal' })
        t.same(await children(sup), ['a restarting', 'b undefined', 'c running'])
        await sup.terminateChild('a')
        for (const id of ['b', 'd']) await world.send(id, 'two')
        t.same(['b', 'd'].map(world.deadLetters, world), [
          ['one', 'two'],
          ['one', 'two'],
        ])
      },
    },
    {
      name: 'budget_per_child',
      stimulus: 'of two children with budgets of their own one fails four times, then the other once',
      observed: 'the first ends at the fourth failure; neither its sibling nor the supervisor does',
      async run(t, world) {
        const sup = await world.supervise(spawns)
        await sup.startChild(world.actor('a'))
        await sup.startChild(world.actor('b'))
        for (const n of [2, 3, 4]) {
          await world.exit({ a: 'abnormal' })
          t.equal(world.running('a'), n)
        }
        await world.exit({ a: 'abnormal' })
        t.equal(world.running('a'), undefined)
        t.same(await children(sup), ['b running'])
        await world.exit({ b: 'abnormal' })
        t.equal(world.running('b'), 2)
        t.equal(sup.exit(), undefined)
      },
    },
    {
      name: 'budget_per_child_failing_starts',
      needs: ['time'],
      stimulus:
        'children with budgets of their own fail; one comes back at the third try, one never, one after a backoff',
      observed: 'a failed start counts as a failure does; a child that ends normally is forgotten',
      async run(t, world) {
        world.script('a', { starts: ['run', 'fail', 'fail', 'run'] })
        world.script('b', { starts: ['run', 'fail'] })
        const sup = await world.supervise(spawns)
        await sup.startChild(world.actor('a', { restart: 'transient' }))
        await sup.startChild(world.actor('b'))
        await sup.startChild(world.actor('c', { backoff }))
        await world.exit({ a: 'abnormal', b: 'abnormal', c: 'abnormal' })
        t.same(await children(sup), ['a running', 'c restarting'])
        t.equal(world.running('a'), 4)
        await world.advance(100)
        t.equal(world.running('c'), 2)
        await world.exit({ a: 'normal' })
        t.same(await children(sup), ['c running'])
        t.match(await sup.startChild(world.actor('a')), { actor: { incarnation: 5 } })
        await world.exit({ a: 'abnormal' })
        t.equal(world.running('a'), 6, 'a child that is added anew has a budget of its own again')
      },
    },
    {
      name: 'budget_per_child_independence',
      needs: ['time'],
      stimulus: 'one child hangs in its start, another refuses to end, while others come and go',
      observed: 'nobody waits for them',
      async run(t, world) {
        world.script('hangs', { starts: ['hang'] })
        world.script('refuses', { onShutdown: 'refuse' })
        const sup = await world.supervise(spawns)
        const hanging = refuses(t, sup.startChild(world.actor('hangs', { initTimeoutMs: 60_000 })), 'START_FAILED')
        await sup.startChild(world.actor('refuses', { shutdown: 30_000 }))
        const terminated = sup.terminateChild('refuses')
        t.match(await sup.startChild(world.actor('a')), { actor: { incarnation: 1 } })
        await world.exit({ a: 'abnormal' })
        t.equal(world.running('a'), 2)
        await sup.terminateChild('a')
        t.same(await children(sup), ['hangs restarting', 'refuses running'])
        await world.advance(30_000)
        await terminated
        t.same(await children(sup), ['hangs restarting'])
        await world.advance(30_000)
        await hanging
        t.same(await children(sup), [])
      },
    },
    {
      name: 'budget_per_child_commands',
      needs: ['time'],
      stimulus: 'a child is terminated twice while it starts; others decline, fail to start, or are asked for twice',
      observed: 'it ends once it is up and both are answered; every other command has its answer too',
      async run(t, world) {
        const sup = await world.supervise(spawns)
        world.script('slow', { starts: [{ runAfterMs: 100 }] })
        const started = sup.startChild(world.actor('slow'))
        const twice = [sup.terminateChild('slow'), sup.terminateChild('slow')]
        await refuses(t, sup.startChild(world.actor('slow')), 'CHILD_ALREADY_PRESENT')
        await world.advance(100)
        t.match(await started, { actor: { incarnation: 1 } })
        await Promise.all(twice)
        t.same(story(world), ['up slow#1', 'exit slow#1 shutdown'])
        world.script('declines', { starts: ['ignore'] })
        t.same(await sup.startChild(world.actor('declines')), { id: 'declines', actor: undefined })
        world.script('fails', { starts: ['fail'] })
        await refuses(t, sup.startChild(world.actor('fails')), 'START_FAILED')
        await refuses(t, sup.restartChild('fails'), 'DYNAMIC_SUPERVISOR')
        await refuses(t, sup.terminateChild('fails'), 'CHILD_NOT_FOUND')
        await sup.startChild(world.actor('a'))
        await refuses(t, sup.startChild(world.actor('a')), 'CHILD_ALREADY_STARTED')
        t.same(await counts(sup), [1, 1, 0, 1])
      },
    },
    {
      name: 'budget_per_child_stop',
      needs: ['time'],
      stimulus: 'it is asked to end while children run, start, back off and refuse to end',
      observed: 'all end side by side, the one that starts once it is up; commands are refused; then it ends',
      async run(t, world) {
        const sup = await world.supervise(spawns)
        world.script('slow', { starts: [{ runAfterMs: 500 }] })
        world.script('stuck', { onShutdown: 'refuse' })
        await sup.startChild(world.actor('a'))
        await sup.startChild(world.actor('waits', { backoff }))
        await sup.startChild(world.actor('stuck', { shutdown: 1_000 }))
        const started = sup.startChild(world.actor('slow'))
        await world.exit({ waits: 'abnormal' })
        await sup.stop()
        await refuses(t, sup.startChild(world.actor('b')), 'SHUTTING_DOWN')
        t.same(story(world, 4), ['exit a#1 shutdown'])
        await world.advance(500)
        await started
        t.same(story(world, 5), ['up slow#1', 'exit slow#1 shutdown'])
        t.equal(sup.exit(), undefined)
        await world.advance(500)
        t.same(story(world, 7), ['exit stuck#1 killed'])
        t.same(sup.exit(), { type: 'shutdown' })
      },
    },
  ],
  mutations: [
    {
      breaks: 'waits do not grow',
      file: 'supervisor/backoff.ts',
      search: 'backoff.initialMs * backoff.factor ** (failures - 1)',
      replacement: 'backoff.initialMs',
    },
    {
      breaks: 'a long run does not make the waits begin anew',
      file: 'supervisor/backoff.ts',
      search: 'nowMs - startedAtMs >= backoff.resetAfterMs ? 1 : failures + 1',
      replacement: 'nowMs < startedAtMs + backoff.resetAfterMs - backoff.resetAfterMs ? 1 : failures + 1',
    },
    {
      breaks: 'a backoff that makes giving up impossible is taken',
      file: 'supervisor/backoff.ts',
      search: 'shortestEscalationMs(backoff, budget.intensity) <= budget.periodMs',
      replacement: 'budget.periodMs > 0',
    },
    {
      breaks: 'messages to a child that does not come back are held for ever',
      file: 'supervisor/supervisor-job.ts',
      search:
        "export function settleEnded(state: SupervisorState, child: Child): void {\n  state.held.delete(child)\n  state.host.release(child.id, 'ended')",
      replacement: 'export function settleEnded(state: SupervisorState, child: Child): void {',
    },
    {
      breaks: 'messages to children whose group is not restarted after all are held for ever',
      file: 'supervisor/supervisor-job.ts',
      search: 'for (const child of forgone) settleEnded(state, child)',
      replacement: '',
    },
    {
      breaks: 'with budgets per child a failed start is not tried again',
      file: 'supervisor/spawns.ts',
      search: "state.host.post({ type: 'supervisor.tryAgain', id, incarnation })",
      replacement: '',
    },
    {
      breaks: 'children share one budget',
      file: 'supervisor/spawns.ts',
      search: 'const window = state.windows.get(child) ?? []',
      replacement: 'const window = state.restarts',
    },
    {
      breaks: 'a child that backs off comes back although it was terminated',
      file: 'supervisor/child-machine.ts',
      search:
        "after: { backoffMs: { target: 'restarting', actions: 'tellDue' } },\n      on: {\n        'child.start': 'starting',\n        'child.forget': { target: 'absent', actions: 'clearFailure' },",
      replacement:
        "after: { backoffMs: { target: 'restarting', actions: 'tellDue' } },\n      on: {\n        'child.start': 'starting',",
    },
  ],
}
