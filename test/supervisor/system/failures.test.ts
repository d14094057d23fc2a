/** What a failure costs: the actor in which it happens, the children below it, and no more. */
import t from 'tap'
import { child } from '../../../src/actors/runtime/child.ts'
import { brittle, failureIn, places } from '../fixtures/brittle.ts'
import { counter } from '../fixtures/counter.ts'
import { exitOf, soon, startLocal, turn } from '../fixtures/local-system.ts'
import { subject } from '../fixtures/subject.ts'

for (const place of places) {
  t.test(`an actor that fails in its ${place} ends for that, and nobody else does`, async t => {
    const { system, clock } = await startLocal(t)
    const bystander = await system.spawn(counter, { id: 'bystander', input: { from: 5 } })
    const b = await system.spawn(brittle, { id: 'b' })
    const ended = exitOf(system, b)
    b.send({ type: 'brittle.fail', in: place })
    await clock.advance(10)
    // XState tells of a guard that threw in words of its own.
    t.match(await ended, { reason: { type: /^(threw|unhandledRejection)$/, error: { message: failureIn(place) } } })
    t.match(await b.inspect(), { incarnation: 2, state: 'up' })
    t.equal(await bystander.ask({ type: 'counter.read' }, soon), 5)
  })
}

t.test('a child that a chart started has a budget of its own: three restarts in five seconds', async t => {
  const { system } = await startLocal(t)
  const parent = await system.spawn(subject, { id: 'p' })
  parent.send({ type: 'subject.spawn', id: 'kid' })
  await turn()
  const kid = system.ref(counter, 'p/kid')
  for (let incarnation = 1; incarnation <= 4; incarnation++) {
    const ended = exitOf(system, kid)
    kid.send({ type: 'counter.crash' })
    t.match(await ended, { incarnation, reason: { type: 'threw' } })
    await turn()
  }
  t.equal(await kid.inspect(), undefined)
  t.match(await parent.inspect(), { incarnation: 1 })
})

t.test('a tree that gives up is restarted three times in five seconds, then it alone ends', async t => {
  const { system } = await startLocal(t)
  const bystander = await system.spawn(counter, { id: 'bystander', input: { from: 5 } })
  const children = [child(counter, { id: 'a', input: { from: 0 } })]
  await system.supervise({ id: 'tree', intensity: 0, children })
  let failed = false
  void system.failed.then(() => {
    failed = true
  })
  for (let incarnation = 1; incarnation <= 4; incarnation++) {
    const ended = exitOf(system, 'tree')
    system.ref(counter, 'tree/a').send({ type: 'counter.crash' })
    const reason = { type: 'shutdown', detail: 'reached_max_restart_intensity', culprit: { id: 'a' } }
    t.match(await ended, { incarnation, reason })
    await turn()
  }
  t.same(await system.tree({ under: 'tree' }), [])
  t.equal(await bystander.ask({ type: 'counter.read' }, soon), 5)
  t.notOk(failed, 'the root never gives up')
})
