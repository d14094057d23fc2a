/** Who waits in the middle of the replacement of a worker, and what becomes of them if it fails or the system stops. */
import t from 'tap'
import { child } from '../../../src/actors/runtime/child.ts'
import { createChaos } from '../../../src/chaos/chaos.ts'
import type { Fact } from '../../../src/messages/thread/fact.ts'
import { createSystem, internalsOf, type System } from '../../../src/supervisor/system.ts'
import { counter } from '../fixtures/counter.ts'
import { collectFacts, quiet, turn } from '../fixtures/local-system.ts'
import { inTime } from '../fixtures/sharded-system.ts'

t.setTimeout(180_000)

type State = Extract<Fact, { kind: 'shard' }>['state']

/** A system of two shards, each with actors, and the states of shard 0 as they are told. */
async function start() {
  const system = await createSystem({ shards: 2, logger: quiet })
  for (let n = 0; n < 10; n++) {
    await system.spawn(counter, { id: `c${n}`, input: { from: n }, shard: n % 2 })
  }
  const children = [0, 1].map(shard => child(counter, { id: `${shard}`, input: { from: 0 }, shard }))
  await system.supervise({ id: 'wide', intensity: 100, children })
  const { facts, ready, until } = collectFacts(system, ['shard'])
  await ready
  const told = (state: State, times = 1) =>
    until(
      () =>
        facts.filter(fact => fact.kind === 'shard' && fact.address === 'shard/0' && fact.state === state).length ===
        times,
    )
  return { system, facts, told }
}

/** All that can be asked of the system for the sake of shard 0; the traffic that is dropped begins there. */
function verbs(system: System) {
  const chaos = createChaos(system)
  const there = system.ref(counter, 'c0')
  const wide = system.supervisor('wide')
  const facts = system.inspect()
  const onShard0 = { input: { from: 0 }, shard: 0 }
  return {
    ask: () => there.ask({ type: 'counter.read' }, inTime),
    spawn: () => system.spawn(counter, { id: 'new', ...onShard0 }),
    'spawn everywhere': () => system.spawn(counter, { id: 'every', input: { from: 0 }, shard: 'every' }),
    'supervise there': () => system.supervise({ id: 'narrow', children: [child(counter, { id: 'a', ...onShard0 })] }),
    'supervise across': () =>
      system.supervise({
        id: 'across',
        children: [0, 1].map(shard => child(counter, { id: `${shard}`, input: { from: 0 }, shard })),
      }),
    inspect: () => there.inspect(),
    kill: () => system.kill('c2'),
    stopActor: () => system.stopActor('c4'),
    watch: () => new Promise(resolve => system.watch('c6', resolve)),
    tree: () => system.tree(),
    deadLetters: () => system.deadLetters(),
    facts: () => facts.ready,
    startChild: () => wide.startChild(child(counter, { id: 'more', ...onShard0 })),
    terminateChild: () => wide.terminateChild('0'),
    whichChildren: () => wide.whichChildren(),
    rollingRestart: () => system.rollingRestart(),
    'chaos kill': () => chaos.kill('c6'),
    'chaos crash': () => chaos.crash('c8', 'throw'),
    'chaos pause': () => chaos.pause('c8').then(pause => pause.release()),
    'chaos drop': () => chaos.drop({ from: 'c0', to: 'c1' }),
    'chaos kill of the shard': () => chaos.kill({ shard: 0 }),
    'chaos stall of the shard': () => chaos.stall({ shard: 0 }, 1).then(({ over }) => over),
    'chaos pause of the shard': () => chaos.pause({ shard: 0 }).then(pause => pause.release()),
  }
}

/** Begins all of them; `waiting` are those that have not settled. */
function beginAll(calls: Record<string, () => Promise<unknown>>) {
  const waiting = new Set(Object.keys(calls))
  const outcomes = Object.entries(calls).map(async ([name, call]) => {
    try {
      await call()
      return { name, code: undefined }
    } catch (error) {
      return { name, code: (error as { code?: unknown }).code ?? error }
    } finally {
      waiting.delete(name)
    }
  })
  return { waiting, outcomes: Promise.all(outcomes) }
}

