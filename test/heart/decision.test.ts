import t from 'tap'
import {
  beginHeart,
  decideHeart,
  exitCodeOf,
  type HeartAct,
  type HeartEvent,
  type HeartLimits,
  type HeartState,
} from '../../src/heart/decision.ts'

const limits: HeartLimits = {
  beatMs: 1_000,
  stuckAfterMs: 5_000,
  backoffMinMs: 100,
  backoffMaxMs: 1_000,
  resetAfterMs: 10_000,
  restartsMax: 5,
  graceMs: 500,
  echoMs: 100,
}

const ready: HeartEvent = { type: 'node.ready', atMs: 0 }
const backoffPassed: HeartEvent = { type: 'backoff.passed' }

function ended(code: number | null, signal: NodeJS.Signals | null = null, atMs = 1, random = 0): HeartEvent {
  return { type: 'node.ended', end: { code, signal }, atMs, random }
}

function signal(name: 'SIGINT' | 'SIGTERM' | 'SIGHUP', atMs = 0): HeartEvent {
  return { type: 'signal.received', signal: name, atMs }
}

/** A look at a node, a second after the one before: it beat or not, and used its processor or not. */
function look(second: number, beats: number, cpuMs = second * 1_000): HeartEvent {
  const thread = { cpuMs, waitMs: 0, now: 'runnable' as const }
  return {
    type: 'node.sampled',
    sample: { atMs: second * 1_000, ticks: beats, held: false, thread, reportedCpuMs: undefined },
  }
}

/** Takes events from the start; the state and what the last event led to, in short. */
function after(...events: HeartEvent[]): { state: HeartState; acts: string[] } {
  let { state, acts } = beginHeart()
  for (const event of events) ({ state, acts } = decideHeart(state, event, limits))
  return { state, acts: acts.filter(act => act.type !== 'heart.say').map(inShort) }
}

function inShort(act: HeartAct): string {
  if (act.type === 'node.signal') return `signal ${act.signal}`
  if (act.type === 'backoff.wait' || act.type === 'grace.wait') return `${act.type} ${act.delayMs}`
  return act.type === 'heart.end' ? `end ${act.code}` : act.type
}

const crash = [backoffPassed, ready, ended(1)]
const silence = Array.from({ length: 6 }, (_, second) => look(second, 0))

