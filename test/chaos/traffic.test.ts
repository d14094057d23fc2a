import t from 'tap'
import { child } from '../../src/actors/runtime/child.ts'
import { createVirtualClock } from '../../src/actors/runtime/clock.ts'
import { delayedMax } from '../../src/chaos/traffic.ts'
import { internalsOf } from '../../src/supervisor/system.ts'
import { notebook } from './fixtures/notebook.ts'
import { read, readUntil, startSystem } from './fixtures/start.ts'

const write = (line: string) => ({ type: 'notebook.write', line }) as const
const lost = { fate: 'lost', reason: 'dropped by chaos' }

t.test('messages from one address to another are lost as long as that lasts, and each is a dead letter', async t => {
  const { system, chaos } = await startSystem(t, { shards: 0 })
  const a = await system.spawn(notebook, { id: 'a' })
  const b = await system.spawn(notebook, { id: 'b' })
  const pass = (line: string) => a.send({ type: 'notebook.pass', to: 'b', line })
  const drop = await chaos.drop({ from: a, to: b })
  pass('1')
  b.send(write('from elsewhere'))
  await read(a)
  t.same(await read(b), ['from elsewhere'])
  t.match(await system.deadLetters(), {
    counts: { lost: 1 },
    letters: [{ from: 'a', to: 'b', type: 'notebook.write', ...lost }],
  })
  await drop.release()
  pass('2')
  await read(a)
  t.same(await read(b), ['from elsewhere', '2'])
})

t.test('a drop of so many messages loses those and no more, and requests run into their deadline', async t => {
  const clock = createVirtualClock()
  const { system, chaos } = await startSystem(t, { shards: 0, clock })
  const b = await system.spawn(notebook, { id: 'b' })
  await chaos.drop({ from: null, to: b, count: 2 })
  const asked = b.ask({ type: 'notebook.read' }, { timeoutMs: 100 })
  const rejected = t.rejects(asked, { code: 'ASK_TIMEOUT', handled: /^no$/ })
  b.send(write('1'))
  b.send(write('2'))
  t.same(await read(b), ['2'])
  t.equal(internalsOf(system).kernel.intercept, undefined, 'a drop that is used up costs nothing any more')
  await clock.advance(100)
  await rejected
  t.match(await system.deadLetters(), { counts: { lost: 2 }, letters: [{ type: 'notebook.read', ...lost }, lost] })
})

t.test('a ratio loses about that part, the same messages for the same seed', async t => {
  const arrived = async (seed: number) => {
    const { system, chaos } = await startSystem(t, { shards: 0 })
    const b = await system.spawn(notebook, { id: 'b' })
    const drop = await chaos.drop({ from: null, to: b, ratio: 0.25, seed })
    for (let i = 0; i < 400; i++) b.send(write(String(i)))
    await drop.release()
    return read(b)
  }
  const lines = await arrived(5)
  t.ok(lines.length > 260 && lines.length < 340, `${lines.length} of 400 came through`)
  t.same(await arrived(5), lines)
  t.notSame(await arrived(6), lines)
})

t.test('what is delayed comes later, in order, and what is left goes at once when the delay is lifted', async t => {
  const clock = createVirtualClock()
  const { system, chaos } = await startSystem(t, { shards: 0, clock })
  const b = await system.spawn(notebook, { id: 'b' })
  const now = async () => ((await b.inspect())!.context as { lines: string[] }).lines
  const slow = await chaos.delay({ from: null, to: b, delayMs: 100 })
  b.send(write('1'))
  await clock.advance(60)
  const slower = await chaos.delay({ from: null, to: b, delayMs: 1_000 })
  b.send(write('2'))
  await clock.advance(39)
  t.same(await now(), [])
  await clock.advance(1)
  t.same(await now(), ['1'])
  await slow.release()
  await slow.release()
  b.send(write('3'))
  await clock.advance(999)
  t.same(await now(), ['1'], 'delays add up')
  await clock.advance(1)
  t.same(await now(), ['1', '2'], 'what would be due first waits for what was sent before')
  await slower.release()
  b.send(write('4'))
  await clock.advance(0)
  t.same(await now(), ['1', '2', '3', '4'])
  t.equal(clock.pending, 0)
  t.equal(internalsOf(system).kernel.intercept, undefined)
})

t.test('so many messages wait for a delay, and one more is refused', async t => {
  const clock = createVirtualClock()
  const { system, chaos } = await startSystem(t, { shards: 0, clock })
  const b = await system.spawn(notebook, { id: 'b' })
  const delay = await chaos.delay({ from: null, to: b, delayMs: 100 })
  for (let i = 0; i <= delayedMax; i++) b.send(write(String(i)))
  t.match(await system.deadLetters(), { counts: { refused: 1 }, letters: [{ fate: 'refused', reason: 'OVERLOADED' }] })
  await chaos.drop({ from: null, to: b })
  await delay.release()
})

t.test('between two shards messages are lost and delayed where they are sent', async t => {
  const { system, chaos } = await startSystem(t, { shards: 2 })
  const a = await system.spawn(notebook, { id: 'a', shard: 0 })
  const b = await system.spawn(notebook, { id: 'b', shard: 1 })
  const pass = (line: string) => a.send({ type: 'notebook.pass', to: 'b', line })
  await chaos.drop({ from: a, to: b, count: 1 })
  const delay = await chaos.delay({ from: a, to: b, delayMs: 60_000 })
  for (const line of ['1', '2', '3']) pass(line)
  await read(a)
  t.same(await read(b), [])
  await delay.release()
  pass('4')
  t.same(await readUntil(b, '4'), ['2', '3', '4'])
  t.match(await system.deadLetters(), {
    counts: { lost: 1 },
    letters: [{ from: 'a', to: 'b', shard: undefined, ...lost }],
  })
})

t.test('what a supervisor hears of its children is never interfered with', async t => {
  const { system, chaos } = await startSystem(t, { shards: 0 })
  const children = [child(notebook, { id: 'leaf' })]
  await system.supervise({ id: 'tree', strategy: 'one_for_one', children })
  await chaos.drop({ from: 'tree/leaf', to: 'tree' })
  t.match(await chaos.kill('tree/leaf'), { incarnation: 1 })
  t.same(await read(system.ref(notebook, 'tree/leaf')), [])
  t.match(await chaos.kill('tree/leaf'), { incarnation: 2 })
})
