/** A watch that is set from another thread comes before what its thread sends to the watched afterwards. */
import t from 'tap'
import { counter } from '../fixtures/counter.ts'
import { exitOf } from '../fixtures/local-system.ts'
import { sentry } from '../fixtures/sentry.ts'
import { inTime, startSharded } from '../fixtures/sharded-system.ts'

t.test('a chart that watches an actor of another thread and then makes it crash hears of that very end', async t => {
  const system = await startSharded(t)
  const s = await system.spawn(sentry, { id: 'sentry', shard: 0 })
  for (const shard of [1, 'main', 0] as const) {
    for (let n = 0; n < 20; n++) {
      const address = `c-${shard}-${n}`
      await system.spawn(counter, { id: address, input: { from: 0 }, shard })
      // It is restarted at once: a watch that came too late would be of the second incarnation, and never be told.
      const exit = await s.ask({ type: 'sentry.crash', address }, inTime)
      t.match(exit, { address, incarnation: 1, reason: { type: 'threw' } })
    }
  }
})

t.test('so does the main thread', async t => {
  const system = await startSharded(t)
  for (let n = 0; n < 20; n++) {
    const c = await system.spawn(counter, { id: `c-${n}`, input: { from: 0 }, shard: 1 })
    const exit = exitOf(system, c)
    c.send({ type: 'counter.crash' })
    t.match(await exit, { incarnation: 1, reason: { type: 'threw' } })
  }
})

t.test(
  'an ask that is answered after a watch proves that the watch is in place, whoever ends the actor then',
  async t => {
    const system = await startSharded(t)
    for (let n = 0; n < 20; n++) {
      const c = await system.spawn(counter, { id: `c-${n}`, input: { from: 0 }, shard: 1 })
      const exit = exitOf(system, c)
      await c.ask({ type: 'counter.read' }, inTime)
      t.equal(await system.kill(c), true)
      t.match(await exit, { incarnation: 1, reason: { type: 'killed' } })
    }
  },
)
