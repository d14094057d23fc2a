import t from 'tap'
import { child } from '../../../src/actors/runtime/child.ts'
import type { ActorExit } from '../../../src/messages/thread/exit.ts'
import { createSystem, internalsOf } from '../../../src/supervisor/system.ts'
import { counter } from '../fixtures/counter.ts'
import { exitsAtTop } from '../fixtures/exits-at-top.ts'
import { exitOf, quiet } from '../fixtures/local-system.ts'
import { feeder, homeless, impostor, keeper, ledger, misnamed, nester } from '../fixtures/shard-subject.ts'
import { createNumbers, inTime, killShard, numbersIn, startSharded } from '../fixtures/sharded-system.ts'
import { hangs } from '../fixtures/starts.ts'
import { subject } from '../fixtures/subject.ts'
import { throwsAtTop } from '../fixtures/throws-at-top.ts'

t.setTimeout(120_000)

t.test('an actor of a shard is sent to, asked, inspected, watched and killed as one of the main thread', async t => {
  const system = await startSharded(t)
  const c = await system.spawn(counter, { id: 'c', input: { from: 1 }, shard: 1 })
  c.send({ type: 'counter.add', by: 2 })
  t.equal(await c.ask({ type: 'counter.read' }, inTime), 3)
  t.match(await c.inspect(), { shard: 1, context: { count: 3 }, value: 'counting' })
  t.match(await system.tree(), [{ address: 'c', shard: 1 }])
  const ended = exitOf(system, c)
  c.send({ type: 'counter.crash' })
  t.match(await ended, {
    address: 'c',
    definition: 'counter',
    incarnation: 1,
    shard: 1,
    reason: { type: 'threw', error: { message: 'told to crash', code: 'E_TOLD' } },
    lastEvents: [{ type: 'counter.add', event: { by: 2 } }, {}, {}],
  })
  t.equal(await c.ask({ type: 'counter.read' }, inTime), 1, 'it restarted afresh')
  const killed = exitOf(system, c)
  t.equal(await system.kill(c), true)
  t.match(await killed, { incarnation: 2, reason: { type: 'killed' } })
  const rejected = exitOf(system, c)
  c.send({ type: 'counter.reject' })
  t.match(await rejected, { incarnation: 3, reason: { type: 'unhandledRejection', error: { name: 'RangeError' } } })
  t.equal(await system.kill('nobody'), false)
  await system.stopActor(c)
  await t.rejects(c.ask({ type: 'counter.read' }, inTime), { code: 'NO_SUCH_ACTOR', handled: /^no$/ })
  await system.spawn(counter, { id: 'c', input: { from: 9 }, shard: 0 })
  t.equal(await c.ask({ type: 'counter.read' }, inTime), 9, 'the same address on another shard')
})

const deaths = [
  ['an action that exits', { type: 'exited', code: 7 }],
  ['a kill of the worker', { type: 'killed' }],
] as const

for (const [name, reason] of deaths) {
  t.test(`${name} costs the shard: its asks, watchers and messages hear of it, and it comes back`, async t => {
    const system = await startSharded(t)
    const s = await system.spawn(subject, { id: 's', shard: 0 })
    const other = await system.spawn(counter, { id: 'other', input: { from: 5 }, shard: 1 })
    const exits: ActorExit[] = []
    system.watch(s, exit => exits.push(exit))
    await s.ask({ type: 'subject.echo', text: 'there' }, inTime)
    const kept = s.ask({ type: 'subject.keep' }, inTime)
    const waiting = s.ask({ type: 'subject.job', text: 'x' }, inTime)
    const details = { address: 's', shard: 0, reason: reason.type }
    const settled = Promise.all([
      t.rejects(kept, { code: 'ACTOR_DIED', handled: 'unknown', details }),
      t.rejects(waiting, { code: 'ACTOR_DIED', handled: /^no$/, details }),
    ])
    await s.ask({ type: 'subject.echo', text: 'they are there too' }, inTime)
    const ended = exitOf(system, s)
    if (reason.type === 'exited') s.send({ type: 'subject.exit', code: reason.code })
    else void killShard(system, 0)
    t.match(await ended, {
      address: 's',
      definition: 'subject',
      incarnation: 1,
      shard: 0,
      reason,
      shardLoss: { shard: 0, incarnation: 1 },
    })
    await settled
    t.equal(await s.ask({ type: 'subject.echo', text: 'again' }, inTime), 'again')
    t.match(await s.inspect(), { incarnation: 2, shard: 0 })
    t.equal(await other.ask({ type: 'counter.read' }, inTime), 5, 'the other shard noticed nothing')
    t.equal(exits.length, 1)
    t.equal(internalsOf(system).kernel.asks.size, 0)
    t.match(
      exits[0]!.lastEvents.map(({ type }) => type).slice(0, 4),
      ['subject.echo', 'subject.keep', 'subject.job', 'subject.echo'],
      'the black box survived',
    )
  })
}

