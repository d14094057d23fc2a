/** What is asked of actors whose shard, or whose supervisor, has just been lost. */
import t from 'tap'
import { child } from '../../../src/actors/runtime/child.ts'
import { createChaos } from '../../../src/chaos/chaos.ts'
import { isStarfishError } from '../../../src/messages/errors.ts'
import type { SpawnOptions, System } from '../../../src/supervisor/system.ts'
import { asker } from '../fixtures/asker.ts'
import { counter } from '../fixtures/counter.ts'
import { exitOf, turn } from '../fixtures/local-system.ts'
import { reluctant } from '../fixtures/reluctant.ts'
import { startSharded } from '../fixtures/sharded-system.ts'

t.setTimeout(180_000)

/** Far below the time that is allowed for all. */
const inTime = { timeoutMs: 10_000 }
const read = { type: 'counter.read' } as const
const counterOn = (shard: number, id: string) => child(counter, { id, input: { from: 7 }, shard })

/** Asks from the main thread, and from an actor of shard 1. */
function ways(system: System, id: string): readonly (() => Promise<unknown>)[] {
  return [
    () => system.ref(counter, id).ask(read, inTime),
    () => system.ref(asker, 'asker').ask({ type: 'asker.ask', to: id, event: read }, inTime),
  ]
}

/** How the death of shard 0 is inflicted, and how its user hears of it. */
const reports: Record<string, (system: System) => Promise<unknown>> = {
  'the injector says so': system => createChaos(system).kill({ shard: 0 }),
  'its crash is told': system => createChaos(system).crash({ shard: 0 }, 'throw'),
  'the exit of an actor is told': async system => {
    const exited = new Promise(resolve => system.watch('top', resolve))
    void createChaos(system).kill({ shard: 0 })
    await exited
  },
  'the fact is told': async system => {
    const inspection = system.inspect({ kinds: ['shard'] })
    await inspection.ready
    void createChaos(system).kill({ shard: 0 })
    for await (const fact of inspection) if (fact.kind === 'shard' && fact.state === 'lost') return
  },
}

t.test('what is asked as soon as the death of a shard was reported waits for the next worker', async t => {
  const system = await startSharded(t)
  await system.spawn(counter, { id: 'top', input: { from: 7 }, shard: 0 })
  await system.supervise({ id: 'tree', children: [counterOn(0, 'c')] })
  const children = [counterOn(0, 'here'), counterOn(1, 'there')]
  await system.supervise({ id: 'wide', intensity: 100, children })
  await system.spawn(asker, { id: 'asker', shard: 1 })
  const targets = ['top', 'tree/c', 'wide/here']
  for (let round = 0; round < 3; round++) {
    for (const [name, report] of Object.entries(reports)) {
      await report(system)
      const answers = await Promise.all(targets.flatMap(id => ways(system, id)).map(ask => ask().catch(String)))
      t.same(
        answers,
        answers.map(() => 7),
        `round ${round}: ${name}`,
      )
    }
  }
  t.same((await system.deadLetters()).letters, [])
})

t.test('a start that fails is tried again on the next worker, and what comes meanwhile waits for it', async t => {
  const system = await startSharded(t)
  const cells = new SharedArrayBuffer(8)
  const r = await system.spawn(reluctant, { id: 'r', input: { cells, failing: [2, 3] }, shard: 0 })
  await createChaos(system).kill({ shard: 0 })
  for (let by = 1; by <= 10; by++) r.send({ type: 'reluctant.add', by })
  t.equal(await r.ask({ type: 'reluctant.sum' }, inTime), 55)
  t.equal(new Int32Array(cells)[0], 4)
  t.same((await system.deadLetters()).letters, [])
  t.match(await r.inspect(), { shard: 0, context: { failing: [2, 3] } })
})

t.test('one that fails as often as it may be restarted does not come back, and its address is free', async t => {
  const system = await startSharded(t)
  const cells = new SharedArrayBuffer(8)
  const r = await system.spawn(reluctant, { id: 'r', input: { cells, failing: [2, 3, 4, 5] }, shard: 0 })
  await createChaos(system).kill({ shard: 0 })
  await t.rejects(r.ask({ type: 'reluctant.sum' }, inTime), { code: 'NO_SUCH_ACTOR', handled: /^no$/ })
  t.equal(new Int32Array(cells)[0], 5)
  const again = await spawnWhenFree(system, { id: 'r', input: { cells, failing: [] }, shard: 1 })
  t.equal(await again.ask({ type: 'reluctant.sum' }, inTime), 0)
})

t.test('who asked while a child was placed nowhere finds it when it lives again', async t => {
  const system = await startSharded(t)
  const children = [counterOn(0, 'here'), counterOn(1, 'there')]
  await system.supervise({ id: 'wide', intensity: 0, children })
  await system.spawn(asker, { id: 'asker', shard: 1 })
  const asks = ways(system, 'wide/here')
  for (const ask of asks) t.equal(await ask(), 7)
  const exited = exitOf(system, 'wide/here')
  system.ref(counter, 'wide/here').send({ type: 'counter.crash' })
  await exited
  // It gives up, and its own supervisor starts it anew: in between nobody has the address.
  await Promise.all(asks.map(askUntilAnswered))
})

/** Asks again as long as nobody has the address. */
async function askUntilAnswered(ask: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await ask()
      return
    } catch (error) {
      if (!isStarfishError(error, 'NO_SUCH_ACTOR')) throw error
    }
    await turn()
  }
}

/** An address that was given up is free once the main thread has heard of it. */
async function spawnWhenFree(system: System, options: SpawnOptions<typeof reluctant>) {
  for (;;) {
    try {
      return await system.spawn(reluctant, options)
    } catch (error) {
      if (!isStarfishError(error, 'DUPLICATE_ADDRESS')) throw error
    }
    await turn()
  }
}
