/** The set of shards over a worker host that the test plays. */
import t from 'tap'
import { child } from '../../../src/actors/runtime/child.ts'
import { createRandom, createVirtualClock } from '../../../src/actors/runtime/clock.ts'
import { spawnBudget } from '../../../src/supervisor/child-spec.ts'
import { Kernel } from '../../../src/supervisor/kernel/kernel.ts'
import { actorsSupervisor } from '../../../src/supervisor/kernel/well-known.ts'
import { Directory } from '../../../src/supervisor/router/directory.ts'
import { ThreadRouter } from '../../../src/supervisor/router/thread-router.ts'
import type { ShardControl } from '../../../src/supervisor/shard/shard-control.ts'
import { ShardSet } from '../../../src/supervisor/shard/shard-set.ts'
import type { WorkerHost } from '../../../src/supervisor/shard/worker-host.ts'
import { resolveChildSpec } from '../../../src/supervisor/spec-check.ts'
import { counter } from '../fixtures/counter.ts'
import { quiet, turn } from '../fixtures/local-system.ts'
import { type PlayedWorker, playWorker } from '../fixtures/played-worker.ts'

const parent = { id: actorsSupervisor, ...spawnBudget, autoShutdown: 'never' } as const

/** A set of one shard over workers that the test plays; time passes when the test has it pass. */
function createSet(control: Partial<ShardControl> = {}) {
  const clock = createVirtualClock()
  const kernel = new Kernel({
    shard: -1,
    incarnation: 1,
    clock,
    random: createRandom(1),
    logger: quiet,
    deadLettersMax: 0,
    onFact: () => {},
  })
  const router = new ThreadRouter(kernel, () => null)
  kernel.setRouter(router)
  const workers: PlayedWorker[] = []
  const host: WorkerHost = {
    start({ workerIndex }) {
      const played = playWorker(workerIndex, control)
      workers.push(played)
      return played.worker
    },
    close: async () => {
      for (const { end } of workers) end()
    },
  }
  const options = {
    count: 1,
    childOf: (index: number) => child(counter, { id: `${index}`, input: { from: 0 } }),
    deadLettersMax: 0,
    heapMb: undefined,
    loadTimeoutMs: 30_000,
    logger: quiet,
    relog() {},
  }
  return { set: new ShardSet(kernel, router, new Directory(), host, options), workers, clock }
}

t.test('a worker that loads for ever holds up no stop', async t => {
  const { set, workers } = createSet()
  const up = set.bringUp(0)
  set.startNoMore()
  await t.rejects(up)
  t.match(await workers[0]!.worker.ended, { reason: { type: 'shutdown' } })
  await t.rejects(set.bringUp(0), { code: 'SHUTTING_DOWN' })
  t.equal(workers.length, 1, 'no other was started')
  await set.close()
  await t.rejects(set.control(0), { code: 'SHUTTING_DOWN' })
})

/** A set whose worker is lost and replaced by the spare: one actor is on its way back, and stays so until `back`. */
async function loseWorker() {
  const begun = Promise.withResolvers<void>()
  const back = Promise.withResolvers<void>()
  const { set, workers, clock } = createSet({
    activate: () => ({ value: true }),
    preload: async () => ({ value: true }),
    rehearse: async () => ({ value: true }),
    startResident: async () => ({ value: 'started' }),
    startResidents: async () => {
      begun.resolve()
      await back.promise
      return { value: true }
    },
  })
  const bringUp = async () => {
    const up = set.bringUp(0)
    for (const { load } of workers) load()
    await up
  }
  await bringUp()
  await set.residents.start(0, resolveChildSpec(child(counter, { id: 'counter', input: { from: 0 } }), parent))
  while (workers.length < 2) await turn()
  const [lost] = workers
  lost!.end({ type: 'killed' })
  set.noteLost(0, lost!.worker, await lost!.worker.ended)
  await bringUp()
  await begun.promise
  return { set, workers, clock, back }
}

t.test('what was lost comes back before the next spare is loaded', async t => {
  const { set, workers, back } = await loseWorker()
  // An answer of the worker takes fewer.
  for (let turns = 0; turns < 1_000; turns++) await turn()
  t.equal(workers.length, 2, 'while an actor comes back no third worker is started')
  back.resolve()
  while (workers.length < 3) await turn()
  await set.close()
})

t.test('for actors that take their time to come back the next spare waits 100 ms', async t => {
  const { set, workers, clock, back } = await loseWorker()
  await clock.advance(99)
  t.equal(workers.length, 2)
  await clock.advance(1)
  t.equal(workers.length, 3)
  back.resolve()
  await set.close()
})