t.test('what is sent while a shard is away waits and comes first, in order, to actors and to trees', async t => {
  const system = await startSharded(t)
  const numbers = createNumbers()
  const l = await system.spawn(ledger, { id: 'l', input: { numbers }, shard: 0 })
  const inTree = createNumbers()
  await system.supervise({
    id: 'tree',
    children: [child(ledger, { id: 'l', input: { numbers: inTree }, shard: 0 })],
  })
  await l.ask({ type: 'ledger.read' }, inTime)
  await killShard(system, 0)
  for (let n = 0; n < 100; n++) {
    l.send({ type: 'ledger.take', n })
    system.ref(ledger, 'tree/l').send({ type: 'ledger.take', n })
  }
  t.equal(await l.ask({ type: 'ledger.read' }, inTime), 100)
  t.equal(await system.ref(ledger, 'tree/l').ask({ type: 'ledger.read' }, inTime), 100)
  const expected = Array.from({ length: 100 }, (_, n) => n)
  t.same(numbersIn(numbers), expected)
  t.same(numbersIn(inTree), expected)
  t.same((await system.deadLetters()).letters, [])
})

t.test('messages from shard to shard stay in order over the deaths of the receiver', async t => {
  const system = await startSharded(t)
  const numbers = createNumbers()
  const l = await system.spawn(ledger, { id: 'l', input: { numbers }, shard: 0 })
  const f = await system.spawn(feeder, { id: 'f', shard: 1 })
  for (let round = 0; round < 4; round++) {
    const before = exitOf(system, l)
    f.send({ type: 'feeder.send', to: 'l', from: round * 1_000, count: 500 })
    f.send({ type: 'feeder.send', to: 'l', from: round * 1_000 + 500, count: 500 })
    await f.ask({ type: 'feeder.done' }, inTime)
    if (round < 3) {
      await killShard(system, 0)
      await before
    }
  }
  while (!numbersIn(numbers).includes(3_999)) await l.ask({ type: 'ledger.read' }, inTime)
  const taken = numbersIn(numbers)
  t.same(
    taken,
    [...taken].sort((a, b) => a - b),
    'never an earlier one after a later one',
  )
  t.equal(new Set(taken).size, taken.length, 'none twice')
  t.same(taken.slice(-1), [3_999])
})

t.test('what cannot be copied is refused by name: messages, replies, inputs', async t => {
  const system = await startSharded(t)
  const k = await system.spawn(keeper, { id: 'k', shard: 0 })
  const unclonable = { type: 'keeper.tell', value: () => {} } as never
  await t.rejects(k.ask(unclonable, inTime), {
    code: 'NOT_CLONABLE',
    handled: /^no$/,
    details: { address: 'k', type: 'keeper.tell' },
    message: /k.*cannot be copied to another thread: \(\) => \{\} could not be cloned/,
  })
  k.send({ type: 'keeper.take', value: () => {} })
  t.equal(await k.ask({ type: 'keeper.tell' }, inTime), 1, 'what was sent with it arrived')
  t.match((await system.deadLetters()).letters, [
    { to: 'k', type: 'keeper.take', fate: 'refused', reason: 'NOT_CLONABLE' },
  ])
  k.send({ type: 'keeper.take', value: 2 })
  await t.rejects(k.ask({ type: 'keeper.tell' }, inTime), { code: 'NOT_CLONABLE', handled: 'unknown' })
  const input = { numbers: (() => {}) as never }
  await t.rejects(system.spawn(ledger, { id: 'l', input }), {
    code: 'NOT_CLONABLE',
    message: /^the input of l cannot be copied to another thread: \(\) => \{\} could not be cloned/,
    details: { id: 'l' },
  })
  for (const shard of ['auto', 'main'] as const) {
    const children = [
      child(ledger, { id: 'l', input, shard: 0 }),
      child(counter, { id: 'c', input: { from: 0 }, shard }),
    ]
    await t.rejects(system.supervise({ id: 'tree', children }), { code: 'NOT_CLONABLE' })
  }
})

t.test('a definition that no worker could load is refused before anything starts', async t => {
  const system = await startSharded(t)
  for (const [definition, text] of [
    [homeless, /cannot be loaded/],
    [misnamed, /has no export missing/],
    [impostor, /another definition/],
  ] as const) {
    await t.rejects(system.spawn(definition as typeof homeless, { id: 'x' }), {
      code: 'DEFINITION_NOT_FOUND',
      message: text,
    })
  }
  const children = [child(misnamed, { id: 'x' })]
  await t.rejects(system.supervise({ children }), { code: 'DEFINITION_NOT_FOUND' })
  t.same(await system.tree(), [])
})

