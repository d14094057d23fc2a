/** Supervision over worker threads beyond the suite: lost and stuck shards, deadlines in real time, trees that span shards. */
import t, { type Test } from 'tap'
import type { ChildSpec } from '../../src/supervisor/child-spec.ts'
import { internalsOf } from '../../src/supervisor/system.ts'
import { scripted } from './fixtures/scripted.ts'
import { intensity } from './intensity.ts'
import { createShardsStage, type Placement } from './shards-world.ts'
import { children, refuses, runGroups, story } from './suite.ts'
import type { SystemWorld } from './system-world.ts'

const stage = await createShardsStage()
const { system } = stage
t.teardown(() => stage.close())

function inWorld(name: string, placement: Placement, run: (t: Test, world: SystemWorld) => Promise<void>): void {
  t.test(name, { timeout: 20_000 }, async t => {
    const world = stage.world(placement)
    await run(t, world).finally(() => world.close())
  })
}

/** Settles when a condition holds; the test's own limit is the only one. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await stage.rest()
}

const addressesUnder = async (top: string) => (await system.tree({ under: top })).map(({ address }) => address)

t.test('children on one shard, their supervisor on the main thread', async t => {
  const lost = { ...intensity, cases: intensity.cases.filter(({ needs }) => needs?.includes('shard')) }
  runGroups([lost], () => stage.world('lodged'), [], [], t)
})

inWorld(
  'a group restart spans shards: those lost with one are one failure, those on the other are stopped',
  'spread',
  async (t, world) => {
    const specs = ['a', 'b', 'c'].map(id => world.actor(id))
    await world.supervise({ id: 'top', strategy: 'one_for_all', intensity: 1, periodMs: 60_000, children: specs })
    t.match(specs, [{ shard: 0 }, { shard: 1 }, { shard: 0 }])
    await stage.lose(0)
    await stage.rest()
    t.same(story(world, 3).sort(), [
      'exit a#1 exited',
      'exit b#1 shutdown',
      'exit c#1 exited',
      'up a#2',
      'up b#2',
      'up c#2',
    ])
    t.equal(world.running('c'), 2)
  },
)

inWorld(
  'a killed supervisor takes along its children on all shards, whole trees among them',
  'spread',
  async (t, world) => {
    const inner: ChildSpec = { id: 'inner', children: [world.actor('x'), { id: 'low', children: [world.actor('y')] }] }
    const sup = await world.supervise({ id: 'top', children: [world.actor('a'), inner, world.actor('b')] })
    // A supervisor that is added later lives on the shard of its children.
    await system.supervisor(`${world.name}.top`).startChild({
      id: 'remote',
      children: [world.actor('p', { shard: 1 }), { id: 'deeper', children: [world.actor('q', { shard: 1 })] }],
    })
    const top = `${world.name}.top`
    t.equal((await addressesUnder(top)).length, 11)
    await sup.kill()
    t.same(await addressesUnder(top), [])
    const { directory } = internalsOf(system)
    t.notOk(
      ['/a', '/b', '/inner/x', '/remote'].some(each => directory.has(top + each)),
      'their addresses are free',
    )
    t.same(sup.exit(), { type: 'killed' })
  },
)

inWorld(
  'a tree on another thread that cannot start tells why, down to the error and its fields',
  'spread',
  async (t, world) => {
    const sup = await world.supervise({ id: 'top' })
    world.script('deep', { starts: ['fail'] })
    const low = { id: 'low', children: [world.actor('deep', { shard: 1 })] }
    const error = await system
      .supervisor(`${world.name}.top`)
      .startChild({ id: 'remote', children: [low] })
      .catch(error => error)
    t.match(error, {
      code: 'START_FAILED',
      details: {
        reason: {
          detail: 'failed_to_start_child',
          culprit: {
            id: 'low',
            reason: {
              detail: 'failed_to_start_child',
              culprit: {
                id: 'deep',
                reason: { type: 'bootstrapFailed', error: { message: 'deep does not start', code: 'E_SCRIPT' } },
              },
            },
          },
        },
      },
    })
    t.same(await children(sup), [])
  },
)

inWorld('a child whose input cannot be copied is refused, and its supervisor goes on', 'alone', async (t, world) => {
  const sup = await world.supervise({ id: 'top' })
  const spec = world.actor('a', { input: () => 'no' })
  await refuses(t, sup.startChild(spec), 'NOT_CLONABLE')
  await refuses(t, system.supervise({ id: `${world.name}.other`, children: [spec] }), 'NOT_CLONABLE')
  await sup.startChild(world.actor('a'))
  t.same(await children(sup), ['a running'])
})

inWorld('so is one that a supervisor of the main thread would start on a shard', 'spread', async (t, world) => {
  const sup = await world.supervise({ id: 'top' })
  await refuses(t, sup.startChild(world.actor('a', { input: () => 'no' })), 'NOT_CLONABLE')
  await sup.startChild(world.actor('a'))
  t.same(await children(sup), ['a running'])
})

inWorld('a child that is to live where its supervisor does not is refused', 'alone', async (t, world) => {
  const sup = await world.supervise({ id: 'top', children: [world.actor('a', { shard: 0 })] })
  await refuses(t, sup.startChild(world.actor('b', { shard: 1 })), 'BAD_SPEC')
  await refuses(t, sup.startChild(world.actor('c', { shard: 'main' })), 'BAD_SPEC')
  await sup.startChild(world.actor('d', { shard: 0 }))
  t.same(await children(sup), ['a running', 'd running'])
})

inWorld('an address that moves to another shard is found there', 'spread', async (t, world) => {
  const sup = await world.supervise({ id: 'top' })
  for (const shard of [0, 1, 0]) {
    await sup.startChild(world.actor('a', { shard, restart: 'temporary' }))
    await world.send('a', `to ${shard}`)
    t.same(world.received('a'), [`to ${shard}`])
    await world.exit({ a: 'normal' })
  }
  const id = `${world.name}.spawned`
  for (const shard of [1, 0, 1]) {
    const ref = await system.spawn(scripted, { id, shard })
    t.match(await ref.inspect(), { shard })
    const ended = new Promise<string>(resolve => system.watch(ref, ({ reason }) => resolve(reason.type)))
    ref.send({ type: 'scripted.exit', how: 'abnormal' })
    t.equal(await ended, 'threw')
    await system.stopActor(ref)
  }
})

inWorld('kills and deadlines hold on other threads: a start, an end, a wait', 'spread', async (t, world) => {
  world.script('hangs', { starts: ['hang', 'run'] })
  world.script('refuses', { onShutdown: 'refuse' })
  const sup = await world.supervise({ id: 'top', intensity: 10 })
  await refuses(t, sup.startChild(world.actor('hangs', { initTimeoutMs: 20 })), 'START_FAILED')
  await sup.startChild(world.actor('hangs'))
  await sup.startChild(world.actor('refuses', { shutdown: 20 }))
  await sup.terminateChild('refuses')
  const backoff = { initialMs: 20, maxMs: 20, factor: 1, jitter: 0, resetAfterMs: 10_000, heldMax: 2 }
  await sup.startChild(world.actor('waits', { backoff }))
  await world.exit({ waits: 'killed' })
  await world.send('waits', 'held')
  await until(() => world.received('waits').length > 0)
  t.same(await children(sup), ['hangs running', 'refuses undefined', 'waits running'])
  t.same(
    story(world).filter(line => line.includes('refuses')),
    ['up refuses#1', 'exit refuses#1 killed'],
  )
})

inWorld('a child on a stuck shard is given up in bounded time, and heard of no more', 'spread', async (t, world) => {
  const sup = await world.supervise({
    id: 'top',
    children: [world.actor('a', { shutdown: 'brutal_kill' }), world.actor('b')],
  })
  const cell = new SharedArrayBuffer(8)
  await stage.order(0, { type: 'block', cell, limitMs: 4_000 })
  // The shard may take further messages between answering an order and obeying it.
  await Atomics.waitAsync(new Int32Array(cell), 1, 0).value
  const terminated = system.supervisor(`${world.name}.top`).terminateChild('a')
  await terminated
  t.match(world.log.at(-1), { type: 'exit', id: 'a', reason: { type: 'killed', detail: 'its shard is stuck' } })
  Atomics.store(new Int32Array(cell), 0, 1)
  Atomics.notify(new Int32Array(cell), 0)
  await stage.rest()
  t.same(story(world, 2), ['exit a#1 killed'])
  await sup.restartChild('a')
  t.same(await children(sup), ['a running', 'b running'])
  t.same(
    await addressesUnder(`${world.name}.top`),
    ['', '/a', '/b'].map(each => `${world.name}.top${each}`),
  )
})

inWorld(
  'the fourth failure of a top-level actor on a shard is its end, which its watchers hear',
  'alone',
  async (t, world) => {
    const id = `${world.name}.a`
    const ref = await system.spawn(scripted, { id, shard: 1 })
    const sibling = await system.spawn(scripted, { id: `${world.name}.b`, shard: 1 })
    for (const incarnation of [1, 2, 3, 4]) {
      const ended = new Promise(resolve => system.watch(ref, resolve))
      ref.send({ type: 'scripted.exit', how: 'abnormal' })
      t.match(await ended, { incarnation, shard: 1, reason: { type: 'threw', error: { message: 'scripted' } } })
      await stage.rest()
    }
    t.equal(await ref.inspect(), undefined)
    t.match(await sibling.inspect(), { incarnation: 1 })
  },
)

inWorld('a stop in the middle of a storm of restarts over shards ends everything', 'spread', async (t, world) => {
  const ids = Array.from({ length: 20 }, (_, n) => `c${n}`)
  const specs = ids.map(id => world.actor(id))
  const top = `${world.name}.top`
  const sup = await world.supervise({ id: 'top', strategy: 'one_for_all', intensity: 1_000, children: specs })
  for (const id of ids) system.ref(scripted, `${top}/${id}`).send({ type: 'scripted.exit', how: 'abnormal' })
  await system.supervisor(top).stop()
  await stage.rest()
  t.same(sup.exit(), { type: 'shutdown' })
  t.same(await addressesUnder(top), [])
})
