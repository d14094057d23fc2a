import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { createRandom, systemClock } from '../../../src/actors/runtime/clock.ts'
import { createEnvelope, type Envelope } from '../../../src/messages/thread/envelope.ts'
import type { ActorExit } from '../../../src/messages/thread/exit.ts'
import { Kernel } from '../../../src/supervisor/kernel/kernel.ts'
import { createCodecRegistry } from '../../../src/supervisor/router/edge/codec-registry.ts'
import { createEdge } from '../../../src/supervisor/router/edge/edge.ts'
import type { EdgePort } from '../../../src/supervisor/router/edge/edge-contract.ts'
import type { Resolve } from '../../../src/supervisor/router/locations.ts'
import { type RouterLimits, routerLimits } from '../../../src/supervisor/router/peer.ts'
import { ThreadRouter } from '../../../src/supervisor/router/thread-router.ts'
import { createEnds } from '../../../src/supervisor/shard/slot.ts'
import { quiet, turn } from '../fixtures/local-system.ts'

/** A main thread whose one shard is played by the test, or a shard. */
function createMain(t: Test, limits: Partial<RouterLimits> = {}, resolve: Resolve = () => 0, shard = -1) {
  const kernel = new Kernel({
    shard,
    incarnation: 1,
    clock: systemClock,
    random: createRandom(1),
    logger: quiet,
    deadLettersMax: 100,
    onFact: () => {},
  })
  const router = new ThreadRouter(kernel, resolve, { ...routerLimits, window: 2, ...limits })
  kernel.setRouter(router)
  t.teardown(() => router.close())
  const send = (type: string) => kernel.send(null, 'a', { type })
  return { kernel, router, send }
}

/** The far end of an edge that reads. */
function readEnd(far: ReturnType<typeof createEnds>['far']) {
  const taken: Envelope[] = []
  const edge = createEdge({
    port: far.port as unknown as EdgePort,
    outbound: far.outbound,
    inbound: far.inbound,
    window: 100,
    outboxMax: 100,
    reportMax: 100,
    codecs: createCodecRegistry(),
    deliver: envelope => {
      taken.push(envelope)
      return 'admitted'
    },
    onReply: () => {},
    onRefused: () => {},
    onClose: () => {},
  })
  return { edge, taken, types: () => taken.map(({ event }) => event.type) }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await turn()
}

t.test('what had not left goes before what came after the edge had closed', async t => {
  const { kernel, router, send } = createMain(t)
  const first = createEnds()
  router.connect(0, 1, first.near)
  for (const type of ['0', '1', '2', '3', '4']) send(type)
  await turn()
  first.far.port.close()
  await until(() => router.stats(0) === undefined)
  send('5')
  router.lost(0, 1, { type: 'killed' })
  send('6')
  const second = createEnds()
  const { types } = readEnd(second.far)
  router.connect(0, 2, second.near)
  await until(() => types().length === 5)
  t.same(types(), ['2', '3', '4', '5', '6'])
  t.same(
    kernel.deadLetters.report().letters.map(({ type, fate }) => `${type} ${fate}`),
    ['0 lost', '1 lost'],
  )
})

t.test('nothing is posted to a thread that is known to be lost, though its port has not closed', async t => {
  const { router, send } = createMain(t)
  const first = createEnds()
  const dead = readEnd(first.far)
  router.connect(0, 1, first.near)
  router.lost(0, 1, { type: 'killed' })
  send('0')
  await turn()
  first.far.port.close()
  await until(() => router.stats(0) === undefined)
  const second = createEnds()
  const { types } = readEnd(second.far)
  router.connect(0, 2, second.near)
  await until(() => types().length === 1)
  t.same(dead.types(), [])
})

t.test('an edge to a worker that is known to be lost is not opened', async t => {
  const { router, send } = createMain(t)
  router.lost(0, 1, { type: 'killed' })
  const first = createEnds()
  router.connect(0, 1, first.near)
  t.equal(router.stats(0), undefined)
  send('0')
  const second = createEnds()
  const { types } = readEnd(second.far)
  router.connect(0, 2, second.near)
  await until(() => types().length === 1)
  first.far.port.close()
})

t.test('a request of an earlier worker is answered to that one, not to its successor', async t => {
  const { kernel, router } = createMain(t)
  const asked: Envelope[] = []
  kernel.deliver = envelope => {
    asked.push(envelope)
    return 'admitted'
  }
  for (const incarnation of [1, 2]) {
    const { near, far } = createEnds()
    const { edge } = readEnd(far)
    router.connect(0, incarnation, near)
    edge.post(createEnvelope({ to: 'main', from: 'a', event: { type: 'ask' }, requestId: incarnation }))
    await until(() => asked.length === incarnation)
    if (incarnation === 2) break
    edge.close()
    await until(() => router.stats(0) === undefined)
    router.lost(0, 1, { type: 'killed' })
  }
  t.match(kernel.tokenOf(asked[0]!), { requestId: 1, shard: 0, shardIncarnation: 1 })
  t.match(kernel.tokenOf(asked[1]!), { requestId: 2, shard: 0, shardIncarnation: 2 })
})

