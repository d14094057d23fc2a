import t from 'tap'
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
    await s.ask({ type: 'subject.echo', text: '' }, inTime)
    t.match(internalsOf(system).router!.stats(0), { underWay: 0, refused: 10 })
  },
)

t.test('an ask that is aborted before it left, or on its way, is not handled either', async t => {
  const system = await startSharded(t)
  const s = await system.spawn(subject, { id: 's', shard: 0 })
  const before = new AbortController()
  const asked = s.ask({ type: 'subject.note', text: 'before' }, { ...inTime, signal: before.signal })
  before.abort()
  await t.rejects(asked, { code: 'ASK_ABORTED', handled: /^no$/ })
  t.same(await s.ask({ type: 'subject.notes' }, inTime), [])
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