t.test('without shards any placement is the calling thread, and a definition is taken as it is', async t => {
  await using system = await createSystem({ shards: 0, logger: quiet })
  await system.spawn(misnamed, { id: 'a', shard: 9 })
  await system.spawn(impostor, { id: 'b', shard: { with: 'nobody' } })
  t.same(
    (await system.tree()).map(({ address, shard }) => [address, shard]),
    [
      ['a', -1],
      ['b', -1],
    ],
  )
})

t.test('no system can be created inside a shard, not even one without shards', async t => {
  const system = await startSharded(t)
  await t.rejects(system.spawn(nester, { id: 'n', shard: 0 }), { code: 'SHARD_IN_WORKER' })
})

t.test('a spec that names a shard which is not there is refused, and costs a running supervisor nothing', async t => {
  const system = await startSharded(t)
  await t.rejects(system.spawn(counter, { id: 'c', input: { from: 0 }, shard: 2 }), { code: 'BAD_SPEC' })
  const children = [0, 1].map(shard => child(counter, { id: `${shard}`, input: { from: shard }, shard }))
  const tree = await system.supervise({ id: 'tree', children })
  const far = child(counter, { id: 'far', input: { from: 0 }, shard: 7 })
  await t.rejects(tree.startChild(far), { code: 'BAD_SPEC' })
  t.match(await tree.countChildren(), { active: 2 })
})

t.test('the children of a chart live on its thread, the main thread too', async t => {
  const system = await startSharded(t)
  for (const shard of ['main', 0, 1] as const) {
    const id = `s-${shard}`
    const s = await system.spawn(subject, { id, shard })
    s.send({ type: 'subject.spawn', id: 'kid' })
    await s.ask({ type: 'subject.notes' }, inTime)
    const kid = await system.ref(counter, `${id}/kid`).ask({ type: 'counter.read' }, inTime)
    t.equal(kid, 0)
    t.match(await system.tree({ under: id }), [
      { address: id },
      { address: `${id}/kid`, shard: shard === 'main' ? -1 : shard },
    ])
  }
})

t.test('the error of a start that is lost with a shard names both, and why, whatever worker it was', async t => {
  const system = await startSharded(t)
  for (const shard of [1, 0, 1]) {
    const address = `h${shard}`
    const spawned = t.rejects(system.spawn(hangs, { id: address, shard, initTimeoutMs: 60_000 }), {
      code: 'START_FAILED',
      message: `${address} could not be started: shard ${shard} ended: killed`,
      details: { address, shard, reason: { type: 'killed' } },
    })
    while (!(await system.tree()).some(summary => summary.address === address));
    await killShard(system, shard)
    await spawned
    await internalsOf(system).shards!.control(shard)
  }
  const code = 'START_FAILED'
  const why = 'ended: exited with code 4'
  await t.rejects(system.spawn(exitsAtTop, { id: 'e', shard: 0 }), {
    code,
    message: `e could not be started: shard 0 ${why}`,
  })
  const children = [child(exitsAtTop, { id: 'e', shard: 1 })]
  await t.rejects(system.supervise({ id: 'tree', intensity: 0, children }), {
    code,
    message: `tree could not be started: shard 1 ${why}`,
  })
})

t.test('a definition whose module throws on its shard is told with what it threw', async t => {
  const system = await startSharded(t)
  await t.rejects(system.spawn(throwsAtTop, { id: 't', shard: 0 }), {
    code: 'DEFINITION_NOT_FOUND',
    message: /throws-at-top\.ts of the definition throwsAtTop cannot be loaded: not on a worker$/,
  })
})

for (const shards of [0, 1]) {
  t.test(`a start that is under way when the system stops is told as not started, with ${shards} shards`, async t => {
    const system = await createSystem({ shards, logger: quiet })
    const initTimeoutMs = 3_000
    const refusal = (id: string) => ({
      code: 'SHUTTING_DOWN',
      retryable: false,
      message: `${id} was not started: the system is stopping`,
      details: { address: id },
    })
    const starting = [
      t.rejects(system.spawn(hangs, { id: 'h', initTimeoutMs }), refusal('h')),
      t.rejects(
        system.supervise({ id: 'tree', children: [child(hangs, { id: 'h', initTimeoutMs })] }),
        refusal('tree'),
      ),
    ]
    while ((await system.tree()).filter(({ definition }) => definition === 'hangs').length < 2);
    await system.stop()
    await Promise.all(starting)
  })
}