const table: readonly { title: string; events: HeartEvent[]; acts: string[]; phase: HeartState['phase'] }[] = [
  { title: 'begins with a node', events: [], acts: ['node.spawn'], phase: 'starting' },
  { title: 'a node that is ready is up', events: [ready], acts: [], phase: 'up' },
  { title: 'code 0 ends the heart', events: [ready, ended(0)], acts: ['end 0'], phase: 'ended' },
  { title: 'code 0 before ready, too', events: [ended(0)], acts: ['end 0'], phase: 'ended' },
  { title: 'an error before ready ends the heart with it', events: [ended(3)], acts: ['end 3'], phase: 'ended' },
  {
    title: 'an error before ready of a second node ends it as well',
    events: [ready, ended(1), backoffPassed, ended(4)],
    acts: ['end 4'],
    phase: 'ended',
  },
  {
    title: 'an error once ready is waited for',
    events: [ready, ended(3)],
    acts: ['backoff.wait 100'],
    phase: 'waiting',
  },
  {
    title: 'a signal before ready is no error of the node',
    events: [ended(null, 'SIGKILL')],
    acts: ['backoff.wait 100'],
    phase: 'waiting',
  },
  {
    title: 'then the node is spawned',
    events: [ready, ended(3), backoffPassed],
    acts: ['node.spawn'],
    phase: 'starting',
  },
  {
    title: 'the pause doubles in a row',
    events: [ready, ended(1), ...crash, ...crash],
    acts: ['backoff.wait 400'],
    phase: 'waiting',
  },
  {
    title: 'up to its most',
    events: [ready, ended(1), ...crash, ...crash, ...crash, ...crash],
    acts: ['backoff.wait 1000'],
    phase: 'waiting',
  },
  {
    title: 'the jitter takes away up to half',
    events: [ready, ended(1, null, 1, 0.999_999)],
    acts: ['backoff.wait 50'],
    phase: 'waiting',
  },
  {
    title: 'a node that was up for long ends the row',
    events: [ready, ended(1), ...crash, backoffPassed, ready, ended(1, null, 10_000)],
    acts: ['backoff.wait 100'],
    phase: 'waiting',
  },
  {
    title: 'too many in a row end the heart with the code of the last',
    events: [ready, ended(1), ...crash, ...crash, ...crash, ...crash, backoffPassed, ready, ended(9)],
    acts: ['end 9'],
    phase: 'ended',
  },
  { title: 'a node without beats is killed', events: [ready, ...silence], acts: ['node.kill'], phase: 'killed' },
  { title: 'in start-up, too', events: silence, acts: ['node.kill'], phase: 'killed' },
  {
    title: 'and started again when it is dead',
    events: [ready, ...silence, ended(null, 'SIGKILL')],
    acts: ['backoff.wait 100'],
    phase: 'waiting',
  },
  { title: 'it is killed once', events: [ready, ...silence, look(7, 0)], acts: [], phase: 'killed' },
  {
    title: 'beats keep it alive',
    events: [ready, ...Array.from({ length: 60 }, (_, second) => look(second, second))],
    acts: [],
    phase: 'up',
  },
  {
    title: 'a starved node is left alone',
    events: [ready, ...Array.from({ length: 60 }, (_, second) => look(second, 0, second * 5))],
    acts: [],
    phase: 'up',
  },
  {
    title: 'a parent that slept draws no conclusion',
    events: [ready, look(0, 0, 0), look(60, 0, 60_000), look(61, 0, 61_000)],
    acts: [],
    phase: 'up',
  },
  { title: 'a signal is passed on', events: [ready, signal('SIGTERM')], acts: ['signal SIGTERM'], phase: 'up' },
  {
    title: 'after it no node is started again',
    events: [ready, signal('SIGHUP'), ended(null, 'SIGSEGV')],
    acts: ['end 139'],
    phase: 'ended',
  },
  {
    title: 'a node that ends of it before it listens has stopped as asked',
    events: [signal('SIGTERM'), ended(null, 'SIGTERM')],
    acts: ['end 0'],
    phase: 'ended',
  },
  {
    title: 'not so one that dies of something else',
    events: [signal('SIGTERM'), ended(null, 'SIGSEGV')],
    acts: ['end 139'],
    phase: 'ended',
  },
  {
    title: 'nor one that is ended at once',
    events: [signal('SIGINT'), signal('SIGINT', 100), ended(null, 'SIGINT')],
    acts: ['end 130'],
    phase: 'ended',
  },
  {
    title: 'the second SIGINT is passed on with a grace',
    events: [ready, signal('SIGINT'), signal('SIGINT', 100)],
    acts: ['signal SIGINT', 'grace.wait 500'],
    phase: 'up',
  },
  {
    title: 'the echo of a SIGINT is none',
    events: [ready, signal('SIGINT'), signal('SIGINT', 99)],
    acts: [],
    phase: 'up',
  },
  {
    title: 'SIGTERM and SIGINT are no two SIGINTs',
    events: [ready, signal('SIGTERM'), signal('SIGINT')],
    acts: ['signal SIGINT'],
    phase: 'up',
  },
  {
    title: 'a node that is there after the grace is killed',
    events: [ready, signal('SIGINT'), signal('SIGINT', 100), { type: 'grace.passed' }],
    acts: ['node.kill'],
    phase: 'killed',
  },
  {
    title: 'a signal while no node runs ends the heart cleanly',
    events: [ready, ended(1), signal('SIGINT')],
    acts: ['end 0'],
    phase: 'ended',
  },
  {
    title: 'nothing follows the end',
    events: [ready, ended(0), signal('SIGTERM')],
    acts: [],
    phase: 'ended',
  },
  {
    title: 'and the node is not started after all',
    events: [ready, ended(1), signal('SIGINT'), backoffPassed],
    acts: [],
    phase: 'ended',
  },
]

for (const { title, events, acts, phase } of table) {
  t.test(title, async t => {
    const step = after(...events)
    t.same(step.acts, acts)
    t.equal(step.state.phase, phase)
  })
}

t.test('the beats of one node are not held against the next', async t => {
  const { state } = after(ready, ...silence.slice(0, 5), ended(1), backoffPassed, look(5, 0))
  t.equal(state.phase, 'starting')
})

t.test('an end is told as a shell does', async t => {
  t.equal(exitCodeOf({ code: 7, signal: null }), 7)
  t.equal(exitCodeOf({ code: null, signal: 'SIGKILL' }), 137)
  t.equal(exitCodeOf({ code: null, signal: null }), 1, 'it could not be spawned')
})
