/** What the charts of supervisors do beyond what the conformance suite observes: reports, fences, slices, orphans. */
import t from 'tap'
import { createActor, setup } from 'xstate'
import { child } from '../../src/actors/runtime/child.ts'
import { createVirtualClock } from '../../src/actors/runtime/clock.ts'
import { defineActor } from '../../src/actors/runtime/define-actor.ts'
import type { ActorExit, ExitReason } from '../../src/messages/thread/exit.ts'
import type { Answer, ChildHost, SupervisorEvent } from '../../src/supervisor/child-host.ts'
import type { SupervisorSpec } from '../../src/supervisor/child-spec.ts'
import { resolveSupervisorSpec } from '../../src/supervisor/spec-check.ts'
import { supervisorChart, type supervisorMachine } from '../../src/supervisor/supervisor-machine.ts'
import { abandon } from '../../src/supervisor/supervisor-state.ts'

const probe = defineActor('file:///probe.ts', 'probe', { machine: setup({}).createMachine({}) })
const actor = (id: string, options: object = {}) => child(probe, { id, ...options })

/** A supervisor whose kernel does nothing by itself: what it is asked for is listed, what it is told is sent by hand. */
function createSupervisor(spec: SupervisorSpec) {
  const asked: string[] = []
  const posted: SupervisorEvent[] = []
  const answers: Answer[] = []
  const incarnations = new Map<string, number>()
  const clock = createVirtualClock()
  const host: ChildHost = {
    addressOf: id => `${spec.id}/${id}`,
    start: ({ id }) => {
      const incarnation = (incarnations.get(id) ?? 0) + 1
      incarnations.set(id, incarnation)
      asked.push(`start ${id}#${incarnation}`)
      return incarnation
    },
    shutdown: (id, incarnation) => void asked.push(`shutdown ${id}#${incarnation}`),
    kill: (id, incarnation) => void asked.push(`kill ${id}#${incarnation}`),
    hold: id => void asked.push(`hold ${id}`),
    release: (id, outcome) => void asked.push(`release ${id} ${outcome}`),
    ready: () => void asked.push('ready'),
    post: event => void posted.push(event),
    answer: (_, answer) => void answers.push(answer),
    report: fact => void asked.push(`report ${fact.type}`),
  }
  const resolved = resolveSupervisorSpec(spec)
  const chart = supervisorChart(resolved) as typeof supervisorMachine
  const machine = createActor(chart, { input: { spec: resolved, host, clock, random: () => 0 }, clock })
  machine.start()
  const tell = (event: SupervisorEvent) => machine.send(event)
  /** Hands over what the supervisor has posted to itself, one event, and says what it was. */
  const next = () => {
    const event = posted.shift()
    if (event !== undefined) tell(event)
    return event?.type
  }
  const up = (id: string, incarnation = incarnations.get(id)!) =>
    tell({ type: 'child.started', id, incarnation, place: { address: id, shard: 0 } })
  const gone = (id: string, reason: ExitReason = { type: 'killed' }, incarnation = incarnations.get(id)!) =>
    tell({ type: 'child.exited', id, incarnation, exit: { reason } as ActorExit })
  const since = () => asked.splice(0)
  return { machine, asked, posted, answers, clock, tell, next, up, gone, since }
}

/** A supervisor that has started its children. */
function startSupervisor(spec: SupervisorSpec) {
  const supervisor = createSupervisor(spec)
  supervisor.next()
  for (const { id } of spec.children ?? []) supervisor.up(id)
  supervisor.since()
  return supervisor
}

t.test('children start one after the other, and only then is the supervisor ready', async t => {
  const { next, up, since } = createSupervisor({ id: 'top', children: [actor('a'), actor('b')] })
  t.same(since(), [])
  next()
  t.same(since(), ['start a#1'])
  up('a')
  t.same(since(), ['report child.started', 'start b#1'])
  up('b')
  t.same(since(), ['report child.started', 'ready'])
})

