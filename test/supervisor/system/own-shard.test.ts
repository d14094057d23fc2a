/** Actors that have a shard of their own: it comes with them and goes with them. */
import t from 'tap'
import { child } from '../../../src/actors/runtime/child.ts'
import type { Fact } from '../../../src/messages/thread/fact.ts'
import { createSystem, internalsOf, type System } from '../../../src/supervisor/system.ts'
import { counter } from '../fixtures/counter.ts'
import { collectFacts, quiet } from '../fixtures/local-system.ts'
import { inTime, killShard, startSharded } from '../fixtures/sharded-system.ts'
import { refuses, throwsInInit } from '../fixtures/starts.ts'

t.setTimeout(120_000)

type ShardFact = Extract<Fact, { kind: 'shard' }>

async function start(t: Parameters<typeof startSharded>[0]) {
  const system = await startSharded(t)
  const { facts, ready, until } = collectFacts(system, ['shard'])
  await ready
  const states = (shard: number) =>
    facts.flatMap(fact => (fact.kind === 'shard' && fact.address === `shard/${shard}` ? [fact.state] : []))
  /** Settles when a shard has gone through these, and no other, states. */
  const through = async (shard: number, ...wanted: ShardFact['state'][]) => {
    await until(() => states(shard).length >= wanted.length)
    t.same(states(shard), wanted)
  }
  /** Settles when a shard was told to be in a state, and more often than `before`. */
  const told = (shard: number, state: ShardFact['state'], before = 0) =>
    until(() => states(shard).filter(each => each === state).length > before)
  return { system, through, told }
}

async function shardsOf(system: System): Promise<Record<string, number>> {
  return Object.fromEntries((await system.tree()).map(({ address, shard }) => [address, shard]))
}

const own = { input: { from: 7 }, shard: 'own' } as const
const read = (system: System, address: string) => system.ref(counter, address).ask({ type: 'counter.read' }, inTime)

t.test('an actor has a shard that nobody else comes to live on, and that ends with it', async t => {
  const { system, through } = await start(t)
  await system.spawn(counter, { id: 'a', ...own })
  await through(2, 'starting', 'up')
  for (let n = 0; n < 6; n++) await system.spawn(counter, { id: `n${n}`, input: { from: n } })
  t.match(await shardsOf(system), { a: 2, n0: 0, n1: 1, n2: 0, n3: 1, n4: 0, n5: 1 })
  t.equal(system.shards, 2)
  t.equal(await read(system, 'a'), 7)
  await system.stopActor('a')
  await through(2, 'starting', 'up', 'stopped')
  t.equal(internalsOf(system).shards!.worker(2), undefined)
  await t.rejects(read(system, 'a'), { code: 'NO_SUCH_ACTOR' })
})

t.test('the place of one that has ended is used again', async t => {
  const { system, through } = await start(t)
  for (const id of ['a', 'b']) await system.spawn(counter, { id, ...own })
  t.match(await shardsOf(system), { a: 2, b: 3 })
  await system.stopActor('a')
  await through(2, 'starting', 'up', 'stopped')
  // The slot is free when the supervisor of shards has forgotten its child.
  const count = () => internalsOf(system).kernel.ask(null, '$shards', { type: 'supervisor.countChildren' }, inTime)
  while (((await count()) as { specs: number }).specs > 3);
  await system.spawn(counter, { id: 'c', ...own })
  t.match(await shardsOf(system), { b: 3, c: 2 })
  t.equal(await read(system, 'c'), 7)
  t.equal(internalsOf(system).shards!.incarnation(2), 2)
})

t.test('it comes back with its shard', async t => {
  const { system, through } = await start(t)
  await system.spawn(counter, { id: 'a', ...own })
  await killShard(system, 2)
  t.equal(await read(system, 'a'), 7)
  await through(2, 'starting', 'up', 'lost', 'starting', 'up')
  await system.rollingRestart()
  t.equal(await read(system, 'a'), 7)
  await through(2, 'starting', 'up', 'lost', 'starting', 'up', 'stopped', 'starting', 'up')
})

t.test('a child of a tree has one, and the tree lives on the main thread', async t => {
  const { system, through } = await start(t)
  const children = [child(counter, { id: 'own', ...own }), child(counter, { id: 'else', input: { from: 1 }, shard: 1 })]
  const tree = await system.supervise({ id: 'tree', children })
  t.match(await shardsOf(system), { tree: -1, 'tree/own': 2, 'tree/else': 1 })
  await killShard(system, 2)
  t.equal(await read(system, 'tree/own'), 7)
  await tree.terminateChild('own')
  await through(2, 'starting', 'up', 'lost', 'starting', 'up', 'stopped')
  await tree.restartChild('own')
  t.equal(await read(system, 'tree/own'), 7)
  t.ok((await shardsOf(system))['tree/own']! >= 2)
  await tree.startChild(child(counter, { id: 'later', ...own }))
  t.equal(await read(system, 'tree/later'), 7)
  await tree.stop()
})

