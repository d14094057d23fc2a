/** What supervision leaves to the kernel, on one thread: ends in the middle of a start, orphans, addresses, budgets. */
import t, { type Test } from 'tap'
import type { ExitReason } from '../../src/messages/thread/exit.ts'
import { internalsOf, type System } from '../../src/supervisor/system.ts'
import { gate } from './fixtures/gate.ts'
import { scripted } from './fixtures/scripted.ts'
import { children, refuses, story } from './suite.ts'
import { createSystemStage, type SystemWorld } from './system-world.ts'

const backoff = { initialMs: 100, maxMs: 100, factor: 1, jitter: 0, resetAfterMs: 10_000, heldMax: 10 }

function inWorld(name: string, run: (t: Test, world: SystemWorld, system: System) => Promise<void>): void {
  t.test(name, { timeout: 20_000 }, async t => {
    const alive = setInterval(() => {}, 1_000)
    const { world, system } = await createSystemStage()
    await run(t, world, system).finally(() => world.close())
    clearInterval(alive)
  })
}

/** Addresses of the thread, those of the system itself left out. */
const addressesOf = (system: System) => [...internalsOf(system).kernel.entries.keys()].filter(each => each[0] !== '$')

inWorld('a kill ends an actor whose init runs, and its supervisor goes on', async (t, world, system) => {
  world.script('a', { starts: ['hang', 'run'] })
  const sup = await world.supervise({ id: 'top', intensity: 5 })
  const started = refuses(t, sup.startChild(world.actor('a')), 'START_FAILED')
  await world.rest()
  t.equal(await system.kill(`${world.name}.top/a`), true)
  await started
  await sup.startChild(world.actor('a'))
  t.same(await children(sup), ['a running'])
})

inWorld(
  'a kill ends an actor whose module is being loaded, and the module changes nothing later',
  async (t, world, system) => {
    const late = {
      ...world.actor('late'),
      definition: {
        moduleUrl: new URL('./fixtures/loaded-late.ts', import.meta.url).href,
        exportName: 'loadedLate',
      },
    }
    const sup = await world.supervise({ id: 'top' })
    const address = `${world.name}.top/late`
    const exits: string[] = []
    const started = refuses(t, sup.startChild(late), 'START_FAILED')
    await world.rest()
    system.watch(address, exit => exits.push(exit.reason.type))
    t.equal(await system.kill(address), true)
    await started
    t.same(exits, ['killed'])
    gate.resolve()
    await world.rest()
    t.same(await children(sup), [])
    t.same(addressesOf(system), [`${world.name}.top`])
  },
)

inWorld('a start whose module is never loaded fails within its deadline', async (t, world) => {
  const never = {
    ...world.actor('never'),
    definition: {
      moduleUrl: new URL('./fixtures/loaded-never.ts', import.meta.url).href,
      exportName: 'loadedNever',
    },
    initTimeoutMs: 300,
  }
  const sup = await world.supervise({ id: 'top' })
  const started = t.rejects(sup.startChild(never), {
    code: 'START_FAILED',
    details: { reason: { type: 'initTimedOut', afterMs: 300 } },
  })
  await world.advance(300)
  await started
  t.same(await children(sup), [])
})

inWorld(
  'a stop of a tree one of whose starts hangs ends within that start, whatever the deadline',
  async (t, world) => {
    world.script('a', { starts: ['run', 'hang'] })
    const sup = await world.supervise({ id: 'top', intensity: 5, children: [world.actor('a', { initTimeoutMs: 300 })] })
    await world.exit({ a: 'abnormal' })
    await sup.stop()
    t.equal(sup.exit(), undefined)
    await world.advance(300)
    t.same(sup.exit(), { type: 'shutdown' })
  },
)

