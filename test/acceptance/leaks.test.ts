import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { child } from '../../src/actors/runtime/child.ts'
import { internalsOf, type System } from '../../src/supervisor/system.ts'
import { counter } from '../supervisor/fixtures/counter.ts'
import { exitOf, startLocal, turn } from '../supervisor/fixtures/local-system.ts'
import { inTime, killShard, startSharded } from '../supervisor/fixtures/sharded-system.ts'

t.setTimeout(180_000)

/** What the process holds, by kind, and how many threads it has where that can be seen. */
function held(): string {
  const counts: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
  const tasks = '/proc/self/task'
  if (existsSync(tasks)) counts['threads'] = readdirSync(tasks).length
  return JSON.stringify(Object.entries(counts).sort())
}

/** Threads and ports end, and spares load, in their own time: waits until the process holds the same twice as long as that takes. */
async function heldAtRest(): Promise<string> {
  let last = held()
  for (let same = 0; same < 2_000; same++) {
    await turn()
    const now = held()
    if (now === last) continue
    last = now
    same = 0
  }
  return last
}

async function reaches(expected: string): Promise<string> {
  let now = held()
  for (let turns = 0; now !== expected && turns < 200_000; turns++) {
    await turn()
    now = held()
  }
  return now
}

/** Sizes of all that the main thread's kernel keeps. */
function kept(system: System) {
  const { kernel, directory } = internalsOf(system)
  return {
    asks: kernel.asks.size,
    entries: kernel.entries.size,
    watches: kernel.watches.addresses().length,
    checkpoints: kernel.checkpoints.size,
    places: directory.size,
  }
}

/** Runs a program to its end; what it printed. */
async function run(t: Test, fixture: string, ...args: string[]): Promise<string> {
  const program = fileURLToPath(new URL(`../supervisor/fixtures/${fixture}`, import.meta.url))
  const child = spawn(process.execPath, ['--expose-gc', program, ...args])
  let out = ''
  child.stdout.on('data', data => {
    out += data
  })
  child.stderr.on('data', data => t.comment(String(data)))
  const code = await new Promise(resolve => child.on('close', resolve))
  t.equal(code, 0)
  return out
}

async function crash(system: System, address: string, times: number): Promise<void> {
  const ref = system.ref(counter, address)
  for (let i = 0; i < times; i++) {
    await ref.ask({ type: 'counter.read' }, inTime)
    const ended = exitOf(system, address)
    ref.send({ type: 'counter.crash' })
    await ended
  }
  await ref.ask({ type: 'counter.read' }, inTime)
}

t.test('1,000 crashes and 30 replaced shards leave the handles, ports, timers and threads that were there', async t => {
  const system = await startSharded(t)
  for (const [id, shard] of [
    ['main', 'main'],
    ['far', 0],
  ] as const) {
    const children = [child(counter, { id: 'c', input: { from: 0 }, shard, restore: 'snapshot' })]
    await system.supervise({ id, intensity: 10_000, children })
    await crash(system, `${id}/c`, 10)
  }
  await killShard(system, 0)
  await system.ref(counter, 'far/c').ask({ type: 'counter.read' }, inTime)
  const visits = await system.supervise({ id: 'visits', dynamic: true })
  const before = await heldAtRest()
  const keptBefore = kept(system)
  await crash(system, 'main/c', 500)
  await crash(system, 'far/c', 500)
  for (let i = 0; i < 100; i++) {
    await visits.startChild(child(counter, { id: `v${i}`, input: { from: 0 }, restore: 'snapshot' }))
    await visits.terminateChild(`v${i}`)
  }
  const supervisor = internalsOf(system).kernel.entries.get('$shards')!.cell!.engine!.context as { restarts: number[] }
  for (let i = 0; i < 30; i++) {
    // Not to test the budget.
    supervisor.restarts.length = 0
    await killShard(system, 0)
    await system.ref(counter, 'far/c').ask({ type: 'counter.read' }, inTime)
  }
  t.equal(await reaches(before), before)
  t.same(kept(system), keptBefore)
  await system.stop()
})

t.test('without shards nothing is left of actors that came and went', async t => {
  const { system, clock } = await startLocal(t)
  const before = kept(system)
  for (let i = 0; i < 1_000; i++) {
    const c = await system.spawn(counter, { id: `c${i}`, input: { from: 0 }, restore: 'snapshot' })
    system.group('g').join(c)
    system.watch(c, () => {})
    c.send({ type: 'counter.crash' })
    await turn()
    await system.stopActor(c)
  }
  await turn()
  t.same(kept(system), before)
  t.same(system.group('g').members(), [])
  t.equal(clock.pending, 0)
})

for (const shards of [0, 1]) {
  t.test(`systems with ${shards} shards that have stopped are not kept in memory`, async t => {
    t.equal(await run(t, 'forgets.ts', `${shards}`), 'kept 0\n')
  })
}

for (const shards of [0, 2]) {
  t.test(`a program whose system with ${shards} shards has stopped ends by itself`, async t => {
    t.equal(await run(t, 'stops.ts', `${shards}`), 'stopped ACTOR_DIED\n')
  })
}
