import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import { type Logger, pino } from 'pino'
import t from 'tap'
import { child, type Placement } from '../../../src/actors/runtime/child.ts'
import type { ActorExit } from '../../../src/messages/thread/exit.ts'
import { createSystem, internalsOf } from '../../../src/supervisor/system.ts'
import { closer } from '../fixtures/closer.ts'
import { counter } from '../fixtures/counter.ts'
import { collectFacts, exitOf, quiet } from '../fixtures/local-system.ts'
import { meter } from '../fixtures/meter.ts'
import { lastOfAll, ledger } from '../fixtures/shard-subject.ts'
import { createNumbers, inTime, killShard, startSharded } from '../fixtures/sharded-system.ts'
import { refuses } from '../fixtures/starts.ts'
import { subject } from '../fixtures/subject.ts'

t.setTimeout(120_000)

t.test('a supervisor of the main thread restarts its children on every shard together', async t => {
  const system = await startSharded(t)
  const children = [0, 1].map(shard => child(counter, { id: `${shard}`, input: { from: shard }, shard }))
  const tree = await system.supervise({ id: 'tree', strategy: 'one_for_all', intensity: 2, children })
  const exits = [exitOf(system, 'tree/0'), exitOf(system, 'tree/1')]
  system.ref(counter, 'tree/0').send({ type: 'counter.crash' })
  t.match(await Promise.all(exits), [
    { reason: { type: 'threw' }, shard: 0 },
    { reason: { type: 'shutdown' }, shard: 1 },
  ])
  t.equal(await system.ref(counter, 'tree/1').ask({ type: 'counter.read' }, inTime), 1)
  const lost = [exitOf(system, 'tree/0'), exitOf(system, 'tree/1')]
  for (const id of ['tree/0', 'tree/1']) await system.ref(counter, id).ask({ type: 'counter.read' }, inTime)
  await killShard(system, 1)
  t.match(await Promise.all(lost), [
    { incarnation: 2, reason: { type: 'shutdown' } },
    { incarnation: 2, reason: { type: 'killed' }, shardLoss: { shard: 1, incarnation: 1 } },
  ])
  t.equal(await system.ref(counter, 'tree/1').ask({ type: 'counter.read' }, inTime), 1)
  t.match(await tree.whichChildren(), [
    { id: '0', state: 'running', actor: { incarnation: 3, place: { shard: 0 } } },
    { id: '1', state: 'running', actor: { incarnation: 3, place: { shard: 1 } } },
  ])
  await tree.stop()
  t.same(await system.tree(), [])
})

t.test(
  'a dynamic supervisor on the main thread has children on every thread, one on a shard has them there',
  async t => {
    const system = await startSharded(t)
    const start = (id: string, shard?: Placement) =>
      child(counter, { id, input: { from: 0 }, ...(shard === undefined ? {} : { shard }) })
    const spread = await system.supervise({ id: 'spread', dynamic: true, shard: 'main' })
    for (const [n, shard] of (['main', 0, 1] as const).entries()) await spread.startChild(start(`${n}`, shard))
    const there = await system.supervise({ id: 'there', dynamic: true, shard: 1 })
    await there.startChild(start('a'))
    await t.rejects(there.startChild(start('b', 0)), {
      code: 'BAD_SPEC',
      message: /it lives with its supervisor, on shard 1/,
    })
    await t.rejects(there.startChild({ id: 'c', children: [], shard: 'main' }), { code: 'BAD_SPEC' })
    await spread.startChild({ id: 'inner', dynamic: true, shard: 1 })
    // One on shard 0, three on shard 1 so far.
    for (const id of ['x', 'y', 'z']) await spread.startChild(start(id))
    t.same(
      (await system.tree()).map(({ address, shard }) => [address, shard]),
      [
        ['spread', -1],
        ['spread/0', -1],
        ['spread/1', 0],
        ['spread/2', 1],
        ['spread/inner', 1],
        ['spread/x', 0],
        ['spread/y', 0],
        ['spread/z', 0],
        ['there', 1],
        ['there/a', 1],
      ],
    )
  },
)

