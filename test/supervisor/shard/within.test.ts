/** Waiting for something in bounded time. */
import t from 'tap'
import { createVirtualClock } from '../../../src/actors/runtime/clock.ts'
import { within } from '../../../src/supervisor/shard/within.ts'

t.test('what settles in time is answered, and leaves no timer behind', async t => {
  const clock = createVirtualClock()
  const { promise, resolve } = Promise.withResolvers<string>()
  const answered = within(clock, promise, 100)
  await clock.advance(99)
  resolve('there')
  t.equal(await answered, 'there')
  t.equal(clock.pending, 0)
})

t.test('a failure is passed on', async t => {
  const clock = createVirtualClock()
  await t.rejects(within(clock, Promise.reject(new Error('broken')), 100), /^broken$/)
  t.equal(clock.pending, 0)
})

t.test('what takes longer is undefined', async t => {
  const clock = createVirtualClock()
  const late = within(clock, new Promise<string>(() => {}), 100)
  await clock.advance(100)
  t.equal(await late, undefined)
})
