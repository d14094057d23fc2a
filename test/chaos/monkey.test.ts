import t from 'tap'
import { child } from '../../src/actors/runtime/child.ts'
import { createVirtualClock } from '../../src/actors/runtime/clock.ts'
import {
  type Chaos,
  createChaos,
  drawSchedule,
  type FaultName,
  type MonkeyOptions,
  type ScheduledFault,
} from '../../src/chaos/index.ts'
import { internalsOf } from '../../src/supervisor/system.ts'
import { notebook } from './fixtures/notebook.ts'
import { incarnationOf, read, startSystem, whenUp } from './fixtures/start.ts'

const faults: readonly FaultName[] = ['kill', 'throw', 'reject', 'pause', 'drop', 'delay']

/** A fault that no test waits for. */
const late: ScheduledFault = { atMs: 600_000, fault: { kind: 'kill', target: 'a' } }

/** A world of two actors without shards and with a clock of its own. */
async function world(t: Parameters<typeof startSystem>[0]) {
  const clock = createVirtualClock(1_000_000)
  const { system, chaos } = await startSystem(t, { shards: 0, clock })
  const a = await system.spawn(notebook, { id: 'a' })
  const b = await system.spawn(notebook, { id: 'b' })
  const lines: string[] = []
  const print = (line: string) => void lines.push(line)
  return { clock, system, chaos, a, b, lines, print }
}

t.test('a monkey does what its seed draws, until it is stopped, and says so', async t => {
  const { clock, chaos, print } = await world(t)
  const options = { everyMs: 4_000, faults, targets: ['a', 'b'] }
  const monkey = chaos.monkey({ ...options, seed: 11, print })
  await clock.advance(100_000)
  const report = await monkey.stop()
  const count = report.done.length
  t.ok(count > 15, `${count} faults in 100 s`)
  t.equal(report.seed, 11)
  t.same(
    report.done.map(({ outcome: _outcome, ...drawn }) => drawn),
    drawSchedule(11, { ...options, count }).faults,
  )
  t.same(new Set(report.done.map(({ outcome }) => outcome)), new Set(['done']))
  const { done } = report
  await clock.advance(100_000)
  t.equal((await monkey.stop()).done, done)
  t.equal(done.length, count, 'it does nothing more')
})

t.test('what a monkey prints repeats it', async t => {
  const first = await world(t)
  const { print } = first
  const monkey = first.chaos.monkey({ everyMs: 3_000, targets: [first.a, 'b'], print })
  await first.clock.advance(60_000)
  const told = await monkey.stop()
  t.equal(first.lines.length, 1)
  const [, seed, call] = /^chaos: seed (\d+); to repeat: (chaos\.monkey\(.*\))$/.exec(first.lines[0]!) ?? []
  t.equal(Number(seed), told.seed)
  const second = await world(t)
  const quiet: Pick<Chaos, 'monkey'> = {
    monkey: (options: MonkeyOptions) => second.chaos.monkey({ ...options, print: second.print }),
  }
  const again = new Function('chaos', `return ${call}`)(quiet) as ReturnType<Chaos['monkey']>
  await second.clock.advance(60_000)
  t.same(await again.stop(), told)
})

t.test('what lasts is lifted after its time, and all of it when the monkey stops', async t => {
  const { clock, chaos, a, b, system } = await world(t)
  const seed = 3
  const options = { everyMs: 1_000, faults: ['pause', 'drop', 'delay'] as const, targets: ['a', 'b'] }
  const [first] = drawSchedule(seed, { ...options, count: 1 }).faults
  const play = chaos.play({ seed, faults: [first!] })
  await clock.advance(first!.atMs)
  const { kernel } = internalsOf(system)
  const isCalm = () =>
    kernel.intercept === undefined && ['a', 'b'].every(address => kernel.entries.get(address)?.cell?.pauses === 0)
  t.notOk(isCalm())
  await clock.advance(first!.forMs!)
  t.same(
    await play.finished,
    { seed, done: [{ ...first, outcome: 'done' }] },
    'a schedule comes to its end with its last fault',
  )
  t.ok(isCalm())
  const monkey = chaos.monkey({ ...options, seed, print: () => {} })
  let rough = 0
  for (let second = 0; second < 40; second++) {
    await clock.advance(1_000)
    if (!isCalm()) rough++
  }
  t.ok(rough > 0 && rough < 40, `rough in ${rough} of 40 looks`)
  while (isCalm()) await clock.advance(100)
  await monkey.stop()
  t.ok(isCalm(), 'it leaves nothing behind')
  t.same([await read(a), await read(b)], [[], []])
})

