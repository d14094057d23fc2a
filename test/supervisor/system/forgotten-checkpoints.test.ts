/** Checkpoints of actors that have ended for good: nobody goes on from them, and nobody keeps them. */
import t from 'tap'
import { child } from '../../../src/actors/runtime/child.ts'
import { internalsOf, type System } from '../../../src/supervisor/system.ts'
import { meter } from '../fixtures/meter.ts'
import { inTime, killShard, startSharded } from '../fixtures/sharded-system.ts'

t.setTimeout(60_000)

const m = (options: object = {}) => child(meter, { id: 'm', restore: 'snapshot', ...options })

function stateOf(system: System, address: string): Promise<{ count: number }> {
  return system.ref(meter, address).ask({ type: 'meter.read' }, inTime)
}

async function work(system: System, address: string): Promise<void> {
  system.ref(meter, address).send({ type: 'meter.add' })
  await stateOf(system, address)
}

/** A way to end: who it is, and how it is started, ended for good, and started anew at its address. */
interface Way {
  readonly address: string
  readonly start: (system: System, place: object) => Promise<unknown>
  readonly end: (system: System) => Promise<unknown>
  /** As `start` when left out. */
  readonly again?: (system: System, place: object) => Promise<unknown>
}

const nested = (place: object) => ({ id: 's', children: [{ id: 'inner', children: [m(place)] }] })

const ways: Record<string, Way> = {
  'a top-level actor that is stopped': {
    address: 'top',
    start: (system, place) => system.spawn(meter, { id: 'top', restore: 'snapshot', ...place }),
    end: system => system.stopActor('top'),
  },
  'a temporary top-level actor that is killed': {
    address: 'top',
    start: (system, place) => system.spawn(meter, { id: 'top', restore: 'snapshot', restart: 'temporary', ...place }),
    end: system => system.kill('top'),
  },
  'a child of a dynamic supervisor that is terminated': {
    address: 'd/m',
    start: async system => (await system.supervise({ id: 'd', dynamic: true })).startChild(m()),
    end: system => system.supervisor('d').terminateChild('m'),
    again: system => system.supervisor('d').startChild(m()),
  },
  'a temporary child of a dynamic supervisor that is killed': {
    address: 'd/m',
    start: async system => (await system.supervise({ id: 'd', dynamic: true })).startChild(m({ restart: 'temporary' })),
    end: system => system.kill('d/m'),
    again: system => system.supervisor('d').startChild(m()),
  },
  'a child that is terminated and restarted': {
    address: 't/m',
    start: (system, place) => system.supervise({ id: 't', children: [m(place)] }),
    end: system => system.supervisor('t').terminateChild('m'),
    again: system => system.supervisor('t').restartChild('m'),
  },
  'a child of another thread than its supervisor': {
    address: 't/m',
    start: (system, place) =>
      system.supervise({ id: 't', children: [m(place), child(meter, { id: 'other', shard: 1 })] }),
    end: system => system.supervisor('t').terminateChild('m'),
    again: system => system.supervisor('t').restartChild('m'),
  },
  'a child of a tree that is stopped': {
    address: 's/inner/m',
    start: (system, place) => system.supervise(nested(place)),
    end: system => system.stopActor('s'),
  },
}

for (const shard of ['main', 0] as const) {
  const where = shard === 'main' ? 'the main thread' : 'a shard'
  for (const [who, { address, start, end, again = start }] of Object.entries(ways)) {
    t.test(`on ${where} nobody keeps, or goes on from, the state of ${who}`, async t => {
      const system = await startSharded(t)
      const { kernel, router } = internalsOf(system)
      await start(system, { shard })
      await work(system, address)
      await end(system)
      for (const each of [0, 1]) await router!.sync(each)
      t.equal(kernel.checkpoints.size, 0)
      await again(system, { shard })
      t.match(await stateOf(system, address), { count: 0 })
    })
  }

  t.test(`on ${where} the children of a supervisor that is killed begin anew`, async t => {
    const system = await startSharded(t)
    await system.supervise(nested({ shard }))
    await work(system, 's/inner/m')
    await system.kill('s/inner')
    t.match(await stateOf(system, 's/inner/m'), { count: 0 })
  })
}

t.test('a child that was added goes with its shard: the next one of its address begins anew', async t => {
  const system = await startSharded(t)
  const narrow = await system.supervise({ id: 'n', children: [m({ shard: 0 })] })
  await narrow.startChild(m({ id: 'added', shard: 0 }))
  for (const address of ['n/m', 'n/added']) await work(system, address)
  await killShard(system, 0)
  t.match(await stateOf(system, 'n/m'), { count: 1 }, 'what the spec names goes on')
  await narrow.startChild(m({ id: 'added', shard: 0 }))
  t.match(await stateOf(system, 'n/added'), { count: 0 })
})
