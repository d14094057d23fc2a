/** A system that is stopped in the middle of the replacement of a worker. */
import t from 'tap'
import { child } from '../../../src/actors/runtime/child.ts'
import type { Fact } from '../../../src/messages/thread/fact.ts'
import { createSystem, internalsOf, type System } from '../../../src/supervisor/system.ts'
import { counter } from '../fixtures/counter.ts'
import { collectFacts, quiet } from '../fixtures/local-system.ts'
import { inTime } from '../fixtures/sharded-system.ts'

t.setTimeout(180_000)

type State = Extract<Fact, { kind: 'shard' }>['state']

/** A system of two shards, each with actors, and the states of shard 0 as they are told. */
async function start() {
  const system = await createSystem({ shards: 2, logger: quiet })
  for (let n = 0; n < 10; n++) {
    await system.spawn(counter, { id: `c${n}`, input: { from: n }, shard: n % 2 })
  }
  const children = [0, 1].map(shard => child(counter, { id: `${shard}`, input: { from: 0 }, shard }))
  await system.supervise({ id: 'wide', intensity: 100, children })
  const { facts, ready, until } = collectFacts(system, ['shard'])
  await ready
  const told = (state: State, times = 1) =>
    until(
      () =>
        facts.filter(fact => fact.kind === 'shard' && fact.address === 'shard/0' && fact.state === state).length ===
        times,
    )
  return { system, facts, told }
}

function killShard0(system: System): void {
  void internalsOf(system).shards!.worker(0)!.terminate({ type: 'killed' })
}

/** Whose last word is not that its worker is gone. */
function notEnded(facts: readonly Fact[]): string[] {
  const last = new Map<string, string>()
  for (const fact of facts) if (fact.kind === 'shard') last.set(fact.address, fact.state)
  return [...last].filter(([, state]) => state !== 'stopped' && state !== 'lost').map(pair => pair.join(' '))
}

const moments: Record<string, (running: Awaited<ReturnType<typeof start>>) => Promise<unknown>> = {
  'while the thread ends': async ({ system }) => killShard0(system),
  'when the death is told': async ({ system, told }) => {
    killShard0(system)
    await told('lost')
  },
  'while the next one is activated': async ({ system, told }) => {
    killShard0(system)
    await told('starting')
  },
  'while no spare is loaded': async ({ system, told }) => {
    killShard0(system)
    await told('up')
    killShard0(system)
    await told('starting', 2)
  },
  'while its actors start': async ({ system, told }) => {
    killShard0(system)
    await told('up')
  },
}

for (const [name, moment] of Object.entries(moments)) {
  t.test(`stopped ${name} it ends cleanly, and tells who asks`, async t => {
    const running = await start()
    const { system, facts } = running
    await moment(running)
    const asks = [0, 1].map(n => system.ref(counter, `c${n}`).ask({ type: 'counter.read' }, inTime))
    const outcomes = Promise.allSettled(asks)
    await system.stop()
    for (const outcome of await outcomes) {
      if (outcome.status === 'rejected') t.match(outcome.reason, { code: /SHUTTING_DOWN|ACTOR_DIED|NO_SUCH_ACTOR/ })
    }
    t.same(notEnded(facts), [])
    const { kernel, shards } = internalsOf(system)
    t.equal(kernel.asks.size, 0)
    t.same(
      [0, 1].map(shard => shards!.worker(shard)),
      [undefined, undefined],
    )
    await t.rejects(shards!.control(0), { code: 'SHUTTING_DOWN' })
  })
}