t.test('a fault that finds nobody is on the account as such, and the monkey goes on', async t => {
  const { clock, chaos, system } = await world(t)
  await system.spawn(notebook, { id: 'mortal', restart: 'temporary' })
  const monkey = chaos.monkey({ seed: 1, everyMs: 100, faults: ['kill'], targets: ['mortal'], print: () => {} })
  await clock.advance(1_000)
  const outcomes = (await monkey.stop()).done.map(({ outcome }) => outcome)
  t.same(outcomes.slice(0, 3), ['done', 'NO_SUCH_ACTOR', 'NO_SUCH_ACTOR'])
})

for (const shards of [0, 1]) {
  t.test(`monkeys and plays end with their injector, what they did lifted, with ${shards} shards`, async t => {
    const { system } = await startSystem(t, { shards })
    const chaos = createChaos(system)
    const a = await system.spawn(notebook, { id: 'a' })
    const b = await system.spawn(notebook, { id: 'b' })
    const isKilled = new Promise(resolve => system.watch(b, resolve))
    const monkey = chaos.monkey({ everyMs: 60_000, targets: [a], print: () => {} })
    const now = (kind: 'pause' | 'kill', target: string) => ({ atMs: 0, fault: { kind, target } })
    const play = chaos.play({ seed: 1, faults: [now('pause', 'a'), now('kill', 'b'), late] })
    await isKilled
    const answer = read(a)
    await chaos[Symbol.asyncDispose]()
    t.same((await monkey.finished).done, [])
    t.match((await play.finished).done, [{ outcome: 'done' }, { outcome: 'done' }])
    t.same(await answer, [], 'the pause is lifted')
  })

  t.test(
    `monkeys and plays end with their system, and begin nothing in one that stops, with ${shards} shards`,
    async t => {
      const { system, chaos } = await startSystem(t, { shards })
      const monkey = () => chaos.monkey({ everyMs: 60_000, targets: ['a'], print: () => {} })
      const runs = [monkey(), chaos.play({ seed: 1, faults: [late] })]
      await system.stop()
      runs.push(monkey())
      for (const { finished } of runs) t.same((await finished).done, [])
    },
  )
}

t.test('a monkey that cannot draw is refused before it says anything', async t => {
  const { chaos, lines, print } = await world(t)
  t.throws(() => chaos.monkey({ everyMs: 0, targets: ['a'], print }), { code: 'BAD_CONFIG' })
  t.throws(() => chaos.monkey({ everyMs: 10, targets: ['a'], seed: 0.5, print }), { code: 'BAD_CONFIG' })
  t.same(lines, [])
})

t.test('a service lives on under a monkey that kills its actors and shards', async t => {
  const { system } = await startSystem(t, { shards: 2 })
  await using chaos = createChaos(system)
  const tree = await system.supervise({
    id: 'service',
    strategy: 'one_for_one',
    intensity: 1_000,
    periodMs: 1_000,
    children: [0, 1].map(shard => child(notebook, { id: `s${shard}`, shard })),
  })
  const workers = [0, 1].map(shard => system.ref(notebook, `${tree.address}/s${shard}`))
  const targets = [...workers, { shard: 0 }]
  const { faults: drawn } = drawSchedule(42, { everyMs: 1, faults: ['kill', 'throw', 'reject'], targets, count: 12 })
  const play = chaos.play({ seed: 42, faults: drawn })
  const { done } = await play.finished
  t.equal(done.length, 12)
  for (const worker of workers) {
    await whenUp(worker)
    t.same(await read(worker), [], `${worker.address} answers`)
  }
  const hits = done.filter(({ outcome }) => outcome === 'done').length
  t.ok(hits >= 6, `${hits} of 12 faults found somebody`)
  t.ok(((await incarnationOf(workers[0]!)) ?? 0) > 1)
})
