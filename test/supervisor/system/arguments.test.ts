/** Whoever calls with a wrong argument is told which one, by a StarfishError, and nothing is done. */
import t, { type Test } from 'tap'
import { child, createSystem, createVirtualClock, systemClock } from '../../../src/index.ts'
import { counter } from '../fixtures/counter.ts'
import { exitOf, quiet, startLocal } from '../fixtures/local-system.ts'
import { subject } from '../fixtures/subject.ts'

/** Calls as a program does that no compiler has looked at. */
const wrong = (value: unknown) => value as never

async function local(t: Test) {
  const { system } = await startLocal(t)
  const ref = await system.spawn(counter, { id: 'c', input: { from: 0 } })
  return { system, ref, untouched: async () => t.match(await ref.inspect(), { context: { count: 0 } }) }
}

const noTexts = [undefined, null, 7, '', {}, [], { address: 7 }, { address: '' }]
const noEvents = [undefined, null, 7, 'counter.add', {}, { type: 7 }]

t.test('an address that is none', async t => {
  const { system } = await local(t)
  for (const value of noTexts) {
    const target = wrong(value)
    const said = (call: string) => ({ code: 'BAD_CONFIG', details: { call, option: 'target' } })
    await t.rejects(system.kill(target), said('kill'))
    await t.rejects(system.stopActor(target), said('stopActor'))
    t.throws(() => system.watch(target, () => {}), said('watch'))
    t.throws(() => system.group('g').join(target), said('join'))
    t.throws(() => system.group('g').leave(target), said('leave'))
    t.throws(() => system.ref(counter, target), { code: 'BAD_CONFIG', details: { option: 'address' } })
    t.throws(() => system.supervisor(target), { code: 'BAD_CONFIG', details: { option: 'address' } })
    t.throws(() => system.group(target), { code: 'BAD_CONFIG', details: { option: 'name' } })
  }
  for (const definition of [undefined, null, 'counter', {}])
    t.throws(() => system.ref(wrong(definition), 'c'), { code: 'BAD_CONFIG', details: { option: 'definition' } })
  t.throws(() => system.watch('c', wrong(undefined)), { code: 'BAD_CONFIG', message: /listener is undefined/ })
})

t.test('an address that is too long, and an id', async t => {
  const { system } = await local(t)
  const longest = `${'a/'.repeat(2_047)}ab`
  const long = `${longest}c`
  const said = (option: string) => ({ code: 'BAD_CONFIG', message: /is 4097 characters long/, details: { option } })
  t.throws(() => system.ref(counter, long), said('address'))
  t.throws(() => system.supervisor(long), said('address'))
  t.throws(() => system.watch(long, () => {}), said('target'))
  t.throws(() => system.group('g').join(long), said('target'))
  await t.rejects(system.kill(long), said('target'))
  await t.rejects(system.stopActor(long), said('target'))
  const tooLong = (path: string) => ({ code: 'BAD_SPEC', details: { reasons: [{ path, reason: /4097/ }] } })
  await t.rejects(system.spawn(counter, { id: long, input: { from: 0 } }), tooLong('id'))
  const children = [child(counter, { id: long.replaceAll('/', '.'), input: { from: 0 } })]
  await t.rejects(system.supervise({ id: 'top', children }), tooLong('children[0].id'))
  await system.spawn(counter, { id: longest, input: { from: 0 } })
  t.match(await system.ref(counter, longest).inspect(), { address: longest })
})

t.test('an event that is none', async t => {
  const { system, ref, untouched } = await local(t)
  for (const value of noEvents) {
    const event = wrong(value)
    const said = (call: string) => ({ code: 'BAD_CONFIG', details: { call, option: 'event' } })
    t.throws(() => ref.send(event), said('send'))
    t.throws(() => ref.sendAfter(event, 1), said('sendAfter'))
    t.throws(() => system.group('g').broadcast(event), said('broadcast'))
    await t.rejects(ref.ask(event, { timeoutMs: 5 }), { ...said('ask'), handled: /^no$/ })
  }
  await untouched()
})