function killShard0(system: System): void {
  void internalsOf(system).shards!.worker(0)!.terminate({ type: 'killed' })
}

/** Whose last word is not that its worker is gone. */
function notEnded(facts: readonly Fact[]): string[] {
  const last = new Map<string, string>()
  for (const fact of facts) if (fact.kind === 'shard') last.set(fact.address, fact.state)
  return [...last].filter(([, state]) => state !== 'stopped' && state !== 'lost').map(pair => pair.join(' '))
}

const moments: Record<string, (running: Awaited<ReturnType<typeof start>>) => Promise<unknown>> = {
  'while the thread ends': async ({ system }) => killShard0(system),
  'when the death is told': async ({ system, told }) => {
    killShard0(system)
    await told('lost')
  },
  'while the next one is activated': async ({ system, told }) => {
    killShard0(system)
    await told('starting')
  },
  'while no spare is loaded': async ({ system, told }) => {
    killShard0(system)
    await told('up')
    killShard0(system)
    await told('starting', 2)
  },
  'while its actors start': async ({ system, told }) => {
    killShard0(system)
    await told('up')
  },
}

/** A stop waits for the trees that start, and so for the shard to come up: what else waits has to settle without. */
const starts = /^spawn everywhere|across|startChild|terminateChild/

for (const [name, moment] of Object.entries(moments)) {
  for (const withTrees of [true, false]) {
    const what = withTrees ? 'trees that start' : 'all others'
    t.test(`stopped ${name} it ends cleanly, and tells who waits: ${what}`, async t => {
      const running = await start()
      const { system, facts } = running
      await moment(running)
      const calls = Object.entries(verbs(system)).filter(([verb]) => starts.test(verb) === withTrees)
      const { waiting, outcomes } = beginAll(Object.fromEntries(calls))
      await system.stop()
      await turn()
      t.same([...waiting], [], 'all have settled')
      for (const { name, code } of await outcomes)
        if (code !== undefined) t.match(code, /SHUTTING_DOWN|ACTOR_DIED|NO_SUCH_ACTOR|SHARD_DIED/, name)
      t.same(notEnded(facts), [])
      const { kernel, shards } = internalsOf(system)
      t.equal(kernel.asks.size, 0)
      t.same(
        [0, 1].map(shard => shards!.worker(shard)),
        [undefined, undefined],
      )
      await t.rejects(shards!.control(0), { code: 'SHUTTING_DOWN' })
    })
  }
}

t.test('who waits for a shard is served by the first worker that comes up, however many are lost before', async t => {
  const running = await start()
  const { system, told } = running
  t.teardown(() => system.stop())
  killShard0(system)
  await told('lost')
  // Without those that would cost the shard, what a worker that is lost may have in hand, and what waits for an end.
  const { ask: _ask, watch: _watch, rollingRestart: _rolling, ...calls } = verbs(system)
  const { outcomes } = beginAll(
    Object.fromEntries(Object.entries(calls).filter(([name]) => !name.endsWith('of the shard'))),
  )
  for (const times of [1, 2, 3]) {
    await told('starting', times)
    killShard0(system)
  }
  for (const { name, code } of await outcomes) t.equal(code, undefined, name)
  t.match(await system.supervisor('across').whichChildren(), [{ state: 'running' }, { state: 'running' }])
})

t.test('a rolling restart waits for a shard that is lost on its way up', async t => {
  const { system, told } = await start()
  t.teardown(() => system.stop())
  killShard0(system)
  await told('lost')
  const rolling = system.rollingRestart()
  await told('starting')
  killShard0(system)
  await rolling
  t.equal(await system.ref(counter, 'c0').ask({ type: 'counter.read' }, inTime), 0)
})
