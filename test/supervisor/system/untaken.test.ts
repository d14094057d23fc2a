/** Events that the present state of a chart has no transition for: sent ones are passed over, asked ones are answered. */
import t from 'tap'
import { compiledDoor, deafDoor, door } from '../fixtures/door.ts'
import { collectFacts, soon, startLocal, turn } from '../fixtures/local-system.ts'
import { inTime, startSharded } from '../fixtures/sharded-system.ts'

for (const definition of [door, compiledDoor]) {
  const { exportName } = definition

  t.test(`${exportName}: an event that the state does not take is passed over, and is no dead letter`, async t => {
    const { system } = await startLocal(t)
    const d = await system.spawn(definition, { id: 'd' })
    const { facts, ready } = collectFacts(system, ['event', 'transition', 'exit'])
    await ready
    d.send({ type: 'door.enter' })
    await turn()
    t.match(await d.inspect(), { incarnation: 1, value: 'closed', context: { entered: 0 } })
    t.match(
      facts.map(({ kind, ...rest }) => ({ kind, ...rest })),
      [{ kind: 'event', type: 'door.enter', address: 'd' }],
      'it was taken out of the mailbox, and nothing came of it',
    )
    t.same((await system.deadLetters()).letters, [])
    d.send({ type: 'door.open' })
    t.equal(await d.ask({ type: 'door.count' }, soon), 0, 'nor did it wait for a state that takes it')
    d.send({ type: 'door.enter' })
    t.equal(await d.ask({ type: 'door.count' }, soon), 1)
  })

  t.test(`${exportName}: an ask in a state that does not take it is told at once that it was not handled`, async t => {
    const { system, clock } = await startLocal(t)
    const d = await system.spawn(definition, { id: 'd' })
    await t.rejects(d.ask({ type: 'door.count' }, soon), {
      code: 'NO_REPLY',
      handled: /^no$/,
      message: 'd takes no door.count in its present state',
      details: { address: 'd', type: 'door.count' },
    })
    t.equal(clock.pending, 0)
  })

  t.test(`${exportName}: an unanswered ask that moved the chart may have been handled`, async t => {
    const { system } = await startLocal(t)
    const d = await system.spawn(definition, { id: 'd' })
    await t.rejects(d.ask({ type: 'door.sell' }, soon), { code: 'NO_REPLY', handled: 'unknown' }, 'a guard was asked')
    await t.rejects(
      d.ask({ type: 'door.knock' }, soon),
      { code: 'NO_REPLY', handled: 'unknown' },
      'although the state that it led to does not take it',
    )
    t.match(await d.inspect(), { value: 'open' })
  })

  t.test(`${exportName}: the same holds between threads`, async t => {
    const system = await startSharded(t)
    const d = await system.spawn(definition, { id: 'd', shard: 1 })
    d.send({ type: 'door.enter' })
    await t.rejects(d.ask({ type: 'door.count' }, inTime), { code: 'NO_REPLY', handled: /^no$/ })
    await t.rejects(d.ask({ type: 'door.knock' }, inTime), { code: 'NO_REPLY', handled: 'unknown' })
    t.equal(await d.ask({ type: 'door.count' }, inTime), 0)
    t.same((await system.deadLetters()).letters, [])
  })
}

t.test('what a partial wildcard takes was taken', async t => {
  const { system } = await startLocal(t)
  const d = await system.spawn(deafDoor, { id: 'd' })
  await t.rejects(d.ask({ type: 'door.count' }, soon), { code: 'NO_REPLY', handled: 'unknown' })
})
