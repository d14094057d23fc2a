import t from 'tap'
import type { StarfishError } from '../../../src/index.ts'
import { internalsOf } from '../../../src/supervisor/system.ts'
import { inTime, startSharded } from '../fixtures/sharded-system.ts'
import { subject } from '../fixtures/subject.ts'

t.setTimeout(120_000)

t.test(
  'an ask of another shard that is aborted while it waits there is not handled later, and its slot returns',
  async t => {
    const system = await startSharded(t)
    const s = await system.spawn(subject, { id: 's', shard: 0 })
    const abort = new AbortController()
    const jobs = Array.from({ length: 10 }, (_, i) =>
      s.ask({ type: 'subject.job', text: `${i}` }, { ...inTime, signal: abort.signal }),
    )
    const settled = Promise.all(jobs.map(job => t.rejects(job, { code: 'ASK_ABORTED', handled: /^no$/ })))
    // The jobs have arrived, and were put aside.
    await s.ask({ type: 'subject.echo', text: '' }, inTime)
    abort.abort()
    await settled
    s.send({ type: 'subject.open' })
    t.same(await s.ask({ type: 'subject.notes' }, inTime), [])
    const router = internalsOf(system).router!
    // Answers come before it is noted that their requests are finished.
    do await s.ask({ type: 'subject.echo', text: '' }, inTime)
    while (router.stats(0)!.underWay > 1)
    t.equal(router.stats(0)!.refused, 10)
  },
)

t.test('an ask that is aborted before it left is not handled', async t => {
  const system = await startSharded(t)
  const s = await system.spawn(subject, { id: 's', shard: 0 })
  // Not the only open request: what follows leaves with it, at the end of the turn.
  const other = s.ask({ type: 'subject.echo', text: '' }, inTime)
  const before = new AbortController()
  const asked = s.ask({ type: 'subject.note', text: 'before' }, { ...inTime, signal: before.signal })
  before.abort()
  await t.rejects(asked, { code: 'ASK_ABORTED', handled: /^no$/ })
  await other
  t.same(await s.ask({ type: 'subject.notes' }, inTime), [])
})

t.test('an ask that is aborted on its way says that it was not handled only if it never is', async t => {
  const system = await startSharded(t)
  const s = await system.spawn(subject, { id: 's', shard: 0 })
  const notes: string[] = []
  const perhaps: string[] = []
  for (let round = 0; round < 200; round++) {
    const text = `${round}`
    const onItsWay = new AbortController()
    // It has left when this returns, and its shard is at it meanwhile.
    const asked = s.ask({ type: 'subject.note', text }, { ...inTime, signal: onItsWay.signal })
    onItsWay.abort()
    const error: StarfishError = await asked.then(
      () => t.fail('it was answered') as never,
      error => error,
    )
    t.equal(error.code, 'ASK_ABORTED')
    if (error.handled === 'no') notes.push(text)
    else perhaps.push(text)
  }
  const handled = await s.ask({ type: 'subject.notes' }, inTime)
  t.same(
    handled.filter(text => notes.includes(text)),
    [],
  )
  t.equal(notes.length + perhaps.length, 200)
})

t.test('an ask that is aborted while its shard is away is not posted to the next worker', async t => {
  const system = await startSharded(t)
  const s = await system.spawn(subject, { id: 's', shard: 0 })
  await s.ask({ type: 'subject.echo', text: '' }, inTime)
  await internalsOf(system).shards!.worker(0)!.terminate({ type: 'killed' })
  const abort = new AbortController()
  const asked = s.ask({ type: 'subject.note', text: 'x' }, { ...inTime, signal: abort.signal })
  abort.abort()
  await t.rejects(asked, { code: 'ASK_ABORTED', handled: /^no$/ })
  t.same(await s.ask({ type: 'subject.notes' }, inTime), [])
})
