/** How an event gets from one actor to another: as itself, or as a copy. */
import t from 'tap'
import { startLocal } from '../fixtures/local-system.ts'
import { meter } from '../fixtures/meter.ts'
import { inTime, startSharded } from '../fixtures/sharded-system.ts'

t.test('within a thread an event is handed over itself, to another thread goes a copy', async t => {
  const { system: local } = await startLocal(t)
  const sharded = await startSharded(t)
  for (const [system, copied] of [
    [local, false],
    [sharded, true],
  ] as const) {
    const m = await system.spawn(meter, { id: 'm' })
    const value = { changed: 'no' }
    m.send({ type: 'meter.hold', value })
    await m.ask({ type: 'meter.read' }, inTime)
    value.changed = 'later'
    t.match(await m.inspect(), { context: { held: { changed: copied ? 'no' : 'later' } } })
  }
})
