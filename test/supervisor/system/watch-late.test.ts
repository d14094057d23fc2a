/** Watches that come when all is over, and the address is nobody's any more. */
import t from 'tap'
import { child } from '../../../src/actors/runtime/child.ts'
import { createSystem, internalsOf, type System } from '../../../src/supervisor/system.ts'
import { exitOf, quiet, turn } from '../fixtures/local-system.ts'
import { inTime } from '../fixtures/sharded-system.ts'
import { subject } from '../fixtures/subject.ts'

const ends = {
  killed: (system: System, address: string) => system.kill(address),
  shutdown: (system: System, address: string) => system.stopActor(address),
  normal: async (system: System, address: string) => system.ref(subject, address).send({ type: 'subject.finish' }),
  threw: async (system: System, address: string) => system.ref(subject, address).send({ type: 'subject.crash' }),
}

for (const shards of [0, 2]) {
  const on = (shard: number) => (shards === 0 ? 'main' : shard)

  t.test(
    `a watch of an address that was given up tells its last end, on every thread, with ${shards} shards`,
    async t => {
      await using system = await createSystem({ shards, logger: quiet })
      const watcher = await system.spawn(subject, { id: 'watcher', shard: on(1) })
      for (const [type, end] of Object.entries(ends)) {
        const ref = await system.spawn(subject, { id: type, shard: on(0), restart: 'temporary' })
        const first = exitOf(system, ref)
        await end(system, type)
        t.match(await first, { incarnation: 1, reason: { type } })
        await isGivenUp(system, type)
        t.same(await exitOf(system, ref), await first, type)
        watcher.send({ type: 'subject.watch', address: type })
      }
      while ((await watcher.ask({ type: 'subject.exits' }, inTime)).length < 4);
      const exits = await watcher.ask({ type: 'subject.exits' }, inTime)
      t.same(
        new Set(exits.map(({ address, reason }) => `${address} ${reason.type}`)),
        new Set(Object.keys(ends).map(type => `${type} ${type}`)),
      )
    },
  )

  t.test(`so does one of what was below that address, until somebody has it again, with ${shards} shards`, async t => {
    await using system = await createSystem({ shards, logger: quiet })
    const spec = { id: 'tree', children: [child(subject, { id: 'kid', shard: on(0) })] }
    const tree = await system.supervise(spec)
    await tree.stop()
    await isGivenUp(system, 'tree')
    t.match(await exitOf(system, 'tree/kid'), { incarnation: 1, reason: { type: 'shutdown' } })
    await system.supervise(spec)
    const next = exitOf(system, 'tree/kid')
    await system.kill('tree/kid')
    t.match(await next, { reason: { type: 'killed' } })
    t.match(await exitOf(system, 'nobody'), { reason: { type: 'noproc' } })
  })
}

async function isGivenUp(system: System, address: string): Promise<void> {
  while (internalsOf(system).directory.has(address)) await turn()
}
