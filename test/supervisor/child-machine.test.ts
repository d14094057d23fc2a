import t from 'tap'
import { setup } from 'xstate'
import { child, type Shutdown } from '../../src/actors/runtime/child.ts'
import { createVirtualClock } from '../../src/actors/runtime/clock.ts'
import { defineActor } from '../../src/actors/runtime/define-actor.ts'
import type { ActorExit } from '../../src/messages/thread/exit.ts'
import type { ChildHost } from '../../src/supervisor/child-host.ts'
import { childLives } from '../../src/supervisor/child-life.ts'
import { type ChildEvent, type ChildRecord, type ChildState, childMachine } from '../../src/supervisor/child-machine.ts'
import { resolveChildSpec } from '../../src/supervisor/spec-check.ts'

const probe = defineActor('file:///probe.ts', 'probe', { machine: setup({}).createMachine({}) })
const parent = { id: 'top', intensity: 1, periodMs: 5_000, autoShutdown: 'never' } as const
const failure = { type: 'killed' } as const
const exit = { reason: failure } as ActorExit
const events = {
  start: { type: 'child.start', cause: 'boot' },
  started: { type: 'child.started', place: { address: 'a', shard: -1 }, atMs: 7 },
  ignored: { type: 'child.ignored' },
  startFailed: { type: 'child.startFailed' },
  exited: { type: 'child.exited', exit },
  shutdown: { type: 'child.shutdown' },
  await: { type: 'child.await', failure },
  backOff: { type: 'child.backOff', failure, delayMs: 50 },
  forget: { type: 'child.forget' },
} as const satisfies Record<string, ChildEvent>
type EventName = keyof typeof events

function createChild(shutdown: Shutdown = 1_000) {
  const asked: string[] = []
  const clock = createVirtualClock()
  const host = {
    start: () => asked.push('start'),
    shutdown: () => asked.push('shutdown'),
    kill: () => asked.push('kill'),
    post: (event: { type: string }) => asked.push(event.type),
  } as Partial<ChildHost> as ChildHost
  const spec = resolveChildSpec(child(probe, { id: 'a', shutdown }), parent)
  const record: ChildRecord = {
    id: 'a',
    spec,
    host,
    incarnation: 0,
    cause: 'boot',
    failures: 0,
    startedAtMs: 0,
    place: undefined,
    exit: undefined,
    failure: undefined,
    delayMs: 0,
  }
  const life = childLives(clock)(record)
  const send = (...names: EventName[]) => {
    for (const name of names) life.send(events[name])
    return life.state
  }
  return { asked, clock, record, life, send }
}

/** How to get into each state, and what each event does there; what is not named changes nothing. */
const table: Record<ChildState, { way: EventName[]; shutdown?: Shutdown; on: Partial<Record<EventName, ChildState>> }> =
  {
    absent: { way: [], on: { start: 'starting', await: 'restarting' } },
    starting: { way: ['start'], on: { started: 'running', ignored: 'absent', startFailed: 'absent' } },
    running: { way: ['start', 'started'], on: { exited: 'down', shutdown: 'stopping' } },
    down: {
      way: ['start', 'started', 'exited'],
      on: { await: 'restarting', backOff: 'backingOff', forget: 'absent' },
    },
    stopping: { way: ['start', 'started', 'shutdown'], on: { exited: 'absent' } },
    stoppingPatiently: { way: ['start', 'started', 'shutdown'], shutdown: 'infinity', on: { exited: 'absent' } },
    killing: { way: ['start', 'started', 'shutdown'], shutdown: 'brutal_kill', on: { exited: 'absent' } },
    restarting: {
      way: ['start', 'started', 'exited', 'await'],
      on: { start: 'starting', backOff: 'backingOff', forget: 'absent' },
    },
    backingOff: {
      way: ['start', 'started', 'exited', 'backOff'],
      on: { start: 'starting', forget: 'absent' },
    },
  }

t.test('every event does in every state what the table says, and nothing else', async t => {
  t.same(Object.keys(table).sort(), Object.keys(childMachine.states).sort(), 'the table knows every state')
  for (const [state, { way, shutdown, on }] of Object.entries(table))
    for (const name of Object.keys(events) as EventName[]) {
      const child = createChild(shutdown)
      t.equal(child.send(...way), state)
      t.equal(child.send(name), on[name] ?? state, `${state} on ${name}`)
    }
})

t.test('a child that does not end by its deadline is killed; the deadline is forgotten when it does', async t => {
  const slow = createChild(1_000)
  slow.send('start', 'started', 'shutdown')
  await slow.clock.advance(999)
  t.same(slow.asked, ['start', 'shutdown'])
  await slow.clock.advance(1)
  t.same([slow.asked, slow.life.state], [['start', 'shutdown', 'kill'], 'killing'])
  const quick = createChild(1_000)
  quick.send('start', 'started', 'shutdown', 'exited')
  t.equal(quick.clock.pending, 0)
})

t.test('infinity sets no deadline, brutal_kill does not ask', async t => {
  const patient = createChild('infinity')
  patient.send('start', 'started', 'shutdown')
  t.same([patient.asked, patient.clock.pending], [['start', 'shutdown'], 0])
  const brutal = createChild('brutal_kill')
  brutal.send('start', 'started', 'shutdown')
  t.same(brutal.asked, ['start', 'kill'])
})

t.test('the end of a backoff is told once, and not at all when the child was started or forgotten before', async t => {
  const waiting = createChild()
  waiting.send('start', 'started', 'exited', 'backOff')
  await waiting.clock.advance(49)
  t.same(waiting.asked, ['start'])
  await waiting.clock.advance(1)
  t.same([waiting.asked, waiting.life.state], [['start', 'supervisor.backoffElapsed'], 'restarting'])
  for (const name of ['start', 'forget'] as const) {
    const other = createChild()
    other.send('start', 'started', 'exited', 'backOff', name)
    t.equal(other.clock.pending, 0, name)
  }
})

t.test('the record keeps what the supervisor has to know, for as long as it does', async t => {
  const { record, send, clock, life } = createChild()
  send('start')
  t.equal(record.incarnation, 1)
  send('started')
  t.same([record.place, record.startedAtMs], [{ address: 'a', shard: -1 }, 7])
  send('exited')
  t.equal(record.exit, exit)
  send('backOff')
  t.same([record.exit, record.failure, record.delayMs], [undefined, failure, 50])
  life.stop()
  t.equal(clock.pending, 0, 'a child that is stopped leaves no timer behind')
})
