/** What is nested deeper than the stack of a thread goes: it cannot write it, or, if another could, not read it. */
import t from 'tap'
import type { System } from '../../../src/supervisor/system.ts'
import { type DeepEvent, deep, depths } from '../fixtures/deep.ts'
import { exitOf, turn } from '../fixtures/local-system.ts'
import { inTime, startSharded } from '../fixtures/sharded-system.ts'

t.setTimeout(120_000)

const ways = [
  ['from a shard to the main thread', 0, 'main', depths.forMain],
  ['from a shard to another', 0, 1, depths.forAny],
  ['from the main thread to a shard', 'main', 1, depths.forAny],
] as const

/** What an actor has heard, once there are so many. */
async function heardBy(system: System, id: string, count: number): Promise<readonly (number | string)[]> {
  for (;;) {
    const heard = await system.ref(deep, id).ask({ type: 'deep.read' }, inTime)
    if (heard.length >= count) return heard
    await turn()
  }
}

for (const [way, from, to, depth] of ways) {
  t.test(`${way} a send that is nested too deep is a dead letter, all around it arrive, and both live on`, async t => {
    const system = await startSharded(t)
    const sender = await system.spawn(deep, { id: 'sender', shard: from })
    await system.spawn(deep, { id: 'taker', shard: to })
    const around = 100
    for (let round = 0; round < 2; round++) sender.send({ type: 'deep.send', to: 'taker', depth, around })
    const once = Array.from({ length: around * 2 }, (_, index) => index + 1)
    t.same(await heardBy(system, 'taker', around * 4), [...once, ...once])
    const { counts, letters } = await system.deadLetters()
    t.equal(counts.refused, 2)
    t.match(letters[0], { to: 'taker', from: 'sender', type: 'deep.take', fate: 'refused', reason: 'NOT_CLONABLE' })
    t.match(await system.tree(), [{ incarnation: 1 }, { incarnation: 1 }])
  })

  t.test(`${way} an ask that is nested too deep rejects with NOT_CLONABLE, not handled`, async t => {
    const system = await startSharded(t)
    const asker = await system.spawn(deep, { id: 'asker', shard: from })
    await system.spawn(deep, { id: 'taker', shard: to })
    const event: DeepEvent = { type: 'deep.ask', to: 'taker', depth, tell: 'asker' }
    asker.send(event)
    asker.send({ ...event, depth: 1 })
    asker.send(event)
    const heard = await heardBy(system, 'asker', 3)
    t.same([...heard].sort(), ['NOT_CLONABLE no', 'NOT_CLONABLE no', 'answered'])
  })
}

t.test('a reply that cannot be read rejects with NOT_CLONABLE, perhaps handled; other replies arrive', async t => {
  const system = await startSharded(t)
  const builder = await system.spawn(deep, { id: 'builder', shard: 0 })
  const build = (depth: number) => builder.ask({ type: 'deep.build', depth }, inTime)
  const asked = [build(1), build(depths.forMain), build(2), build(depths.forMain), build(3)]
  const outcomes = await Promise.allSettled(asked)
  t.match(outcomes, [
    { value: [] },
    { reason: { code: 'NOT_CLONABLE', handled: 'unknown' } },
    { value: [[]] },
    { reason: { code: 'NOT_CLONABLE', handled: 'unknown' } },
    { value: [[[]]] },
  ])
})

t.test('the end of an actor whose last event cannot be read is told without that event', async t => {
  const system = await startSharded(t)
  const crasher = await system.spawn(deep, { id: 'crasher', shard: 0 })
  await crasher.ask({ type: 'deep.read' }, inTime)
  const ended = exitOf(system, crasher)
  crasher.send({ type: 'deep.crash', depth: depths.forMain })
  const exit = await ended
  t.match(exit, { incarnation: 1, reason: { type: 'threw', error: { message: 'told to fail' } } })
  t.same(
    exit.lastEvents.map(({ type }) => type),
    ['deep.read', 'deep.crash', 'deep.fail'],
  )
  t.same(await crasher.ask({ type: 'deep.read' }, inTime), [], 'it restarted')
})

t.test('an actor whose context is nested too deep is inspected without it', async t => {
  const system = await startSharded(t)
  for (const depth of [500, depths.forMain, depths.forAny]) {
    const ref = await system.spawn(deep, { id: `d${depth}`, shard: 0 })
    ref.send({ type: 'deep.keep', depth })
    await ref.ask({ type: 'deep.read' }, inTime)
    const details = await ref.inspect()
    if (depth === 500) t.match(details, { context: { kept: [[[]]] } })
    else t.match(details, { address: `d${depth}`, context: /^nested deeper than/ })
  }
})
