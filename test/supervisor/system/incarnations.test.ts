/** Incarnations count the starts of an address, over restarts, replaced shards and lost ones. */
import t from 'tap'
import { child } from '../../../src/actors/runtime/child.ts'
import type { SupervisorSpec } from '../../../src/supervisor/child-spec.ts'
import type { System } from '../../../src/supervisor/system.ts'
import { counter } from '../fixtures/counter.ts'
import { exitOf } from '../fixtures/local-system.ts'
import { inTime, killShard, startSharded } from '../fixtures/sharded-system.ts'

const leaf = (id: string, shard: number) => child(counter, { id, input: { from: 0 }, shard })

/** What the actors under an address count, once all of them answer. */
async function incarnations(system: System, top: string, leaves: readonly string[]): Promise<Record<string, number>> {
  for (const id of leaves) await system.ref(counter, `${top}/${id}`).ask({ type: 'counter.read' }, inTime)
  const actors = await system.tree({ under: top })
  return Object.fromEntries(actors.map(({ address, incarnation }) => [address.slice(top.length), incarnation]))
}

/** Settles when the next incarnation runs. */
async function crash(system: System, address: string): Promise<void> {
  const ref = system.ref(counter, address)
  const ended = exitOf(system, address)
  ref.send({ type: 'counter.crash' })
  await ended
  await ref.ask({ type: 'counter.read' }, inTime)
}

for (const [name, far] of [
  ['of a shard', 0],
  ['that spans shards', 1],
] as const) {
  t.test(`a tree ${name} goes on counting when a shard is lost, and when it is lost again`, async t => {
    const system = await startSharded(t)
    const inner: SupervisorSpec = { id: 'inner', intensity: 5, children: [leaf('a', 0), leaf('b', 0)] }
    await system.supervise({ id: 'tree', intensity: 5, children: [inner, leaf('far', far)] })
    const leaves = ['inner/a', 'inner/b', 'far']
    await crash(system, 'tree/inner/a')
    await crash(system, 'tree/inner/a')
    const before = { '': 1, '/inner': 1, '/inner/a': 3, '/inner/b': 1, '/far': 1 }
    t.same(await incarnations(system, 'tree', leaves), before)
    await killShard(system, 0)
    const isWhole = far === 0
    const once = { '': isWhole ? 2 : 1, '/inner': 2, '/inner/a': 4, '/inner/b': 2, '/far': isWhole ? 2 : 1 }
    t.same(await incarnations(system, 'tree', leaves), once)
    await crash(system, 'tree/inner/b')
    await killShard(system, 0)
    const twice = { '': isWhole ? 3 : 1, '/inner': 3, '/inner/a': 5, '/inner/b': 4, '/far': isWhole ? 3 : 1 }
    t.same(await incarnations(system, 'tree', leaves), twice)
  })
}

t.test('and so does one that is moved to the next worker by a rolling restart', async t => {
  const system = await startSharded(t)
  await system.supervise({ id: 'tree', intensity: 5, children: [leaf('a', 0), leaf('b', 0)] })
  await crash(system, 'tree/a')
  t.same(await incarnations(system, 'tree', ['a', 'b']), { '': 1, '/a': 2, '/b': 1 })
  await system.rollingRestart()
  t.same(await incarnations(system, 'tree', ['a', 'b']), { '': 2, '/a': 3, '/b': 2 })
})