t.test('what is told of another incarnation, or of nobody, changes nothing', async t => {
  const { machine, up, gone, since, posted } = startSupervisor({ id: 'top', intensity: 9, children: [actor('a')] })
  gone('a')
  t.same(since(), ['report child.terminated', 'hold a', 'start a#2'])
  up('a', 1)
  gone('a', { type: 'killed' }, 1)
  up('b', 1)
  t.same([since(), machine.getSnapshot().value], [[], 'startingChild'])
  up('a', 2)
  t.same(since(), ['release a restarted', 'report child.started'])
  gone('a', { type: 'killed' }, 1)
  up('a', 2)
  t.same([since(), posted, machine.getSnapshot().value], [[], [], 'idle'])
})

t.test('a failed start is tried again through the mailbox, and a try that is out of date is none', async t => {
  const { next, up, gone, since, tell, posted } = startSupervisor({ id: 'top', intensity: 9, children: [actor('a')] })
  gone('a')
  tell({ type: 'child.startFailed', id: 'a', incarnation: 2, reason: { type: 'initTimedOut', afterMs: 1 } })
  t.same(since(), ['report child.terminated', 'hold a', 'start a#2', 'report child.startFailed'])
  const again = { type: 'supervisor.tryAgain', id: 'a', incarnation: 2 } as const
  t.same(posted, [again])
  tell({ type: 'supervisor.terminateChild', id: 'a', reply: 0 })
  t.same(since(), ['release a ended'])
  next()
  t.same(since(), [], 'the child was terminated meanwhile')
  tell({ type: 'supervisor.restartChild', id: 'a', reply: 0 })
  up('a')
  gone('a')
  tell({ type: 'child.startFailed', id: 'a', incarnation: 4, reason: { type: 'initTimedOut', afterMs: 1 } })
  since()
  tell(again)
  t.same(since(), [], 'the child has been started since')
  next()
  t.same(since(), ['hold a', 'start a#5'])
})

t.test('a storm of exits is dealt with one event at a time, in order', async t => {
  const ids = Array.from({ length: 1_000 }, (_, n) => `c${n}`)
  const children = ids.map(id => actor(id, { restart: 'temporary' }))
  const { machine, next, gone, since, tell } = startSupervisor({ id: 'top', children: [actor('slow'), ...children] })
  tell({ type: 'supervisor.terminateChild', id: 'slow', reply: 0 })
  since()
  for (const id of ids) gone(id)
  t.same(since(), [], 'nothing is done while it waits for another child')
  gone('slow')
  since()
  for (const id of ids) {
    t.equal(machine.getSnapshot().value, 'resuming')
    t.equal(next(), 'supervisor.next')
    t.same(since(), ['report child.terminated', `release ${id} ended`], 'one step deals with one exit')
  }
  t.same([next(), machine.getSnapshot().value], [undefined, 'idle'])
})

t.test('what arrives while earlier events still wait is put behind them', async t => {
  const { next, gone, since, tell, answers } = startSupervisor({
    id: 'top',
    intensity: 9,
    children: [actor('a'), actor('b', { restart: 'temporary' })],
  })
  tell({ type: 'supervisor.terminateChild', id: 'a', reply: 0 })
  gone('b')
  gone('a')
  since()
  answers.length = 0
  tell({ type: 'supervisor.countChildren', reply: 0 })
  t.same(answers, [], 'the exit of b comes first')
  next()
  next()
  t.same(answers, [{ ok: { specs: 1, active: 0, supervisors: 0, workers: 1 } }])
})

t.test('commands beyond the limit of what may wait are answered OVERLOADED', async t => {
  const { tell, answers } = createSupervisor({ id: 'top', children: [actor('a')] })
  for (let n = 0; n < 10_000; n++) tell({ type: 'supervisor.countChildren', reply: n })
  t.same(answers, [])
  tell({ type: 'supervisor.countChildren', reply: 0 })
  t.match(answers, [{ error: { code: 'OVERLOADED', handled: /^no$/ } }])
})

