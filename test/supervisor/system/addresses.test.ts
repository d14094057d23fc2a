/** Who has an address, over stops, kills and starts that overlap. */
import t from 'tap'
import { child } from '../../../src/actors/runtime/child.ts'
import type { System } from '../../../src/supervisor/system.ts'
import { counter } from '../fixtures/counter.ts'
import { startLocal } from '../fixtures/local-system.ts'
import { inTime, startSharded } from '../fixtures/sharded-system.ts'

t.setTimeout(60_000)

function read(system: System, address: string): Promise<number> {
  return system.ref(counter, address).ask({ type: 'counter.read' }, inTime)
}

for (const shard of [0, 'main'] as const) {
  const where = shard === 'main' ? 'the main thread' : 'a shard'

  t.test(`on ${where} a second stop leaves alone who took the address after the first`, async t => {
    const system = await startSharded(t)
    await system.spawn(counter, { id: 'x', input: { from: 1 }, shard })
    const [first, second] = [system.stopActor('x'), system.stopActor('x')]
    await first
    await system.spawn(counter, { id: 'x', input: { from: 2 }, shard })
    await second
    t.equal(await read(system, 'x'), 2)
    await t.rejects(system.spawn(counter, { id: 'x', input: { from: 3 } }), { code: 'DUPLICATE_ADDRESS' })
  })

  t.test(`on ${where} a stop of nobody leaves alone who took the address meanwhile`, async t => {
    const system = await startSharded(t)
    for (let n = 0; n < 5; n++) {
      const stopped = system.stopActor(`x${n}`)
      await system.spawn(counter, { id: `x${n}`, input: { from: n }, shard })
      await stopped
      t.equal(await read(system, `x${n}`), n)
    }
    t.equal((await system.tree()).length, 5)
  })

  t.test(`on ${where} the address of an actor that was killed and does not come back is free`, async t => {
    const system = await startSharded(t)
    for (let n = 0; n < 50; n++) {
      await system.spawn(counter, { id: 'x', input: { from: n }, shard, restart: 'temporary' })
      t.equal(await read(system, 'x'), n)
      t.equal(await system.kill('x'), true)
    }
    t.equal(await system.kill('x'), false)
  })

  t.test(`on ${where} a supervisor knows of a child that was killed`, async t => {
    const system = await startSharded(t)
    // The children of one that has some on another shard are reached from the main thread.
    const dynamic = await system.supervise({ id: 'd', dynamic: true })
    const elsewhere = { id: 'e', children: [child(counter, { id: 'k', input: { from: 0 }, shard: 1 })] }
    const wide = await system.supervise({
      id: 'w',
      children: [child(counter, { id: 'a', input: { from: 0 }, shard }), elsewhere],
    })
    for (let n = 0; n < 20; n++) {
      for (const tree of [dynamic, wide]) {
        const where = tree === wide ? { shard } : {}
        await tree.startChild(child(counter, { id: 'x', input: { from: n }, restart: 'temporary', ...where }))
        t.equal(await system.kill(`${tree.address}/x`), true)
      }
    }
  })
}

t.test('a stop of the child of a tree does nothing, and it can still be reached', async t => {
  const system = await startSharded(t)
  const children = [0, 1].map(shard => child(counter, { id: `${shard}`, input: { from: shard }, shard }))
  await system.supervise({ id: 'wide', children })
  await system.stopActor('wide/1')
  t.equal(await read(system, 'wide/1'), 1)
})

t.test('a child whose address somebody else has is refused, who has it stays', async t => {
  const system = await startSharded(t)
  const children = [0, 1].map(shard => child(counter, { id: `${shard}`, input: { from: shard }, shard }))
  const wide = await system.supervise({ id: 'wide', children })
  await system.spawn(counter, { id: 'wide/x', input: { from: 7 }, shard: 1 })
  for (const shard of [0, 1]) {
    const refused = wide.startChild(child(counter, { id: 'x', input: { from: 0 }, shard }))
    await t.rejects(refused, { code: 'DUPLICATE_ADDRESS', details: { address: 'wide/x' } })
    t.equal(await read(system, 'wide/x'), 7)
  }
  await system.stopActor('wide/x')
  await wide.startChild(child(counter, { id: 'x', input: { from: 8 }, shard: 0 }))
  t.equal(await read(system, 'wide/x'), 8)
})

t.test('without shards a killed address is free as well', async t => {
  const { system } = await startLocal(t)
  for (let n = 0; n < 5; n++) {
    await system.spawn(counter, { id: 'x', input: { from: n }, restart: 'temporary' })
    t.equal(await system.kill('x'), true)
  }
})
