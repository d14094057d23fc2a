import t from 'tap'
import { createVirtualClock, type VirtualClock } from '../../../src/actors/runtime/clock.ts'
import { createShardCells, shardCell, shardCells } from '../../../src/supervisor/shard/shard-cells.ts'
import type { ThreadTime } from '../../../src/supervisor/shard/thread-time.ts'
import { createWatchdog, type Watchdog, type Watched } from '../../../src/supervisor/shard/watchdog.ts'

interface Scene {
  readonly clock: VirtualClock
  readonly watchdog: Watchdog
  /** What the system says of the thread; change it as the test goes. */
  thread: ThreadTime | undefined
  readonly asked: number[]
}

function scene(): Scene {
  const clock = createVirtualClock()
  const asked: number[] = []
  const self: Scene = { clock, asked, thread: { cpuMs: 0, waitMs: 0, now: 'sleeping' }, watchdog: undefined as never }
  const readThread = (id: number) => {
    asked.push(id)
    return self.thread
  }
  return Object.assign(self, {
    watchdog: createWatchdog({ clock, intervalMs: 100, stalledAfterMs: 1_000, readThread }),
  })
}

interface Fake extends Watched {
  readonly told: string[]
  loaded: boolean
  questions: number
}

function fakeWorker(): Fake {
  const told: string[] = []
  return {
    shared: createShardCells(),
    loadTimeoutMs: 2_000,
    told,
    loaded: true,
    questions: 0,
    isLoaded() {
      return this.loaded
    },
    cpuUsage() {
      this.questions++
      return Promise.resolve({ user: 0, system: 0 })
    },
    diagnosed: (diagnosis, forMs) => told.push(`${diagnosis} ${forMs}`),
    overdue: forMs => told.push(`overdue ${forMs}`),
  }
}

function tick(worker: Fake): void {
  Atomics.add(shardCells(worker.shared), shardCell.ticks, 1)
}

t.test('tells a change of the diagnosis once, and the way back', async t => {
  const { clock, watchdog } = scene()
  const worker = fakeWorker()
  watchdog.watch(worker)
  await clock.advance(3_000)
  t.same(worker.told, ['paused 1000'])
  tick(worker)
  await clock.advance(200)
  t.same(worker.told, ['paused 1000', 'alive 0'])
})

t.test('says nothing of a worker that ticks', async t => {
  const { clock, watchdog } = scene()
  const worker = fakeWorker()
  watchdog.watch(worker)
  for (let i = 0; i < 100; i++) {
    tick(worker)
    await clock.advance(100)
  }
  t.same(worker.told, [])
})

t.test('a worker that loads has its own limit, told once, and starts its silence anew when loaded', async t => {
  const { clock, watchdog } = scene()
  const worker = fakeWorker()
  worker.loaded = false
  watchdog.watch(worker)
  await clock.advance(1_900)
  t.same(worker.told, [])
  worker.loaded = true
  await clock.advance(1_000)
  t.same(worker.told, [], 'the time it took to load is not silence')
  worker.loaded = false
  await clock.advance(5_000)
  t.same(worker.told.filter(fact => fact.startsWith('overdue')).length, 1)
})

t.test('reads the thread that the worker wrote down, and asks the worker only without such an account', async t => {
  const world = scene()
  const worker = fakeWorker()
  Atomics.store(shardCells(worker.shared), shardCell.osThreadId, 4_711)
  world.watchdog.watch(worker)
  await world.clock.advance(500)
  t.ok(world.asked.every(id => id === 4_711))
  t.equal(worker.questions, 0)
  world.thread = undefined
  await world.clock.advance(500)
  t.equal(worker.questions, 5)
})

t.test('runs a timer only while there is somebody to watch', async t => {
  const { clock, watchdog } = scene()
  t.equal(clock.pending, 0)
  const [first, second] = [watchdog.watch(fakeWorker()), watchdog.watch(fakeWorker())]
  t.equal(clock.pending, 1)
  first()
  first()
  t.equal(clock.pending, 1)
  second()
  t.equal(clock.pending, 0)
  watchdog.watch(fakeWorker())
  t.equal(clock.pending, 1)
})