t.test('unexpected ends of children that were told to end are reported, as OTP does', async t => {
  const children = [actor('a'), actor('b', { restart: 'transient' }), actor('c'), actor('d', { shutdown: 10 })]
  const { tell, gone, since, clock, machine } = startSupervisor({ id: 'top', children })
  tell({ type: 'supervisor.stop' })
  t.same(since(), ['shutdown d#1'])
  await clock.advance(10)
  gone('d')
  t.same(since(), ['kill d#1', 'report child.shutdownError', 'release d ended', 'shutdown c#1'])
  gone('b')
  gone('c', { type: 'normal' })
  t.same(
    since(),
    [
      ...['report child.shutdownError', 'release c ended'],
      ...['report child.shutdownError', 'release b ended'],
      'shutdown a#1',
    ],
    'normal is one for a permanent child, and so is an end that came before its turn',
  )
  gone('a', { type: 'shutdown' })
  t.same(since(), ['release a ended'])
  t.same(machine.getSnapshot().output, { type: 'shutdown' })
})

t.test('a supervisor ends with the reason it was given', async t => {
  const { tell, machine } = startSupervisor({ id: 'top', children: [] })
  tell({ type: 'supervisor.stop', reason: { type: 'shutdown', detail: 'rolling restart' } })
  t.same(machine.getSnapshot().output, { type: 'shutdown', detail: 'rolling restart' })
})

t.test('held is what comes back: the child that failed and its group, not those that end', async t => {
  const children = [actor('a'), actor('t', { restart: 'temporary' }), actor('b')]
  const { gone, up, since } = startSupervisor({ id: 'top', strategy: 'one_for_all', intensity: 9, children })
  gone('a')
  gone('b', { type: 'shutdown' })
  gone('t', { type: 'shutdown' })
  up('a')
  up('b')
  t.same(
    since().filter(each => !each.startsWith('report')),
    [
      ...['hold a', 'shutdown b#1', 'hold b', 'shutdown t#1', 'release t ended'],
      ...['start a#2', 'release a restarted', 'start b#2', 'release b restarted'],
    ],
  )
})

t.test('a supervisor that ends unasked leaves a list of what lives, and no timers', async t => {
  const backoff = { initialMs: 100, jitter: 0 }
  const children = [actor('a'), actor('b', { backoff }), actor('c'), actor('d', { restart: 'transient' })]
  const { machine, gone, clock, tell } = startSupervisor({ id: 'top', intensity: 5, children })
  gone('b')
  gone('d', { type: 'normal' })
  tell({ type: 'supervisor.terminateChild', id: 'c', reply: 0 })
  t.equal(clock.pending, 2, 'the wait of b and the deadline of c')
  t.same(abandon(machine.getSnapshot().context), [
    { id: 'c', incarnation: 1 },
    { id: 'a', incarnation: 1 },
  ])
  t.equal(clock.pending, 0)
})

t.test('children with budgets of their own are dealt with in one step each, whatever the others do', async t => {
  const spawns = { id: 'spawns', dynamic: true, budgetPerChild: true, intensity: 3, periodMs: 5_000 }
  const { tell, up, gone, since, posted } = startSupervisor(spawns)
  for (const id of ['a', 'b']) tell({ type: 'supervisor.startChild', spec: actor(id), reply: id })
  t.same(since(), ['start a#1', 'start b#1'], 'they start side by side')
  up('b')
  up('a')
  for (const n of [2, 3, 4]) {
    since()
    gone('a')
    t.same(since(), ['report child.terminated', 'hold a', `start a#${n}`])
    up('a')
  }
  since()
  gone('a')
  t.same(since(), ['report child.terminated', 'report child.gaveUp', 'release a ended'])
  gone('b')
  t.same(since(), ['report child.terminated', 'hold b', 'start b#2'])
  gone('b', { type: 'killed' }, 1)
  t.same(since(), [], 'an exit that was told before is none')
  t.same(posted, [])
})
