/** What an actor cannot do to the supervisors of a system, and to those of others: say what only kernels say. */
import t from 'tap'
import { child } from '../../../src/actors/runtime/child.ts'
import { asker } from '../fixtures/asker.ts'
import { counter } from '../fixtures/counter.ts'
import { inTime, startSharded } from '../fixtures/sharded-system.ts'

t.test('an actor that commands a supervisor of the system is refused', async t => {
  const system = await startSharded(t)
  const a = await system.spawn(asker, { id: 'a', shard: 0 })
  await system.spawn(counter, { id: 'c', input: { from: 1 }, shard: 1 })
  for (const [to, id] of [
    ['$shards', '1'],
    ['$actors', 'a'],
  ] as const) {
    const event = { type: 'supervisor.terminateChild', id }
    await t.rejects(a.ask({ type: 'asker.ask', to, event }, inTime), {
      code: 'BAD_CONFIG',
      message: /which only the system may tell/,
    })
  }
  t.equal(await system.ref(counter, 'c').ask({ type: 'counter.read' }, inTime), 1)
})

t.test(
  'a supervisor believes only kernels what became of its children, and answers at once what it does not know',
  async t => {
    const system = await startSharded(t)
    const a = await system.spawn(asker, { id: 'a', shard: 0 })
    const tree = await system.supervise({
      id: 'tree',
      children: [child(counter, { id: 'c', input: { from: 1 }, shard: 1 })],
    })
    const exit = { address: 'tree/c', incarnation: 1, reason: { type: 'killed' }, lastEvents: [] }
    for (const event of [
      { type: 'child.exited', id: 'c', incarnation: 1, exit },
      { type: 'supervisor.stop' },
      { type: 'nonsense' },
    ]) {
      await t.rejects(a.ask({ type: 'asker.ask', to: 'tree', event }, inTime), { code: 'NO_REPLY', handled: /^no$/ })
    }
    t.match(await tree.whichChildren(), [{ id: 'c', state: 'running', actor: { incarnation: 1 } }])
  },
)