t.test('a watch is told once of a lost thread, and not at all once it was taken back', async t => {
  const { kernel, router } = createMain(t)
  const { near, far } = createEnds()
  readEnd(far)
  router.connect(0, 1, near)
  const exits: ActorExit[] = []
  const listener = (exit: ActorExit) => void exits.push(exit)
  kernel.watch('a', listener)
  kernel.watch('b', listener)
  kernel.unwatch('b', listener)
  router.noteWatched('a', 4, 'thing')
  const events = [{ address: 'a', incarnation: 4, type: 'x', sequence: 9, atMs: 5 }]
  router.lost(0, 1, { type: 'exited', code: 2 }, events)
  far.port.close()
  await until(() => router.stats(0) === undefined)
  router.lost(0, 1, { type: 'killed' })
  t.match(exits, [
    {
      address: 'a',
      definition: 'thing',
      incarnation: 4,
      shard: 0,
      reason: { type: 'exited', code: 2 },
      lastEvents: [{ type: 'x', sequence: 9, atMs: 5 }],
      shardLoss: { shard: 0, incarnation: 1 },
    },
  ])
  t.equal(exits.length, 1)
})

t.test(
  'as many messages wait for a thread that is away, or for a place that is looked up, as may: the next is refused',
  async t => {
    for (const resolve of [() => 0, () => undefined]) {
      const { kernel, router, send } = createMain(t, { waitingMax: 3 }, resolve)
      for (const type of ['0', '1', '2']) send(type)
      t.same(kernel.deadLetters.report().letters, [])
      send('3')
      t.match(kernel.deadLetters.report().letters, [{ type: '3', fate: 'refused', reason: 'OVERLOADED' }])
      await t.rejects(kernel.ask(null, 'a', { type: '4' }, { timeoutMs: 1_000 }), {
        code: 'OVERLOADED',
        handled: /^no$/,
      })
      const { near, far } = createEnds()
      const { types } = readEnd(far)
      router.connect(0, 1, near)
      router.located('a', 0)
      await until(() => types().length === 3)
      t.same(types(), ['0', '1', '2'])
    }
  },
)

t.test('a router that closes refuses what waits', async t => {
  const { kernel, router, send } = createMain(t)
  send('0')
  const asked = kernel.ask(null, 'a', { type: '1' }, { timeoutMs: 1_000 })
  router.close()
  await t.rejects(asked, { code: 'SHUTTING_DOWN', handled: /^no$/ })
  send('2')
  t.match(kernel.deadLetters.report().letters, [{ reason: 'SHUTTING_DOWN' }, { reason: 'SHUTTING_DOWN' }])
})

t.test('the main thread tells of a worker whose edge has broken, and of one that lives on without it', async t => {
  const { router, send } = createMain(t, { explainedWithinMs: 1 })
  const told: [number, number][] = []
  router.onBroken = (shard, incarnation) => void told.push([shard, incarnation])
  const first = createEnds()
  router.connect(0, 1, first.near)
  // A batch that no edge would post: five messages are missing before it.
  first.far.port.postMessage([0, 5])
  await until(() => told.length === 1)
  send('0')
  router.lost(0, 1, { type: 'killed' })
  const second = createEnds()
  const { edge, types } = readEnd(second.far)
  router.connect(0, 2, second.near)
  await until(() => types().length === 1)
  edge.close()
  await until(() => told.length === 2)
  t.same(told, [
    [0, 1],
    [0, 2],
  ])
})

t.test('the end of a worker that is told soon after the close of its edge is no broken edge', async t => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const { router } = createMain(t, { explainedWithinMs: 50 })
  const told: number[] = []
  router.onBroken = (_, incarnation) => void told.push(incarnation)
  for (const incarnation of [1, 2]) {
    const { near, far } = createEnds()
    router.connect(0, incarnation, near)
    far.port.close()
    await until(() => router.stats(0) === undefined)
    mock.timers.tick(49)
    if (incarnation === 1) router.lost(0, 1, { type: 'killed' })
  }
  t.same(told, [])
  mock.timers.tick(1)
  t.same(told, [2])
})

t.test('a shard tells the main thread of an edge to another shard that has broken, of no other', async t => {
  const { router } = createMain(t, {}, () => 1, 0)
  const main = createEnds()
  const { taken } = readEnd(main.far)
  router.connect(-1, 1, main.near)
  for (const shard of [1, 2]) {
    const { near, far } = createEnds()
    router.connect(shard, shard + 10, near)
    if (shard === 1) far.port.close()
    else far.port.postMessage([0, 5])
    await until(() => router.stats(shard) === undefined)
  }
  await until(() => taken.length === 1)
  t.match(taken[0]!.event, { type: 'kernel.edgeBroken', shard: 2, incarnation: 12 })
})

t.test('a request that the other thread took too late is told as timed out, certainly not handled', async t => {
  const { kernel, router } = createMain(t)
  const { near, far } = createEnds()
  const { taken } = readEnd(far)
  router.connect(0, 1, near)
  const asked = kernel.ask(null, 'a', { type: 'late' }, { timeoutMs: 60_000 })
  const details = { address: 'a', type: 'late', timeoutMs: 60_000 }
  const settled = t.rejects(asked, { code: 'ASK_TIMEOUT', handled: /^no$/, details })
  await until(() => taken.length === 1)
  taken[0]!.receipts.refuse(taken[0]!.token, 'ASK_TIMEOUT')
  await settled
})
