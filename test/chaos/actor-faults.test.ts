import t from 'tap'
import { child } from '../../src/actors/runtime/child.ts'
import { isStarfishError } from '../../src/messages/errors.ts'
import { internalsOf } from '../../src/supervisor/system.ts'
import { notebook } from './fixtures/notebook.ts'
import { incarnationOf, read, startSystem } from './fixtures/start.ts'

const { system, chaos } = await startSystem(t, { shards: 2 })
const neighbour = await system.spawn(notebook, { id: 'neighbour', shard: 1 })

for (const { name, shard } of [
  { name: 'on a shard', shard: 1 },
  { name: 'on the main thread', shard: 'main' },
] as const) {
  t.test(
    `an actor ${name} that is killed, throws or rejects ends for that reason, alone, and is started again`,
    async t => {
      const id = `victim-${shard}`
      const victim = await system.spawn(notebook, { id, shard })
      victim.send({ type: 'notebook.write', line: 'lost with the first' })
      await read(victim)
      const killed = await chaos.kill(victim)
      t.match(killed, { address: id, incarnation: 1, definition: 'notebook', reason: { type: 'killed' } })
      t.equal(killed.lastEvents[0]?.type, 'notebook.write')
      t.same(await read(victim), [])
      const threw = await chaos.crash(id, 'throw')
      t.match(threw, { incarnation: 2, reason: { type: 'threw', error: { message: 'thrown by chaos' } } })
      t.same(await read(victim), [])
      const rejected = await chaos.crash(victim, 'reject')
      t.match(rejected, {
        incarnation: 3,
        reason: { type: 'unhandledRejection', error: { message: 'rejected by chaos' } },
      })
      t.same(await read(victim), [])
      t.equal(await incarnationOf(victim), 4)
      t.equal(await incarnationOf(neighbour), 1, 'nobody else was hurt')
      await system.stopActor(victim)
    },
  )

  t.test(`an actor ${name} that is paused serves neither lane until it is resumed, then both`, async t => {
    const sleeper = await system.spawn(notebook, { id: `sleeper-${shard}`, shard, shutdown: 60_000 })
    const pause = await chaos.pause(sleeper)
    const again = await chaos.pause(sleeper)
    sleeper.send({ type: 'notebook.write', line: 'second' })
    const { kernel } = internalsOf(system)
    kernel.send(null, sleeper.address, { type: 'notebook.write', line: 'first' } as { type: string }, 'control')
    let answered = false
    const lines = read(sleeper).then(all => {
      answered = true
      return all
    })
    await read(neighbour)
    t.equal((await sleeper.inspect())?.mailboxDepth, 2, 'they wait in its mailbox')
    await pause.release()
    await pause.release()
    t.equal((await sleeper.inspect())?.mailboxDepth, 2, 'as long as one pause lasts')
    t.notOk(answered)
    await again.release()
    t.same(await lines, ['first', 'second'])

    const asleep = await chaos.pause(sleeper)
    const exit = await chaos.kill(sleeper)
    t.match(exit, { incarnation: 1, reason: { type: 'killed' } })
    t.same(await read(sleeper), [], 'the pause ended with the incarnation')
    const next = await chaos.pause(sleeper)
    await asleep.release()
    sleeper.send({ type: 'notebook.write', line: 'to the next' })
    await read(neighbour)
    t.equal((await sleeper.inspect())?.mailboxDepth, 1, 'and lifting it leaves the pause of the next one alone')
    await next.release()
    t.same(await read(sleeper), ['to the next'])
    await system.stopActor(sleeper)
  })
}

t.test('resume lifts every pause of an actor, and no other', async t => {
  const one = await system.spawn(notebook, { id: 'one' })
  const other = await system.spawn(notebook, { id: 'other' })
  const pauses = await Promise.all([chaos.pause(one), chaos.pause('one'), chaos.pause(other)])
  await chaos.resume(one)
  t.same(await read(one), [])
  const early = await other.ask({ type: 'notebook.read' }, { timeoutMs: 20 }).catch((error: unknown) => error)
  t.ok(isStarfishError(early, 'ASK_TIMEOUT'))
  await pauses[2]!.release()
  t.same(await read(other), [])
})

t.test('a child of a supervisor is an actor like any other', async t => {
  const children = [child(notebook, { id: 'leaf' })]
  await using tree = await system.supervise({ id: 'tree', strategy: 'one_for_one', children })
  t.match(await chaos.crash('tree/leaf', 'throw'), { address: 'tree/leaf', reason: { type: 'threw' } })
  t.same(await read(system.ref(notebook, 'tree/leaf')), [])
  t.match(await chaos.kill(tree), { address: 'tree', definition: 'supervisor', reason: { type: 'killed' } })
})

t.test('an actor that does not live is said to be none', async t => {
  const mortal = await system.spawn(notebook, { id: 'mortal', restart: 'temporary' })
  t.match(await chaos.kill(mortal), { reason: { type: 'killed' } })
  const faults = [
    () => chaos.kill(mortal),
    () => chaos.crash('nobody', 'throw'),
    () => chaos.crash('nobody', 'exit'),
    () => chaos.stall('neighbour/nobody', 10),
    () => chaos.pause('neighbour/nobody'),
    () => chaos.drop({ from: 'nobody', to: 'neighbour' }),
    () => chaos.drop({ from: 'neighbour/nobody', to: 'neighbour' }),
    () => chaos.delay({ from: null, to: 'nobody', delayMs: 10 }),
  ]
  for (const fault of faults) await t.rejects(async () => fault(), { code: 'NO_SUCH_ACTOR' }, String(fault))
})

t.test('what makes no sense is refused before anything is done', async t => {
  const here = await system.spawn(notebook, { id: 'here', shard: 'main' })
  const faults: readonly (readonly [option: string, fault: () => Promise<unknown>])[] = [
    ['shard', () => chaos.kill({ shard: 2 })],
    ['shard', () => chaos.kill({ shard: -1 })],
    ['shard', () => chaos.pause({ shard: 2 })],
    ['target', () => chaos.pause('$actors')],
    ['target', () => chaos.kill('$actors')],
    ['target', () => chaos.kill('')],
    ['target', () => chaos.kill({} as { shard: number })],
    ['how', () => chaos.crash(neighbour, 'kill' as 'throw')],
    ['target', () => chaos.crash(here, 'exit')],
    ['target', () => chaos.crash(here, 'outOfMemory')],
    ['target', () => chaos.stall(here, 10)],
    ['forMs', () => chaos.stall(neighbour, 0)],
    ['forMs', () => chaos.stall(neighbour, Number.POSITIVE_INFINITY)],
    ['count', () => chaos.drop({ from: null, to: neighbour, count: 0 })],
    ['ratio', () => chaos.drop({ from: null, to: neighbour, ratio: 1.1 })],
    ['ratio', () => chaos.drop({ from: null, to: neighbour, ratio: 0.5, count: 1 })],
    ['delayMs', () => chaos.delay({ from: null, to: neighbour, delayMs: 0 })],
    ['kind', () => chaos.inflict({ kind: 'mischief' } as never)],
    ['shard', () => chaos.inflict({ kind: 'kill', target: 'neighbour', shard: 1 } as never)],
    ['shardHeapMb', () => chaos.crash(neighbour, 'outOfMemory')],
  ]
  for (const [option, fault] of faults) {
    await t.rejects(fault(), { code: 'BAD_CONFIG', details: { option } }, String(fault))
  }
  t.equal(await incarnationOf(neighbour), 1)
})