t.test('a delay or a deadline that is none', async t => {
  const { ref, untouched } = await local(t)
  for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '5', undefined, null]) {
    t.throws(() => ref.sendAfter({ type: 'counter.finish' }, wrong(ms)), {
      code: 'BAD_CONFIG',
      details: { call: 'sendAfter', option: 'delayMs' },
    })
    await t.rejects(ref.ask({ type: 'counter.read' }, { timeoutMs: wrong(ms) }), {
      code: 'BAD_CONFIG',
      message: /^ask: timeoutMs of counter\.read to c is /,
      details: { call: 'ask', option: 'timeoutMs' },
      handled: /^no$/,
    })
  }
  for (const options of [undefined, null, {}, 500])
    await t.rejects(ref.ask({ type: 'counter.read' }, wrong(options)), {
      code: 'BAD_CONFIG',
      message: 'ask: timeoutMs of counter.read to c is missing',
    })
  await t.rejects(ref.ask({ type: 'counter.read' }, { timeoutMs: 5, signal: wrong(true) }), {
    code: 'BAD_CONFIG',
    details: { option: 'signal' },
  })
  await untouched()
})

t.test('an id that is no string', async t => {
  const { system } = await local(t)
  const tree = await system.supervise({ id: 'tree' })
  for (const id of [null, 7, '', {}, () => {}]) {
    for (const call of ['terminateChild', 'restartChild', 'deleteChild', 'childSpec', 'whichChildren'] as const)
      await t.rejects(Promise.resolve<unknown>(tree[call](wrong(id))), {
        code: 'BAD_CONFIG',
        details: { call, option: 'id' },
      })
  }
  for (const call of ['terminateChild', 'restartChild', 'deleteChild', 'childSpec'] as const)
    await t.rejects(Promise.resolve<unknown>(tree[call](wrong(undefined))), { code: 'BAD_CONFIG', details: { call } })
})

t.test('a spec that is none, or has options that nobody knows', async t => {
  const { system } = await local(t)
  const tree = await system.supervise({ id: 'tree' })
  for (const value of [undefined, null, 7, 'x', []]) {
    await t.rejects(system.supervise(wrong(value)), { code: 'BAD_SPEC' })
    await t.rejects(tree.startChild(wrong(value)), { code: 'BAD_SPEC' })
  }
  for (const value of [undefined, null, 7, 'x']) {
    await t.rejects(system.spawn(counter, wrong(value)), { code: 'BAD_SPEC' })
    await t.rejects(system.spawn(wrong(value) as typeof counter, { id: 'x', input: { from: 0 } }), {
      code: 'BAD_SPEC',
      details: { reasons: [{ path: 'definition' }] },
    })
  }
  for (const shard of ['auto', 'every'] as const)
    await t.rejects(system.spawn(counter, wrong({ id: 'x', input: { from: 0 }, restrat: 'transient', shard })), {
      code: 'BAD_SPEC',
      message: 'bad specification: restrat is not known: did you mean restart?',
    })
  await t.rejects(system.spawn(counter, wrong({ id: 'x', input: { from: 0 }, significant: true })), {
    code: 'BAD_SPEC',
  })
  t.same(
    (await system.tree()).map(({ address }) => address),
    ['c', 'tree'],
  )
})

t.test('a definition in the place of a specification, and a backoff beyond the budget of spawn', async t => {
  const { system } = await local(t)
  const wrap = 'is the definition counter: wrap it in child(counter, { id: … })'
  await t.rejects(system.supervise({ id: 'tree', children: [wrong(counter)] }), {
    code: 'BAD_SPEC',
    message: `bad specification: children[0] ${wrap}`,
  })
  await t.rejects(system.supervise(wrong(counter)), { message: `bad specification: it ${wrap}` })
  const tree = await system.supervise({ id: 'tree' })
  await t.rejects(tree.startChild(wrong(counter)), { code: 'BAD_SPEC', message: `bad specification: it ${wrap}` })
  const backoff = { initialMs: 10_000, maxMs: 10_000 }
  await t.rejects(system.spawn(counter, { id: 'x', input: { from: 0 }, backoff }), {
    message: /its budget is 3 restarts in 5000 ms, but .*\. That budget is fixed: use supervise, with an intensity/,
  })
  const slow = child(counter, { id: 'x', input: { from: 0 }, backoff })
  await t.rejects(system.supervise({ id: 'slow', children: [slow] }), { message: /pass at least$/ })
})

t.test('ids that would not make an address', async t => {
  const { system } = await local(t)
  for (const id of ['', '/', 'a/', '/a', 'a//b', '$a', 'a/$b']) {
    const said = { code: 'BAD_SPEC', details: { reasons: [{ path: 'id' }] } }
    await t.rejects(system.spawn(counter, { id, input: { from: 0 } }), said, id)
    await t.rejects(system.supervise({ id }), said, id)
  }
  const ref = await system.spawn(counter, { id: 'counters/a', input: { from: 0 } })
  t.equal(ref.address, 'counters/a', 'at the top an address may have several ids')
})