t.test("'every' lives once a shard, and { with } beside another", async t => {
  const system = await startSharded(t)
  await system.spawn(counter, { id: 'all', input: { from: 0 }, shard: 'every' })
  t.match(await system.tree({ under: 'all' }), [
    { address: 'all', shard: -1, kind: 'supervisor' },
    { address: 'all/s0', shard: 0 },
    { address: 'all/s1', shard: 1 },
  ])
  await system.spawn(counter, { id: 'beside', input: { from: 0 }, shard: { with: 'all/s1' } })
  t.match(await system.ref(counter, 'beside').inspect(), { shard: 1 })
  await t.rejects(system.spawn(counter, { id: 'x', input: { from: 0 }, shard: { with: 'nobody' } }), {
    code: 'BAD_SPEC',
  })
})

t.test(
  'an actor goes on from its checkpoint over the death of its shard, alone, in a tree, and across shards',
  async t => {
    const system = await startSharded(t)
    const snapshot = child(meter, { id: 'm', restore: 'snapshot', shard: 0 })
    await system.spawn(meter, { id: 'm', restore: 'snapshot', shard: 0 })
    await system.supervise({ id: 'tree', intensity: 5, children: [snapshot] })
    await system.supervise({
      id: 'wide',
      intensity: 5,
      children: [snapshot, child(meter, { id: 'far', shard: 1 })],
    })
    const meters = ['m', 'tree/m', 'wide/m'].map(address => system.ref(meter, address))
    for (const m of meters) {
      m.send({ type: 'meter.add' })
      t.match(await m.ask({ type: 'meter.read' }, inTime), { count: 1 })
    }
    const { ready, until } = collectFacts(system, ['spawned'])
    await ready
    for (let round = 1; round <= 2; round++) {
      await killShard(system, 0)
      for (const m of meters)
        t.match(await m.ask({ type: 'meter.read' }, inTime), { count: 1 }, `${m.address} ${round}`)
    }
    const spawned = await until(fact => fact.kind === 'spawned' && fact.address === 'm')
    t.ok(spawned.kind === 'spawned' && spawned.restored!.ageMs >= 0)
  },
)

t.test('groups are the same on every thread, and who died with its shard has left', async t => {
  const system = await startSharded(t)
  const a = await system.spawn(subject, { id: 'a', shard: 0, restart: 'temporary' })
  const b = await system.spawn(subject, { id: 'b', shard: 1 })
  const group = system.group('g')
  a.send({ type: 'subject.join', group: 'g' })
  await a.ask({ type: 'subject.echo', text: '' }, inTime)
  group.join(b)
  t.same(group.members(), ['a', 'b'])
  const ended = exitOf(system, a)
  await killShard(system, 0)
  await ended
  t.same(group.members(), ['b'])
})

t.test('a chart of one shard watches an actor of another: its own end, or that of its shard', async t => {
  const system = await startSharded(t)
  const watcher = await system.spawn(subject, { id: 'w', shard: 1 })
  const victim = await system.spawn(subject, { id: 'v', shard: 0 })
  const exitsHeard = () => watcher.ask({ type: 'subject.exits' }, inTime)
  for (const [heard, end] of (['crash', 'shard'] as const).entries()) {
    watcher.send({ type: 'subject.watch', address: 'v' })
    // Comes behind the watch.
    watcher.send({ type: 'subject.send', to: 'v', text: 'watched' })
    while (!(await victim.ask({ type: 'subject.notes' }, inTime)).includes('watched'));
    const ended = exitOf(system, victim)
    if (end === 'crash') victim.send({ type: 'subject.crash' })
    else await killShard(system, 0)
    await ended
    while ((await exitsHeard()).length === heard);
    await victim.ask({ type: 'subject.echo', text: '' }, inTime)
  }
  watcher.send({ type: 'subject.watch', address: 'nobody' })
  let exits: readonly ActorExit[] = []
  while (exits.length < 3) exits = await exitsHeard()
  t.match(exits, [
    { address: 'v', incarnation: 1, reason: { type: 'threw' } },
    { address: 'v', incarnation: 2, reason: { type: 'killed' }, shardLoss: { shard: 0 } },
    { address: 'nobody', reason: { type: 'noproc' } },
  ])
})

t.test('a rolling restart keeps the actors, holds their messages and costs no restart budget', async t => {
  const system = await startSharded(t)
  const numbers = createNumbers()
  const l = await system.spawn(ledger, { id: 'l', input: { numbers }, shard: 0 })
  const m = await system.spawn(meter, { id: 'm', restore: 'snapshot', shard: 1 })
  m.send({ type: 'meter.add' })
  await m.ask({ type: 'meter.read' }, inTime)
  const rolling = system.rollingRestart()
  for (let n = 0; n < 10; n++) l.send({ type: 'ledger.take', n })
  await rolling
  t.equal(await l.ask({ type: 'ledger.read' }, inTime), 10)
  t.match(await m.ask({ type: 'meter.read' }, inTime), { count: 1 })
  t.match(
    (await system.tree()).map(({ incarnation }) => incarnation),
    [2, 2],
  )
  const supervisor = internalsOf(system).kernel.entries.get('$shards')!.cell!.engine!.context as { restarts: number[] }
  t.same(supervisor.restarts, [])
})

