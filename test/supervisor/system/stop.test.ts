/** How a system stops, and replaces its workers by command: in order, within its deadlines, with nothing uncounted. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { systemClock } from '../../../src/actors/runtime/clock.ts'
import type { Fact } from '../../../src/messages/thread/fact.ts'
import { createSystem, type System } from '../../../src/supervisor/system.ts'
import { collectFacts, exitOf, quiet, startLocal, turn } from '../fixtures/local-system.ts'
import { startSharded } from '../fixtures/sharded-system.ts'
import { refuses } from '../fixtures/starts.ts'
import { subject } from '../fixtures/subject.ts'

t.setTimeout(120_000)

const told = (fact: Fact) => (fact.kind === 'shard' ? [`${fact.address} ${fact.state}`] : [])

t.test('shards stop last first, after the actors of the main thread', async t => {
  const system = await createSystem({ shards: 3, logger: quiet })
  const inspection = system.inspect({ kinds: ['shard'] })
  await inspection.ready
  const here = await system.spawn(subject, { id: 'here', shard: 'main' })
  const there = await system.spawn(subject, { id: 'there', shard: 0 })
  const order: string[] = []
  for (const actor of [here, there])
    system.watch(actor, ({ address, reason }) => order.push(`${address} ${reason.type}`))
  const collected = (async () => {
    for await (const fact of inspection) order.push(...told(fact))
  })()
  await system.stop()
  await collected
  t.same(order, ['here shutdown', 'shard/2 stopped', 'shard/1 stopped', 'there shutdown', 'shard/0 stopped'])
})

t.test('a shard whose actors have not stopped in 10 s is ended', async t => {
  // On the clock of the main thread ten seconds are over at once, and no other long time ever is.
  const setTimeout: typeof systemClock.setTimeout = (fn, ms) => {
    if (ms < 5_000) return systemClock.setTimeout(fn, ms)
    return ms === 10_000 ? systemClock.setTimeout(fn, 1) : undefined
  }
  const system = await createSystem({ shards: 1, logger: quiet, clock: { ...systemClock, setTimeout } })
  const r = await system.spawn(refuses, { id: 'r', shard: 0, shutdown: 'infinity' })
  const ended = exitOf(system, r)
  await system.stop()
  t.match(await ended, { reason: { type: 'killed' }, shardLoss: { shard: 0, incarnation: 1 } })
})

t.test('a second stop waits for the same end', async t => {
  const { system } = await startLocal(t)
  const first = system.stop()
  t.equal(system.stop(), first)
  await first
})

t.test('a rolling restart replaces one worker after the other', async t => {
  const system = await startSharded(t)
  const { facts, ready } = collectFacts(system, ['shard'])
  await ready
  await system.rollingRestart()
  t.same(
    facts.flatMap(told),
    [0, 1].flatMap(shard => ['stopped', 'starting', 'up'].map(state => `shard/${shard} ${state}`)),
  )
})

t.test('dead letters of a shard are not forgotten when it is replaced or stopped by command', async t => {
  const system: System = await startSharded(t)
  const s = await system.spawn(subject, { id: 's', shard: 0 })
  s.send({ type: 'subject.send', to: 'nobody', text: '1' })
  while ((await system.deadLetters()).counts.refused === 0) await turn()
  await system.rollingRestart()
  t.match(await system.deadLetters(), { counts: { refused: 1 }, letters: [{ from: 's', to: 'nobody' }] })
  s.send({ type: 'subject.send', to: 'nobody', text: '2' })
  while ((await system.deadLetters()).counts.refused === 1) await turn()
  await system.stop()
  t.match((await system.deadLetters()).counts, { refused: 2 })
})

t.test('the library listens to no signal', async t => {
  // In a process of its own: the test runner listens to some.
  const program = `
    const { createSystem } = await import(${JSON.stringify(new URL('../../../src/index.ts', import.meta.url))})
    await using system = await createSystem({ shards: 1 })
    console.log(process.eventNames().filter(name => String(name).startsWith('SIG')).length)
  `
  const plain = ['-u', 'NODE_OPTIONS', process.execPath, '--input-type=module', '--eval', program]
  const { stdout } = await promisify(execFile)('env', plain)
  t.equal(stdout, '0\n')
})
