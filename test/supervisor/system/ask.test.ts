import t from 'tap'
import { createEnvelope, localReceipts, type Refusal } from '../../../src/messages/thread/envelope.ts'
import { internalsOf } from '../../../src/supervisor/system.ts'
import { exitOf, soon, startLocal, turn } from '../fixtures/local-system.ts'
import { narrowSubject, subject } from '../fixtures/subject.ts'

t.test('an ask settles with the reply', async t => {
  const { system } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's' })
  t.equal(await s.ask({ type: 'subject.echo', text: 'hello' }, soon), 'hello')
  t.equal(internalsOf(system).kernel.asks.size, 0)
})

t.test('a request that times out while it waits in the mailbox was certainly not handled, nor is it later', async t => {
  const { system, clock } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's' })
  const asked = s.ask({ type: 'subject.job', text: 'late' }, { timeoutMs: 50 })
  const settled = t.rejects(asked, { code: 'ASK_TIMEOUT', handled: /^no$/, details: { address: 's', timeoutMs: 50 } })
  await clock.advance(50)
  await settled
  s.send({ type: 'subject.open' })
  t.same(await s.ask({ type: 'subject.notes' }, soon), [], 'the job was not done')
})

t.test('a request whose deadline passed while it waited is a dead letter, one that was aborted is none', async t => {
  const { system, clock } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's' })
  const abort = new AbortController()
  const expired = t.rejects(s.ask({ type: 'subject.job', text: 'late' }, { timeoutMs: 50 }))
  const aborted = t.rejects(s.ask({ type: 'subject.job', text: 'unwanted' }, { ...soon, signal: abort.signal }))
  await turn()
  abort.abort()
  await clock.advance(51)
  await Promise.all([expired, aborted])
  s.send({ type: 'subject.open' })
  await turn()
  const { counts, letters } = await system.deadLetters()
  t.same(counts, { refused: 0, lost: 0, unprocessed: 0, inHand: 0, expired: 1 })
  t.match(letters, [{ to: 's', type: 'subject.job', fate: 'expired' }])
})

t.test('a request that times out in the very turn in which its actor would take it is not taken', async t => {
  const { system, clock } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's' })
  const asked = s.ask({ type: 'subject.job', text: 'late' }, { timeoutMs: 50 })
  // Fires first, at the same time: the job is in the mailbox again, ready, when its deadline passes.
  clock.setTimeout(() => s.send({ type: 'subject.open' }), 50)
  const settled = t.rejects(asked, { code: 'ASK_TIMEOUT', handled: /^no$/ })
  await clock.advance(50)
  await settled
  t.same(await s.ask({ type: 'subject.notes' }, soon), [])
})

t.test('a request that times out in the hand of its actor may have been handled', async t => {
  const { system, clock } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's' })
  const settled = t.rejects(s.ask({ type: 'subject.keep' }, { timeoutMs: 50 }), {
    code: 'ASK_TIMEOUT',
    handled: 'unknown',
  })
  await clock.advance(50)
  await settled
})

t.test('an ask can be aborted before, while it waits, and in hand', async t => {
  const { system } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's' })
  const aborted = AbortSignal.abort(new Error('no more'))
  await t.rejects(s.ask({ type: 'subject.echo', text: '' }, { timeoutMs: 50, signal: aborted }), {
    code: 'ASK_ABORTED',
    handled: /^no$/,
    cause: { message: 'no more' },
  })
  for (const [event, handled] of [
    [{ type: 'subject.job', text: 'x' }, 'no'],
    [{ type: 'subject.keep' }, 'unknown'],
  ] as const) {
    const abort = new AbortController()
    const asked = s.ask(event as { type: 'subject.keep' }, { timeoutMs: 50, signal: abort.signal })
    const settled = t.rejects(asked, { code: 'ASK_ABORTED', handled })
    await turn()
    abort.abort()
    await settled
  }
  s.send({ type: 'subject.open' })
  t.same(await s.ask({ type: 'subject.notes' }, soon), [], 'what was aborted while it waited is not done later')
})

t.test('an ask of a full mailbox, and of an address that nobody has, is refused', async t => {
  const { system } = await startLocal(t)
  const s = await system.spawn(narrowSubject, { id: 's' })
  const jobs = ['a', 'b', 'c'].map(text => s.ask({ type: 'subject.job', text }, soon))
  jobs[0]?.catch(() => {})
  jobs[1]?.catch(() => {})
  await t.rejects(jobs[2]!, { code: 'MAILBOX_FULL', handled: /^no$/, retryable: true })
  await t.rejects(system.ref(subject, 'nobody').ask({ type: 'subject.keep' }, soon), {
    code: 'NO_SUCH_ACTOR',
    handled: /^no$/,
    details: { address: 'nobody', type: 'subject.keep' },
  })
})

t.test('when the actor dies its asks tell who died, which incarnation, why, and whether they were handled', async t => {
  const { system } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's', restart: 'temporary' })
  const kept = s.ask({ type: 'subject.keep' }, soon)
  const waiting = s.ask({ type: 'subject.job', text: 'x' }, soon)
  const inHand = internalsOf(system).kernel.ask(null, 's', { type: 'subject.crash' }, soon)
  const details = { address: 's', incarnation: 1, shard: -1, reason: 'threw' }
  await Promise.all([
    t.rejects(kept, { code: 'ACTOR_DIED', handled: 'unknown', details: { ...details, type: 'subject.keep' } }),
    t.rejects(waiting, { code: 'ACTOR_DIED', handled: /^no$/, details: { ...details, type: 'subject.job' } }),
    t.rejects(inHand, { code: 'ACTOR_DIED', handled: 'unknown', cause: { code: 'E_TOLD' } }),
  ])
  t.equal(internalsOf(system).kernel.asks.size, 0)
})