t.test(
  'in a rolling restart the children of trees end as they ask to, last first, and cost their trees nothing',
  async t => {
    const system = await startSharded(t)
    const numbers = createNumbers()
    const children = [
      child(closer, { id: 'first', input: { number: 1, numbers }, shard: 0 }),
      child(refuses, { id: 'stubborn', shard: 0, shutdown: 1 }),
      child(closer, { id: 'last', input: { number: 2, numbers }, shard: 0 }),
      child(closer, {
        id: 'other',
        input: { number: 3, numbers },
        shard: 1,
        backoff: { initialMs: 60_000, maxMs: 60_000 },
      }),
    ]
    const tree = await system.supervise({ id: 'tree', strategy: 'one_for_all', intensity: 0, children })
    await system.rollingRestart()
    t.same([...new Int32Array(numbers).subarray(0, 4)], [3, 2, 1, 3])
    t.match(await tree.whichChildren(), Array(4).fill({ state: 'running', actor: { incarnation: 2 } }))
    t.match(await system.tree({ under: 'tree', limit: 1 }), [{ address: 'tree', incarnation: 1 }])
  },
)

t.test('when the shards have spent their budget the system says so, and what waits for them is settled', async t => {
  const system = await startSharded(t)
  const { kernel } = internalsOf(system)
  const supervisor = kernel.entries.get('$shards')!.cell!.engine!.context as { restarts: number[] }
  // As if 29 had been spent in this moment.
  supervisor.restarts.push(...Array.from({ length: 29 }, () => kernel.clock.now()))
  const c = await system.spawn(counter, { id: 'c', input: { from: 0 }, shard: 0 })
  await killShard(system, 0)
  t.equal(await c.ask({ type: 'counter.read' }, inTime), 0, 'the thirtieth')
  await killShard(system, 0)
  t.match(await system.failed, { code: 'SHARD_DIED', details: { reason: 'killed', shard: 0 } })
  await t.rejects(system.spawn(counter, { id: 'd', input: { from: 0 }, shard: 1 }), { code: 'SHARD_DIED' })
  await t.rejects(c.ask({ type: 'counter.read' }, inTime), { code: 'SHARD_DIED', handled: /^no$/ })
  t.match(await exitOf(system, c), { address: 'c', reason: { type: 'noproc' } })
})

t.test('a planned replacement outlives workers that fail on their way up', async t => {
  const system = await startSharded(t)
  const shards = internalsOf(system).shards!
  const c = await system.spawn(counter, { id: 'c', input: { from: 3 }, shard: 0 })
  let failures = 0
  const facts = system.inspect({ kinds: ['shard'], under: 'shard/0' })
  await facts.ready
  const killing = (async () => {
    for await (const fact of facts) {
      if (fact.kind !== 'shard' || fact.state !== 'starting') continue
      await shards.worker(0)?.terminate({ type: 'killed' })
      if (++failures === 5) return
    }
  })()
  await system.rollingRestart()
  await killing
  t.equal(failures, 5)
  t.equal(await c.ask({ type: 'counter.read' }, inTime), 3)
})

t.test('who watches after the system has stopped hears of no actor', async t => {
  const system = await startSharded(t)
  await system.spawn(counter, { id: 'c', input: { from: 3 }, shard: 0 })
  await system.stop()
  t.match(await exitOf(system, 'c'), { address: 'c', reason: { type: 'noproc' } })
})

/** A logger of the user, and its lines as they come. */
function createLog(): { logger: Logger; lines: AsyncIterator<string> } {
  const out = new PassThrough()
  return { logger: pino({ level: 'warn' }, out), lines: createInterface(out)[Symbol.asyncIterator]() }
}

