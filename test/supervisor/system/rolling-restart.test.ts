/** What may come between a rolling restart and its end: another one, the death of a shard, the end of the system. */
import t from 'tap'
import { child } from '../../../src/actors/runtime/child.ts'
import type { Fact } from '../../../src/messages/thread/fact.ts'
import { internalsOf, type System } from '../../../src/supervisor/system.ts'
import { counter } from '../fixtures/counter.ts'
import { collectFacts } from '../fixtures/local-system.ts'
import { inTime, startSharded } from '../fixtures/sharded-system.ts'
import { refuses } from '../fixtures/starts.ts'

t.setTimeout(180_000)

type ShardFact = Extract<Fact, { kind: 'shard' }>

/** Two shards with an actor each, and what shard 0 goes through. */
async function start(t: Parameters<typeof startSharded>[0]) {
  const system = await startSharded(t)
  for (const shard of [0, 1]) await system.spawn(counter, { id: `c${shard}`, input: { from: shard }, shard })
  const { facts, ready, until } = collectFacts(system, ['shard'])
  await ready
  const states = (shard: number) =>
    facts.flatMap(fact => (fact.kind === 'shard' && fact.address === `shard/${shard}` ? [fact.state] : []))
  const told = (state: ShardFact['state']) => until(() => states(0).includes(state))
  return { system, states, told }
}

async function serves(system: System): Promise<unknown> {
  return Promise.all([0, 1].map(n => system.ref(counter, `c${n}`).ask({ type: 'counter.read' }, inTime)))
}

t.test('a second rolling restart waits for the end of the first', async t => {
  const { system, states } = await start(t)
  const first = system.rollingRestart()
  t.equal(system.rollingRestart(), first)
  await first
  for (const shard of [0, 1]) t.same(states(shard), ['stopped', 'starting', 'up'])
  await system.rollingRestart()
  t.same(states(0), ['stopped', 'starting', 'up', 'stopped', 'starting', 'up'], 'a later one is another one')
  t.same(await serves(system), [0, 1])
})

t.test('a shard that is replaced by two at once is up for both, and costs the system nothing', async t => {
  const { system } = await start(t)
  const shards = internalsOf(system).shards!
  await Promise.all([shards.replace(0), shards.replace(0), shards.replace(0)])
  t.same(await serves(system), [0, 1])
})

for (const state of ['stopped', 'starting', 'up'] as const) {
  t.test(`a shard that is killed when a rolling restart has it ${state} comes back all the same`, async t => {
    const { system, told } = await start(t)
    const rolling = system.rollingRestart()
    await told(state)
    await internalsOf(system).shards!.worker(0)?.terminate({ type: 'killed' })
    await rolling
    t.same(await serves(system), [0, 1])
  })

  t.test(`a system that is stopped when a rolling restart has a shard ${state} stops`, async t => {
    const { system, told } = await start(t)
    const rolling = t.rejects(system.rollingRestart(), { code: 'SHUTTING_DOWN' })
    await told(state)
    await system.stop()
    await rolling
    await t.rejects(system.rollingRestart(), { code: 'SHUTTING_DOWN' })
  })
}

t.test('a rolling restart goes on when the next shard is killed before its turn', async t => {
  const { system, states } = await start(t)
  const rolling = system.rollingRestart()
  await internalsOf(system).shards!.worker(1)!.terminate({ type: 'killed' })
  await rolling
  t.same(states(1), ['lost', 'starting', 'up', 'stopped', 'starting', 'up'])
  t.same(await serves(system), [0, 1])
})

for (const verb of ['stop', 'kill'] as const) {
  t.test(`a tree that ends in a rolling restart (${verb}) does not hold it up`, async t => {
    const { system, told } = await start(t)
    const children = [0, 1].map(shard => child(counter, { id: `${shard}`, input: { from: 0 }, shard }))
    const tree = await system.supervise({ id: 'tree', children })
    const rolling = system.rollingRestart()
    await told('stopped')
    await (verb === 'stop' ? tree.stop() : system.kill('tree'))
    await rolling
    t.same(await serves(system), [0, 1])
  })
}

t.test('an actor that is stopped while a rolling restart drains its shard ends, and does not come back', async t => {
  const system = await startSharded(t)
  await system.spawn(refuses, { id: 'slow', shard: 0, shutdown: 300 })
  await system.spawn(counter, { id: 'c', input: { from: 0 }, shard: 0 })
  const { ready, until, facts } = collectFacts(system, ['exit'])
  await ready
  const rolling = system.rollingRestart()
  // Right to left: when this one has ended, its shard waits for the other.
  await until(() => facts.some(({ address }) => address === 'c'))
  await system.stopActor('slow')
  await rolling
  t.match(await system.tree(), [{ address: 'c' }])
})