t.test('a tree has one for itself and all its children', async t => {
  const { system, through } = await start(t)
  const children = ['a', 'b'].map(id => child(counter, { id, input: { from: 1 } }))
  const tree = await system.supervise({ id: 'tree', shard: 'own', children })
  t.match(await shardsOf(system), { tree: 2, 'tree/a': 2, 'tree/b': 2 })
  await tree.stop()
  await through(2, 'starting', 'up', 'stopped')
  await t.rejects(system.supervise({ id: 'tree', shard: 'own', children: [child(counter, { id: 'a', ...own })] }), {
    code: 'BAD_SPEC',
    message: /is own, but its supervisor lives on a shard of its own/,
  })
})

t.test('one that cannot start leaves no shard', async t => {
  const { system, through } = await start(t)
  await t.rejects(system.spawn(throwsInInit, { id: 'a', shard: 'own' }))
  await through(2, 'starting', 'up', 'stopped')
  await t.rejects(system.spawn(counter, { id: 'b', ...own, input: { from: (() => 1) as never } }), {
    code: 'NOT_CLONABLE',
  })
  t.same(internalsOf(system).shards!.open(), [0, 1])
})

type Moment = 'at once' | 'while another is replaced' | 'while it ends' | 'while it comes back'

const moments: Readonly<Record<Moment, readonly [shard: number, state: ShardFact['state']] | undefined>> = {
  'at once': undefined,
  'while another is replaced': [0, 'stopped'],
  'while it ends': [1, 'up'],
  'while it comes back': [2, 'starting'],
}

for (const [moment, when] of Object.entries(moments)) {
  t.test(
    `an actor that is stopped in a rolling restart, ${moment}, ends with its shard, and costs nobody else`,
    async t => {
      const { system, told } = await start(t)
      // It takes its time to end.
      await system.spawn(refuses, { id: 'a', shard: 'own', shutdown: 300 })
      await told(2, 'up')
      const rolling = system.rollingRestart()
      if (when !== undefined) await told(...when, when[0] === 2 ? 1 : 0)
      await system.stopActor('a')
      await rolling
      // The slot is given back when its worker has ended.
      await told(2, 'stopped')
      await system.spawn(counter, { id: 'b', ...own })
      t.equal(await read(system, 'b'), 7)
      t.same(internalsOf(system).shards!.open().length, 3)
      await system.rollingRestart()
      t.equal(await read(system, 'b'), 7)
    },
  )
}

t.test('an actor that ends by itself in a rolling restart does not hold it up', async t => {
  const { system, told } = await start(t)
  await system.spawn(counter, { id: 'a', ...own, restart: 'transient' })
  const rolling = system.rollingRestart()
  await told(0, 'stopped')
  system.ref(counter, 'a').send({ type: 'counter.finish' })
  await rolling
  await told(2, 'stopped')
  t.same(internalsOf(system).shards!.open(), [0, 1])
})

t.test('one whose first worker is killed before it is up comes up on the next', async t => {
  const { system, told } = await start(t)
  const spawned = system.spawn(counter, { id: 'a', ...own })
  await told(2, 'starting')
  await internalsOf(system).shards!.worker(2)!.terminate({ type: 'killed' })
  await spawned
  t.equal(await read(system, 'a'), 7)
  const again = system.spawn(counter, { id: 'b', ...own })
  again.catch(() => {})
  await told(3, 'starting')
  for (let n = 1; n <= 3; n++) {
    await internalsOf(system).shards!.worker(3)?.terminate({ type: 'killed' })
    await told(3, 'lost', n - 1)
    if (n < 3) await told(3, 'starting', n)
  }
  await t.rejects(again, { code: 'START_FAILED' })
  t.equal(await system.kill('b'), false)
})

t.test('a system that is stopped while one starts stops, and says so', async t => {
  const system = await createSystem({ shards: 1, logger: quiet })
  const started = t.rejects(system.spawn(counter, { id: 'a', ...own }), { code: 'SHUTTING_DOWN' })
  await system.stop()
  await started
})

t.test('without shards it lives where all do', async t => {
  const system = await createSystem({ shards: 0, logger: quiet })
  await system.spawn(counter, { id: 'a', ...own })
  t.match(await shardsOf(system), { a: -1 })
  await system.stopActor('a')
  await system.stop()
})