inWorld(
  'a killed supervisor takes along what runs, starts, backs off and is nested, and frees its addresses',
  async (t, world, system) => {
    world.script('starts', { starts: ['hang'] })
    const inner = { id: 'inner', children: [world.actor('deep')] }
    const sup = await world.supervise({
      id: 'top',
      intensity: 5,
      children: [world.actor('a'), inner, world.actor('waits', { backoff })],
    })
    await world.exit({ waits: 'abnormal' })
    await world.send('waits', 'held')
    const started = sup.startChild(world.actor('starts')).catch(error => error.code)
    await world.rest()
    const told: string[] = []
    for (const each of ['top', 'top/a', 'top/inner', 'top/inner/deep']) {
      system.watch(`${world.name}.${each}`, ({ address, reason }) => told.push(`${address} ${reason.type}`))
    }
    await sup.kill()
    t.same(sup.exit(), { type: 'killed' })
    t.same(
      told.sort(),
      ['top killed', 'top/a killed', 'top/inner killed', 'top/inner/deep killed'].map(each => `${world.name}.${each}`),
    )
    t.equal(await started, 'ACTOR_DIED')
    t.same(addressesOf(system), [])
    t.same(world.deadLetters('waits'), ['held'])
    await world.advance(60_000)
    t.same(
      story(world, 5).sort(),
      ['exit a#1 killed', 'exit deep#1 killed', 'exit inner#1 killed'],
      'nobody comes back',
    )
    const { letters } = internalsOf(system).kernel.deadLetters.report()
    t.notOk(
      letters.some(({ type }) => type.startsWith('child.')),
      'what a supervisor is told is no dead letter',
    )
  },
)

inWorld(
  'incarnations count on over restarts of the supervisor, starts that declined or failed among them',
  async (t, world) => {
    world.script('a', { starts: ['run', 'ignore', 'fail', 'run'] })
    const inner = { id: 'inner', intensity: 0, children: [world.actor('a')] }
    const sup = await world.supervise({ id: 'top', intensity: 5, children: [inner] })
    t.equal(world.running('a'), 1)
    await world.supervisor('inner').kill()
    t.equal(world.running('inner'), 2)
    t.equal(world.running('a'), undefined, 'the second start declines')
    await world.supervisor('inner').kill()
    t.equal(world.running('inner'), 4, 'the third one failed, and its supervisor with it')
    t.equal(world.running('a'), 4)
    t.equal(sup.exit(), undefined)
  },
)

inWorld('a stop in the middle of a storm of restarts ends everything', async (t, world, system) => {
  const ids = Array.from({ length: 50 }, (_, n) => `c${n}`)
  const specs = ids.map(id => world.actor(id))
  const sup = await world.supervise({ id: 'top', strategy: 'one_for_all', intensity: 1_000, children: specs })
  for (const id of ids) system.ref(scripted, `${world.name}.top/${id}`).send({ type: 'scripted.exit', how: 'abnormal' })
  await sup.stop()
  t.same(sup.exit(), { type: 'shutdown' })
  t.same(addressesOf(system), [])
})

inWorld(
  'a top-level actor has three restarts in 5 s: the fourth failure is its end, with its own reason',
  async (t, world, system) => {
    const [id, other] = [`${world.name}.a`, `${world.name}.b`]
    const ref = await system.spawn(scripted, { id })
    await system.spawn(scripted, { id: other })
    const reasons: ExitReason[] = []
    for (let n = 0; n < 4; n++) {
      system.watch(ref, ({ reason, incarnation }) => {
        t.equal(incarnation, n + 1)
        reasons.push(reason)
      })
      ref.send({ type: 'scripted.exit', how: 'abnormal' })
      await world.rest()
    }
    t.match(reasons, Array(4).fill({ type: 'threw', error: { message: 'scripted' } }))
    t.same(addressesOf(system), [other], 'its sibling does not notice')
    const again = await system.spawn(scripted, { id })
    for (const gapMs of [0, 2_000, 2_000, 1_001]) {
      await world.advance(gapMs)
      again.send({ type: 'scripted.exit', how: 'abnormal' })
      await world.rest()
    }
    t.same(addressesOf(system).sort(), [id, other], 'the first of four has left the window')
  },
)

inWorld('an address belongs to whoever took it first, and stays theirs', async (t, world, system) => {
  const sup = await world.supervise({ id: 'top' })
  const address = `${world.name}.top/a`
  const ref = await system.spawn(scripted, { id: address, backoff })
  await refuses(t, sup.startChild(world.actor('a')), 'DUPLICATE_ADDRESS')
  ref.send({ type: 'scripted.exit', how: 'abnormal' })
  await world.rest()
  await refuses(t, sup.startChild(world.actor('a')), 'DUPLICATE_ADDRESS')
  await world.advance(100)
  t.match(await ref.inspect(), { incarnation: 2, state: 'up' })
})
