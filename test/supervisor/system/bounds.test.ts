/** What happens at the bounds that no smaller part has a test for. */
import t from 'tap'
import { exitOf, soon, startLocal, turn } from '../fixtures/local-system.ts'
import { inTime, startSharded } from '../fixtures/sharded-system.ts'
import { narrowSubject, subject } from '../fixtures/subject.ts'
import { ticker } from '../fixtures/ticker.ts'

t.test('an actor may have 10,000 delayed sends; one more is a failure of that actor', async t => {
  const { system } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's' })
  const later = (id?: string) =>
    s.send({ type: 'subject.sendAfter', to: 'nobody', text: '', delayMs: 1_000, ...(id === undefined ? {} : { id }) })
  later('named')
  for (let n = 1; n < 10_000; n++) {
    later()
    if (n % 500 === 0) await turn()
  }
  // One that is set anew takes no room of its own.
  later('named')
  await turn()
  t.match(await s.inspect(), { incarnation: 1 })
  const ended = exitOf(system, s)
  later()
  t.match(await ended, { reason: { type: 'threw', error: { code: 'OVERLOADED', details: { address: 's' } } } })
})

t.test('the references of a system may have 100,000 delayed sends, and none once it stops', async t => {
  const { system, clock } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's' })
  const later = () => s.sendAfter({ type: 'subject.open' }, 1_000)
  const takeBack = later()
  for (let n = 1; n < 100_000; n++) later()
  t.throws(later, { code: 'OVERLOADED', handled: /^no$/, details: { delayedSendsMax: 100_000 } })
  takeBack()
  later()
  t.equal(clock.pending, 100_000)
  const stopping = system.stop()
  later()
  t.equal(clock.pending, 0)
  await stopping
  later()()
  t.equal(clock.pending, 0)
  t.same((await system.deadLetters()).letters, [])
})

t.test('delayed sends without a name do not get in the way of each other', async t => {
  const { system, clock } = await startLocal(t)
  const to = await system.spawn(subject, { id: 'to' })
  await system.spawn(ticker, { id: 'ticker', input: { to: 'to' } })
  await clock.advance(100)
  t.same(await to.ask({ type: 'subject.notes' }, soon), ['1', '2', '3', '4', '5', '6', '7', '8'])
})

t.test('what was held goes to the next incarnation as far as its mailbox takes it', async t => {
  const { system, clock } = await startLocal(t)
  const s = await system.spawn(narrowSubject, { id: 's', backoff: { initialMs: 100, jitter: 0 } })
  const ended = exitOf(system, s)
  s.send({ type: 'subject.crash' })
  await ended
  const asked = ['1', '2', '3'].map(text => s.ask({ type: 'subject.note', text }, soon))
  const refused = t.rejects(asked[2]!, { code: 'MAILBOX_FULL', handled: /^no$/ })
  await clock.advance(100)
  t.same(await asked[1], ['1', '2'])
  await refused
})

t.test('whoever sent what gives way, though it was put aside, is told: on its thread, and from another', async t => {
  const system = await startSharded(t, { shards: 1 })
  for (const shard of ['main', 0] as const) {
    const id = `s-${shard}`
    const mailbox = { messagesMax: 2, overflow: 'drop_oldest' } as const
    const s = await system.spawn(subject, { id, shard, mailbox })
    const jobs = ['1', '2'].map(text => s.ask({ type: 'subject.job', text }, inTime))
    const refused = t.rejects(jobs[0]!, { code: 'MAILBOX_FULL', handled: /^no$/ })
    s.send({ type: 'subject.open' })
    await refused
    t.equal(await jobs[1], 'done 2')
  }
})