t.test('the last lines that a dying worker logged arrive at the logger of the user', async t => {
  const { logger, lines } = createLog()
  const system = await startSharded(t, { logger })
  const l = await system.spawn(ledger, { id: 'l', input: { numbers: createNumbers(1) }, shard: 0 })
  for (let i = 0; i < 100; i++) l.send({ type: 'ledger.say', text: `line ${i}` })
  l.send({ type: 'ledger.say', text: 'the very last' })
  l.send({ type: 'ledger.exit', code: 4 })
  for (let i = 0; i < 100; i++) {
    const { value } = await lines.next()
    t.match(JSON.parse(value), { msg: 'last words', said: `line ${i}` })
  }
  const { value } = await lines.next()
  t.match(JSON.parse(value), { said: 'the very last', shard: 0, actor: 'l', incarnation: 1, level: 40 })
})

t.test('of a crash is told in the order in which it came, also by a worker that ends in the same moment', async t => {
  const { logger, lines } = createLog()
  const system = await startSharded(t, { logger })
  const l = await system.spawn(ledger, { id: 'l', input: { numbers: createNumbers(1) }, shard: 0 })
  l.send({ type: 'ledger.crash' })
  await l.ask({ type: 'ledger.read' }, inTime).catch(() => {})
  l.send({ type: 'ledger.say', text: 'I am back' })
  const last = await system.spawn(lastOfAll, { id: 'last', shard: 0 })
  last.send({ type: 'last.fail' })
  for (const line of [
    { msg: 'child.terminated', child: 'l' },
    { msg: 'last words', said: 'I am back' },
    { msg: 'child.terminated', child: 'last', err: { message: 'the last crash' } },
  ]) {
    const { value } = await lines.next()
    t.match(JSON.parse(value), line)
  }
})

t.test('an error on a shard is logged with its class and its stack, whichever thread writes the line', async t => {
  const { logger, lines } = createLog()
  const system = await startSharded(t, { logger })
  const input = { numbers: createNumbers(1) }
  // The supervisor of the first lives on its shard, that of the others on the main thread.
  const alone = await system.spawn(ledger, { id: 'alone', input, shard: 0 })
  const children = [0, 1].map(shard => child(ledger, { id: `${shard}`, input, shard }))
  await system.supervise({ id: 'tree', strategy: 'one_for_one', intensity: 1, children })
  for (const ref of [alone, system.ref(ledger, 'tree/1')]) {
    ref.send({ type: 'ledger.crash' })
    const { value } = await lines.next()
    const { msg, err } = JSON.parse(value)
    t.equal(msg, 'child.terminated')
    t.match(err, { type: 'Torn', message: 'crashed', stack: /^RangeError: crashed\n +at .*shard-subject\.ts/ })
  }
})

t.test('facts of all threads come filtered at their source; a lost shard tells what its actors did last', async t => {
  const system = await startSharded(t)
  const kinds = ['spawned', 'exit', 'shard', 'link', 'deadLetter'] as const
  const { facts, ready, until } = collectFacts(system, kinds)
  const other = system.inspect({ under: 'quiet' })
  await Promise.all([ready, other.ready])
  const c = await system.spawn(counter, { id: 'c', input: { from: 0 }, shard: 0 })
  await c.ask({ type: 'counter.read' }, inTime)
  c.send({ type: 'counter.crash' })
  await until(fact => fact.kind === 'exit' && fact.address === 'c' && fact.shard === 0)
  await c.ask({ type: 'counter.read' }, inTime)
  await killShard(system, 0)
  const lost = await until(fact => fact.kind === 'shard' && fact.state === 'lost')
  t.match(lost, { address: 'shard/0', incarnation: 1, reason: { type: 'killed' } })
  t.match(lost.kind === 'shard' && lost.lastEvents?.filter(({ address }) => address === 'c'), [
    { type: 'counter.read', incarnation: 1, sequence: 0 },
    { type: 'counter.crash', incarnation: 1, sequence: 1 },
    { type: 'counter.read', incarnation: 2, sequence: 0 },
  ])
  await until(fact => fact.kind === 'shard' && fact.state === 'up' && fact.incarnation === 2)
  const edge = await until(fact => fact.kind === 'link' && fact.link === 'edge' && !fact.up && fact.shard === -1)
  t.ok(edge.kind === 'link' && edge.account!.sent >= 3)
  t.ok(facts.every(fact => kinds.includes(fact.kind as never)))
  other.close()
  for await (const fact of other) t.fail(`nobody is called quiet: ${fact.address}`)
})

t.test('wrong options are refused', async t => {
  for (const options of [{ shards: -1 }, { shards: 1.5 }, { deadLettersMax: -1 }, { stalledAfterMs: 0 }]) {
    await t.rejects(createSystem({ logger: quiet, ...options }), { code: 'BAD_CONFIG' })
  }
})