t.test('a request that is handled without a reply, or not known in the present state, is told at once', async t => {
  const { system, clock } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's' })
  await t.rejects(s.ask({ type: 'subject.ignore' }, soon), { code: 'NO_REPLY', handled: 'unknown' })
  await t.rejects(s.ask({ type: 'subject.enter' }, soon), { code: 'NO_REPLY', handled: /^no$/ })
  s.send({ type: 'subject.open' })
  t.equal(await s.ask({ type: 'subject.enter' }, soon), 'in')
  t.equal(clock.pending, 0, 'and leaves no timer behind')
})

t.test('a chart answers, or rejects, later with the token it kept', async t => {
  const { system } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's' })
  const first = s.ask({ type: 'subject.keep' }, soon)
  const second = s.ask({ type: 'subject.keep' }, soon)
  s.send({ type: 'subject.answer', text: 'now' })
  t.equal(await first, 'now')
  s.send({ type: 'subject.refuse' })
  await t.rejects(second, { name: 'RangeError', message: 'not that one' })
})

t.test('requests that were kept and timed out are forgotten, those that are waited for are not', async t => {
  const { system, clock } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's' })
  const waiting = s.ask({ type: 'subject.keep' }, { timeoutMs: 1_000_000 })
  for (let round = 0; round < 100; round++) {
    const asked = Array.from({ length: 10 }, () => s.ask({ type: 'subject.keep' }, { timeoutMs: 5 }))
    const timedOut = asked.map(ask => t.rejects(ask, { code: 'ASK_TIMEOUT', handled: 'unknown' }))
    await clock.advance(6)
    await Promise.all(timedOut)
  }
  const { openRequests } = internalsOf(system).kernel.entries.get('s')!.cell!
  t.ok(openRequests.size <= 64, `${openRequests.size} are kept`)
  s.send({ type: 'subject.crash' })
  await t.rejects(waiting, { code: 'ACTOR_DIED', handled: 'unknown' })
})

t.test('a token dies with the incarnation that took the request, also where a snapshot brings it back', async t => {
  const { system, clock } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's', restore: 'snapshot' })
  const asked = s.ask({ type: 'subject.keep' }, { timeoutMs: 60_000 })
  await clock.advance(1_000)
  const settled = t.rejects(asked, { code: 'ACTOR_DIED', handled: 'unknown', details: { incarnation: 1 } })
  s.send({ type: 'subject.note', text: 'checkpoint' } as never)
  s.send({ type: 'subject.crash' })
  await settled
  const again = s.ask({ type: 'subject.keep' }, soon)
  s.send({ type: 'subject.answer', text: 'with the token of the dead' })
  s.send({ type: 'subject.answer', text: 'with its own' })
  t.equal(await again, 'with its own')
  t.match(await s.inspect(), { incarnation: 2, context: { notes: ['checkpoint'], tokens: [] } })
})

t.test('an answer that comes after the deadline is ignored', async t => {
  const { system, clock } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's' })
  const settled = t.rejects(s.ask({ type: 'subject.keep' }, { timeoutMs: 10 }), { code: 'ASK_TIMEOUT' })
  await clock.advance(10)
  await settled
  const next = s.ask({ type: 'subject.keep' }, soon)
  s.send({ type: 'subject.answer', text: 'for the first' })
  s.send({ type: 'subject.answer', text: 'for the second' })
  t.equal(await next, 'for the second')
})

t.test('an ask without a deadline that a timer can keep is refused', async t => {
  const { system } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's' })
  for (const timeoutMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]) {
    await t.rejects(s.ask({ type: 'subject.keep' }, { timeoutMs }), { code: 'BAD_CONFIG', handled: /^no$/ })
  }
})

t.test('asks that are open when the system stops are settled', async t => {
  const { system } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's' })
  const kept = s.ask({ type: 'subject.keep' }, soon)
  const waiting = s.ask({ type: 'subject.job', text: 'x' }, soon)
  const settled = Promise.all([
    t.rejects(kept, { code: 'ACTOR_DIED', handled: 'unknown', details: { reason: 'shutdown' } }),
    t.rejects(waiting, { code: 'ACTOR_DIED', handled: /^no$/ }),
  ])
  await turn()
  await system.stop()
  await settled
  await t.rejects(s.ask({ type: 'subject.keep' }, soon), { code: 'NO_SUCH_ACTOR' })
  await t.rejects(system.spawn(subject, { id: 'again' }), { code: 'SHUTTING_DOWN' })
})

t.test(
  'an actor that is away while it restarts holds its messages, and the new incarnation takes them first',
  async t => {
    const { system, clock } = await startLocal(t)
    const backoff = { initialMs: 100, jitter: 0, maxMs: 100 }
    const s = await system.spawn(subject, { id: 's', backoff })
    const ended = exitOf(system, s)
    s.send({ type: 'subject.crash' })
    await ended
    const first = s.ask({ type: 'subject.note', text: 'first' }, soon)
    const second = s.ask({ type: 'subject.note', text: 'second' }, soon)
    await clock.advance(100)
    t.same(await first, ['first'])
    t.same(await second, ['first', 'second'])
  },
)

t.test('a request whose deadline passed before its turn came, from another thread, is refused for that', async t => {
  const { system, clock } = await startLocal(t)
  await system.spawn(subject, { id: 's' })
  const refused: Refusal[] = []
  const receipts = { ...localReceipts, refuse: (_: number, reason: Refusal) => void refused.push(reason) }
  const event = { type: 'subject.echo', text: 'late' }
  const request = createEnvelope({ to: 's', event, requestId: 1, deadlineMs: clock.now() - 1, receipts })
  internalsOf(system).kernel.deliver(request)
  await turn()
  t.same(refused, ['ASK_TIMEOUT'])
})