t.test('pages of the tree and the stream of facts', async t => {
  const { system } = await local(t)
  for (const [query, option] of [
    [7, ''],
    [{ undre: 'c' }, 'undre'],
    [{ under: 7 }, 'under'],
    [{ after: 7 }, 'after'],
    [{ limit: -1 }, 'limit'],
    [{ limit: 0.5 }, 'limit'],
  ] as const)
    await t.rejects(system.tree(wrong(query)), { code: 'BAD_CONFIG', details: { option } }, option)
  for (const [options, option] of [
    [null, ''],
    [{ kind: 'exit' }, 'kind'],
    [{ kinds: 'exit' }, 'kinds'],
    [{ kinds: ['exit', 'death'] }, 'kinds[1]'],
    [{ under: 7 }, 'under'],
    [{ bufferMax: 0 }, 'bufferMax'],
  ] as const)
    t.throws(() => system.inspect(wrong(options)), { code: 'BAD_CONFIG', details: { option } }, option)
})

t.test('options of a system', async t => {
  for (const [options, option] of [
    [{ shards: -1 }, 'shards'],
    [{ shards: 1.5 }, 'shards'],
    [{ shards: '2' }, 'shards'],
    [{ deadLettersMax: -1 }, 'deadLettersMax'],
    [{ stalledAfterMs: 0 }, 'stalledAfterMs'],
    [{ shardHeapMb: 0 }, 'shardHeapMb'],
    [{ shardHeapMb: '64' }, 'shardHeapMb'],
    [{ clock: {} }, 'clock'],
    [{ clock: null }, 'clock'],
    [{ clock: createVirtualClock(), shards: 1 }, 'clock'],
    [{ clock: createVirtualClock() }, 'clock'],
    [{ random: 7 }, 'random'],
    [{ logger: console.log }, 'logger'],
    [{ logger: null }, 'logger'],
    [{ shard: 2 }, 'shard'],
    [{ stalledAfter: 2 }, 'stalledAfter'],
  ] as const) {
    const wanted = { code: 'BAD_CONFIG', details: { option } }
    await t.rejects(createSystem(wrong({ logger: quiet, ...options })), wanted, JSON.stringify(options))
  }
  await t.rejects(createSystem(wrong({ stalledAfter: 2, shrads: 1 })), {
    message:
      'bad options of createSystem: stalledAfter is not known: did you mean stalledAfterMs?; ' +
      'shrads is not known: did you mean shards?',
  })
  await t.rejects(createSystem(wrong({ shard: 2 })), {
    message: 'bad options of createSystem: shard is not known: did you mean shards?',
  })
  await t.rejects(createSystem({ shards: 1, clock: createVirtualClock() }), {
    message: 'bad options of createSystem: clock is virtual, which goes with shards: 0',
  })
  await using system = await createSystem({ shards: 1, clock: { ...systemClock }, logger: quiet })
  t.equal(system.shards, 1, 'another clock that runs by itself is taken')
  for (const options of [null, 4, 'x']) await t.rejects(createSystem(wrong(options)), { code: 'BAD_CONFIG' })
})

t.test('a chart that hands over a wrong argument ends by it, and its exit names the culprit', async t => {
  const { system } = await startLocal(t)
  for (const [event, option] of [
    [{ type: 'subject.send', to: '', text: 'x' }, 'to'],
    [{ type: 'subject.sendAfter', to: 's', text: 'x', delayMs: -1 }, 'delayMs'],
    [{ type: 'subject.watch', address: '' }, 'address'],
  ] as const) {
    const s = await system.spawn(subject, { id: 's', restart: 'temporary' })
    const exit = exitOf(system, s)
    s.send(event)
    t.match(await exit, { reason: { type: 'threw', error: { code: 'BAD_CONFIG', details: { option } } } })
  }
  for (const id of ['', 'a/b', '$a']) {
    const s = await system.spawn(subject, { id: 's', restart: 'temporary' })
    const exit = exitOf(system, s)
    s.send({ type: 'subject.spawn', id })
    t.match(await exit, {
      reason: { type: 'threw', error: { code: 'BAD_SPEC', details: { reasons: [{ path: 'id' }] } } },
    })
  }
})
