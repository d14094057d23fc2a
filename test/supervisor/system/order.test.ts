/** In which order messages are taken: what one sender sends comes in order, what comes first by design does. */
import t from 'tap'
import { createChaos } from '../../../src/chaos/index.ts'
import type { ActorRef } from '../../../src/supervisor/actor-ref.ts'
import { internalsOf } from '../../../src/supervisor/system.ts'
import { lanes, taken } from '../fixtures/lanes.ts'
import { collectFacts, exitOf, soon, startLocal, turn } from '../fixtures/local-system.ts'
import { feeder, ledger } from '../fixtures/shard-subject.ts'
import { createNumbers, inTime, killShard, numbersIn, startSharded } from '../fixtures/sharded-system.ts'
import { subject } from '../fixtures/subject.ts'

t.setTimeout(120_000)

const upTo = (n: number) => Array.from({ length: n }, (_, i) => `${i}`)

/** Sends a note; notes are requests, which references do not send. */
function note(to: ActorRef<typeof subject>, text: string): void {
  to.send({ type: 'subject.note', text } as never)
}

t.test('sends and requests of one sender are taken in their order, on one thread and between threads', async t => {
  const local = await startLocal(t)
  const sharded = await startSharded(t)
  for (const system of [local.system, sharded]) {
    const s = await system.spawn(subject, { id: 's' })
    const asked = upTo(500).map(text => {
      if (Number(text) % 3 === 0) return s.ask({ type: 'subject.note', text }, inTime)
      note(s, text)
      return undefined
    })
    t.same(await s.ask({ type: 'subject.notes' }, inTime), upTo(500))
    t.same(await asked[498], upTo(499), 'each request saw all that was sent before it, and nothing after it')
  }
})

t.test('over a restart the order has a gap: what waited is lost, what came later is taken in order', async t => {
  const { system, clock } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's', backoff: { initialMs: 100, jitter: 0 } })
  note(s, 'before')
  s.send({ type: 'subject.crash' })
  for (const text of ['waited 1', 'waited 2']) note(s, text)
  await turn()
  for (const text of ['held 1', 'held 2']) note(s, text)
  await clock.advance(100)
  note(s, 'after')
  t.same(await s.ask({ type: 'subject.notes' }, soon), ['held 1', 'held 2', 'after'])
  t.match((await system.deadLetters()).counts, { inHand: 1, unprocessed: 2 })
})

t.test('messages from shard to shard stay in order over the deaths of the sender', async t => {
  const system = await startSharded(t, { stalledAfterMs: 120_000 })
  const chaos = createChaos(system)
  const numbers = createNumbers()
  const l = await system.spawn(ledger, { id: 'l', input: { numbers }, shard: 0 })
  const f = await system.spawn(feeder, { id: 'f', shard: 1 })
  for (let round = 0; round < 4; round++) {
    // The receiver sleeps, so that it finds what an earlier sender left and what the next one says at the same time.
    const pause = await chaos.pause({ shard: 0 })
    f.send({ type: 'feeder.send', to: 'l', from: round * 1_000, count: 500 })
    // It answers the second one when all that it said before the first answer has been posted.
    for (let asked = 0; asked < 2; asked++) await f.ask({ type: 'feeder.done' }, inTime)
    const ended = exitOf(system, f)
    await killShard(system, 1)
    await ended
    f.send({ type: 'feeder.send', to: 'l', from: round * 1_000 + 500, count: 500 })
    await f.ask({ type: 'feeder.done' }, inTime)
    await pause.release()
  }
  while (!numbersIn(numbers).includes(3_999)) await l.ask({ type: 'ledger.read' }, inTime)
  const inOrder = [...new Set(numbersIn(numbers))].sort((a, b) => a - b)
  t.same(numbersIn(numbers), inOrder, 'never an earlier one after a later one, none twice')
  t.equal(inOrder.length, 4_000, 'what a dead sender had posted arrives')
})

t.test('a delayed send takes its place when it is due, not when it was made', async t => {
  const { system, clock } = await startLocal(t)
  const from = await system.spawn(subject, { id: 'from' })
  const to = await system.spawn(subject, { id: 'to' })
  const later = (text: string, delayMs: number) => from.send({ type: 'subject.sendAfter', to: 'to', text, delayMs })
  later('made first, due last', 20)
  later('due first', 10)
  from.send({ type: 'subject.send', to: 'to', text: 'at once' })
  await clock.advance(20)
  t.same(await to.ask({ type: 'subject.notes' }, soon), ['at once', 'due first', 'made first, due last'])
})

t.test('the end of a watched actor is heard before messages that it had sent', async t => {
  const { system } = await startLocal(t)
  const watcher = await system.spawn(subject, { id: 'watcher' })
  const watched = await system.spawn(subject, { id: 'watched', restart: 'temporary' })
  watcher.send({ type: 'subject.watch', address: 'watched' })
  await turn()
  const { facts, ready } = collectFacts(system, ['event'])
  await ready
  // The watcher's turn comes after that of the watched actor, which by then has sent and ended.
  watched.send({ type: 'subject.send', to: 'watcher', text: 'sent first' })
  watched.send({ type: 'subject.finish' })
  t.same(await watcher.ask({ type: 'subject.notes' }, soon), [])
  await turn()
  t.same(
    facts.flatMap(fact => (fact.kind === 'event' && fact.address === 'watcher' ? [fact.type] : [])),
    ['actor.exited', 'subject.notes', 'subject.note'],
  )
})

t.test('the control lane is served first: what an actor is fed by its own I/O, and the request to end', async t => {
  const { system } = await startLocal(t)
  const l = await system.spawn(lanes, { id: 'l' })
  l.send({ type: 'lanes.speak' })
  for (const text of ['1', '2']) l.send({ type: 'lanes.note', text })
  await turn()
  t.same(taken, ['lanes.speak', 'fed', '1', '2', 'sent to itself'])
  taken.length = 0
  for (const text of ['3', '4']) l.send({ type: 'lanes.note', text })
  internalsOf(system).kernel.lifecycle.shutdown('l', 1)
  await turn()
  t.same(taken, ['actor.shutdown'])
  t.match((await system.deadLetters()).counts, { unprocessed: 2 })
})

t.test('a kill waits for nothing that was sent before it', async t => {
  const { system } = await startLocal(t)
  const s = await system.spawn(subject, { id: 's', restart: 'temporary' })
  note(s, 'never read')
  t.equal(await system.kill(s), true)
  t.match((await system.deadLetters()).letters, [{ type: 'subject.note', fate: 'unprocessed' }])
})

t.test('a broadcast is a send to each member: it keeps its place among the other sends', async t => {
  const sharded = await startSharded(t)
  const { system: local } = await startLocal(t)
  for (const system of [local, sharded]) {
    const group = system.group('g')
    const members = await Promise.all(['a', 'b'].map(id => system.spawn(subject, { id })))
    for (const member of members) group.join(member)
    for (const round of ['1', '2']) {
      for (const member of members) note(member, `before ${round}`)
      t.equal(group.broadcast({ type: 'subject.note', text: `to all ${round}` } as never), 2)
    }
    const expected = ['before 1', 'to all 1', 'before 2', 'to all 2']
    for (const member of members) t.same(await member.ask({ type: 'subject.notes' }, inTime), expected)
  }
})
