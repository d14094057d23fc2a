/** What it costs when code blocks its thread: the actors of that thread, and no others. */
import t from 'tap'
import { createChaos } from '../../../src/chaos/index.ts'
import { counter } from '../fixtures/counter.ts'
import { turn } from '../fixtures/local-system.ts'
import { feeder, ledger } from '../fixtures/shard-subject.ts'
import { createNumbers, inTime, numbersIn, startSharded } from '../fixtures/sharded-system.ts'
import { subject } from '../fixtures/subject.ts'

t.setTimeout(120_000)

t.test('while a shard is blocked the others serve, and what is sent to it waits', async t => {
  const system = await startSharded(t, { stalledAfterMs: 120_000 })
  const blocked = await system.spawn(subject, { id: 'blocked', shard: 0 })
  const free = await system.spawn(counter, { id: 'free', input: { from: 5 }, shard: 1 })
  await blocked.ask({ type: 'subject.echo', text: '' }, inTime)
  const pause = await createChaos(system).pause({ shard: 0 })
  blocked.send({ type: 'subject.note', text: 'sent meanwhile' } as never)
  t.equal(await free.ask({ type: 'counter.read' }, inTime), 5)
  await pause.release()
  t.same(await blocked.ask({ type: 'subject.notes' }, inTime), ['sent meanwhile'])
  t.match(await blocked.inspect(), { incarnation: 1 })
})

t.test('a request to a blocked shard keeps its deadline, and is not handled afterwards', async t => {
  const system = await startSharded(t, { stalledAfterMs: 120_000 })
  const s = await system.spawn(subject, { id: 's', shard: 0 })
  await s.ask({ type: 'subject.echo', text: '' }, inTime)
  const pause = await createChaos(system).pause({ shard: 0 })
  const asked = s.ask({ type: 'subject.note', text: 'too late' }, { timeoutMs: 50 })
  await t.rejects(asked, { code: 'ASK_TIMEOUT', handled: /^no$/ })
  await pause.release()
  t.same(await s.ask({ type: 'subject.notes' }, inTime), [])
})

t.test('while the main thread is blocked the shards go on, with each other and with their restarts', async t => {
  const system = await startSharded(t)
  const numbers = createNumbers()
  const l = await system.spawn(ledger, { id: 'l', input: { numbers }, shard: 0 })
  const f = await system.spawn(feeder, { id: 'f', shard: 1 })
  // From here on shard 1 knows where the ledger is, which it had to ask the main thread.
  f.send({ type: 'feeder.send', to: 'l', from: 0, count: 1 })
  while (numbersIn(numbers).length === 0) await l.ask({ type: 'ledger.read' }, inTime)
  f.send({ type: 'feeder.crash', to: 'l' })
  f.send({ type: 'feeder.send', to: 'l', from: 1, count: 9_000 })
  await turn()
  const untilMs = performance.now() + 60_000
  while (numbersIn(numbers).at(-1) !== 9_000 && performance.now() < untilMs);
  t.equal(numbersIn(numbers).at(-1), 9_000)
  t.match(await l.inspect(), { incarnation: 2 })
})
