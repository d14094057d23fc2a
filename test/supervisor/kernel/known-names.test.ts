/** What a name that crossed an edge before leads to. */
import t from 'tap'
import { createEnvelope } from '../../../src/messages/thread/envelope.ts'
import { internalsOf } from '../../../src/supervisor/system.ts'
import { counter } from '../fixtures/counter.ts'
import { soon, startLocal } from '../fixtures/local-system.ts'

t.test('a name leads to whoever has the address now, in whichever incarnation', async t => {
  const { system } = await startLocal(t)
  const { kernel } = internalsOf(system)
  const known: (object | undefined)[] = [undefined, undefined]
  const event = { type: 'counter.add', by: 1 }
  const deliver = (toIncarnation = 0) => kernel.deliver(createEnvelope({ to: 'a', event, toIncarnation }), known, 1)
  const spawn = () => system.spawn(counter, { id: 'a', input: { from: 0 } })
  const read = (actor: Awaited<ReturnType<typeof spawn>>) => actor.ask({ type: 'counter.read' }, soon)

  t.equal(deliver(), 'NO_SUCH_ACTOR')
  const actor = await spawn()
  t.same([deliver(), deliver(1), deliver(2)], ['admitted', 'admitted', 'ACTOR_DIED'])
  const mailbox = () => kernel.entries.get('a')?.cell?.mailbox
  const first = mailbox()
  t.equal(known[1], first)
  t.equal(await read(actor), 2)

  await system.kill(actor)
  t.equal(await read(actor), 0)
  t.same([deliver(), deliver(1), deliver(2)], ['admitted', 'ACTOR_DIED', 'admitted'])
  t.equal(await read(actor), 2)

  await system.stopActor(actor)
  t.equal(deliver(), 'NO_SUCH_ACTOR')
  const next = await spawn()
  t.equal(first?.cell, undefined, 'a mailbox that is remembered holds no actor that has ended')
  t.equal(deliver(), 'admitted')
  t.equal(known[1], mailbox())
  t.equal(await read(next), 1)
})
