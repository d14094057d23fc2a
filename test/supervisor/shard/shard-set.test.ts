/** The set of shards over a worker host that the test plays. */
import { MessageChannel } from 'node:worker_threads'
import t from 'tap'
import { child } from '../../../src/actors/runtime/child.ts'
import { createRandom, systemClock } from '../../../src/actors/runtime/clock.ts'
import type { ExitReason } from '../../../src/messages/thread/exit.ts'
import { Kernel } from '../../../src/supervisor/kernel/kernel.ts'
import { Directory } from '../../../src/supervisor/router/directory.ts'
import { ThreadRouter } from '../../../src/supervisor/router/thread-router.ts'
import { ShardSet } from '../../../src/supervisor/shard/shard-set.ts'
import type { HostedWorker, WorkerEnd, WorkerHost } from '../../../src/supervisor/shard/worker-host.ts'
import { counter } from '../fixtures/counter.ts'
import { quiet } from '../fixtures/local-system.ts'

/** A worker that loads for ever, and ends when it is told to. */
function endlessWorker(workerIndex: number): HostedWorker {
  const load = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<WorkerEnd>()
  const ending = Promise.withResolvers<ExitReason>()
  const { port1, port2 } = new MessageChannel()
  load.promise.catch(() => {})
  return {
    workerIndex,
    threadId: workerIndex,
    port: port1,
    shared: new SharedArrayBuffer(0),
    loaded: load.promise,
    ending: ending.promise,
    ended: ended.promise,
    gone: ended.promise.then(() => {}),
    async terminate(reason) {
      load.reject(new Error(reason.type))
      ending.resolve(reason)
      ended.resolve({ reason, atMs: 0, zombie: false })
      port2.close()
    },
    cpuUsage: async () => undefined,
    heapStatistics: async () => undefined,
    eventLoopUtilization: () => 0,
  }
}

function createSet(workers: HostedWorker[]) {
  const kernel = new Kernel({
    shard: -1,
    incarnation: 1,
    clock: systemClock,
    random: createRandom(1),
    logger: quiet,
    deadLettersMax: 0,
    onFact: () => {},
  })
  const router = new ThreadRouter(kernel, () => null)
  kernel.setRouter(router)
  const host: WorkerHost = {
    start({ workerIndex }) {
      const worker = endlessWorker(workerIndex)
      workers.push(worker)
      return worker
    },
    close: async () => {
      for (const worker of workers) await worker.terminate({ type: 'shutdown' })
    },
  }
  const options = {
    count: 1,
    childOf: (index: number) => child(counter, { id: `${index}`, input: { from: 0 } }),
    deadLettersMax: 0,
    heapMb: undefined,
    loadTimeoutMs: 30_000,
    logger: quiet,
    relog() {},
  }
  return new ShardSet(kernel, router, new Directory(), host, options)
}

t.test('a worker that loads for ever holds up no stop', async t => {
  const workers: HostedWorker[] = []
  const set = createSet(workers)
  const up = set.bringUp(0)
  set.startNoMore()
  await t.rejects(up)
  t.match(await workers[0]!.ended, { reason: { type: 'shutdown' } })
  await t.rejects(set.bringUp(0), { code: 'SHUTTING_DOWN' })
  t.equal(workers.length, 1, 'no other was started')
  await set.close()
  await t.rejects(set.control(0), { code: 'SHUTTING_DOWN' })
})
