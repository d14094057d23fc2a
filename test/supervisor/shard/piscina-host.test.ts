import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { pathToFileURL } from 'node:url'
import { MessageChannel } from 'node:worker_threads'
import t from 'tap'
import { createVirtualClock } from '../../../src/actors/runtime/clock.ts'
import { createPiscinaHost } from '../../../src/supervisor/shard/piscina-host.ts'
import { shardCell, shardCells } from '../../../src/supervisor/shard/shard-cells.ts'
import { readThreadTime } from '../../../src/supervisor/shard/thread-time.ts'
import type { HostedWorker, WorkerEnd } from '../../../src/supervisor/shard/worker-host.ts'
import type { Order } from '../../fixtures/host/runner.ts'
import { closed, fixtureUrl, order, startRunner } from '../../fixtures/host/start.ts'

const host = createPiscinaHost()
t.teardown(() => host.close())

const jammed = { name: 'TypeError', message: 'jammed', code: 'PUMP_JAMMED', litres: 12 }

t.test('a worker is handed its index, its bootstrap and a port, and moved what is to be moved', async t => {
  const { port1, port2 } = new MessageChannel()
  const worker = startRunner(host, { workerIndex: 3, bootstrap: { name: 'x', port2 }, transfer: [port2] })
  const { next } = await order(worker, 'tell')
  t.same(await next, { workerIndex: 3, got: ['name', 'port2'] })
  const gone = closed(port1)
  await worker.terminate({ type: 'killed' })
  await gone
})

t.test('each way to die from within is told as what it was, its error intact', async t => {
  const ways: readonly [Order, unknown][] = [
    ['throw', { type: 'threw', error: { ...jammed, cause: { name: 'RangeError', message: 'too much' } } }],
    ['reject', { type: 'unhandledRejection', error: jammed }],
    ['exit', { type: 'exited', code: 3 }],
    ['end', { type: 'killed', detail: 'from within' }],
  ]
  for (const [what, reason] of ways) {
    const worker = startRunner(host)
    await order(worker, what)
    t.match(await worker.ended, { reason, zombie: false }, what)
    t.equal(await worker.ending, (await worker.ended).reason)
    await worker.gone
    t.equal(await worker.loaded, undefined, 'it had loaded before')
  }
})

t.test('an error that the runner contains costs nothing', async t => {
  const worker = startRunner(host)
  const { next } = await order(worker, 'contain')
  t.same(await next, { contained: 'threw' })
  await order(worker, 'tell')
  await worker.terminate({ type: 'killed' })
  t.same((await worker.ended).reason, { type: 'killed' })
})

t.test('why a worker ended is known even when its exit is seen before its last message', async t => {
  for (let round = 0; round < 3; round++) {
    const workers = Array.from({ length: 8 }, () => startRunner(host))
    await Promise.all(workers.map(worker => worker.loaded))
    for (const worker of workers) worker.port.postMessage('throw')
    // This thread sees nothing until all of them are dead: exits and messages then wait side by side.
    for (const worker of workers) untilThreadIsGone(worker)
    for (const worker of workers) t.match((await worker.ended).reason, { type: 'threw', error: jammed })
  }
})

/** Blocks; returns at once where the system does not tell about threads. */
function untilThreadIsGone(worker: HostedWorker): void {
  const id = Atomics.load(shardCells(worker.shared), shardCell.osThreadId)
  while (readThreadTime(id) !== undefined) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
}

t.test('what a dying worker posted still arrives, and then its port closes', async t => {
  const worker = startRunner(host)
  await worker.loaded
  const words: number[] = []
  worker.port.on('message', (message: { word?: number }) => message.word && words.push(message.word))
  worker.port.postMessage('lastWords')
  await closed(worker.port)
  t.same(
    words,
    Array.from({ length: 100 }, (_, i) => i + 1),
  )
  t.match(await worker.ended, { reason: { type: 'exited', code: 4 } })
})

t.test(
  'what a worker said of its end counts, though this thread has not come to it when it ends the worker',
  async t => {
    const worker = startRunner(host)
    await worker.loaded
    worker.port.postMessage('end')
    untilThreadIsGone(worker)
    await worker.terminate({ type: 'killed', detail: 'from outside' })
    t.same((await worker.ended).reason, { type: 'killed', detail: 'from within' })
  },
)

t.test('what a worker had open is closed when it has ended', async t => {
  for (let round = 0; round < 10; round++) {
    const worker = startRunner(host)
    const { next } = await order(worker, 'listen')
    const { bound } = (await next) as { bound: AddressInfo }
    await worker.terminate({ type: 'killed' })
    const successor = createServer().listen({ ...bound, host: bound.address, exclusive: true })
    await t.resolves(once(successor, 'listening'))
    successor.close()
  }
})

t.test('a worker that cannot be loaded is told as such, with the error of its module', async t => {
  const dir = t.testdir({ 'syntax-error.js': 'export function runShard( {' })
  const ways: readonly [string, unknown][] = [
    ['throws.ts', { type: 'bootstrapFailed', error: { name: 'RangeError', code: 'PUMP_MISSING', pump: 7 } }],
    ['rejects.ts', { type: 'bootstrapFailed', error: { code: 'PUMP_DRY' } }],
    ['no-export.ts', { type: 'bootstrapFailed', error: { code: 'DEFINITION_NOT_FOUND' } }],
    [pathToFileURL(`${dir}/syntax-error.js`).href, { type: 'bootstrapFailed', error: { name: 'SyntaxError' } }],
    ['nowhere.ts', { type: 'bootstrapFailed', error: { code: 'ERR_MODULE_NOT_FOUND' } }],
    ['exits.ts', { type: 'exited', code: 5 }],
  ]
  for (const [file, reason] of ways) {
    const worker = startRunner(host, { runnerUrl: fixtureUrl(file) })
    await t.rejects(worker.loaded, { code: 'START_FAILED', details: { reason } }, file)
    t.match(await worker.ended, { reason, zombie: false }, file)
  }
})

t.test('a bootstrap that cannot be cloned fails the load, and the ports it carried are closed', async t => {
  const { port1, port2 } = new MessageChannel()
  const gone = closed(port1)
  const worker = startRunner(host, { bootstrap: { port2, close() {} }, transfer: [port2] })
  await t.rejects(worker.loaded, { code: 'START_FAILED', cause: { name: 'DataCloneError' } })
  t.match(await worker.ended, { reason: { type: 'bootstrapFailed' } })
  await gone
})

t.test('a worker that does not get ready in time is ended', async t => {
  const quick = createPiscinaHost({ watchIntervalMs: 20 })
  const worker = startRunner(quick, { runnerUrl: fixtureUrl('never.ts'), loadTimeoutMs: 200 })
  await t.rejects(worker.loaded, { code: 'START_FAILED' })
  t.match(await worker.ended, { reason: { type: 'bootstrapFailed', error: { details: { loadTimeoutMs: 200 } } } })
  await quick.close()
})

t.test('terminate: the first reason wins, before and after the worker is loaded', async t => {
  const loading = startRunner(host)
  void loading.terminate({ type: 'killed', detail: 'first' })
  await loading.terminate({ type: 'killed', detail: 'second' })
  t.same((await loading.ended).reason, { type: 'killed', detail: 'first' })
  await t.rejects(loading.loaded, { code: 'START_FAILED' })

  const loaded = startRunner(host)
  await loaded.loaded
  await loaded.terminate({ type: 'shutdown', detail: 'rolled' })
  await loaded.terminate({ type: 'killed' })
  t.same((await loaded.ended).reason, { type: 'shutdown', detail: 'rolled' })
})

t.test('a worker tells about itself while it lives, and nothing afterwards', async t => {
  // On a clock that stands still no answer is given for want of time.
  const timeless = createPiscinaHost({ clock: createVirtualClock() })
  const worker = startRunner(timeless)
  await worker.loaded
  t.ok((await worker.cpuUsage())!.user > 0)
  t.ok((await worker.heapStatistics())!.used_heap_size > 0)
  t.type(worker.eventLoopUtilization(), 'number')
  worker.port.on('message', () => {})
  worker.port.postMessage('spin')
  const unanswered = worker.cpuUsage()
  await worker.terminate({ type: 'killed' })
  await unanswered
  t.equal(await worker.cpuUsage(), undefined)
  t.equal(await worker.heapStatistics(), undefined)
})

t.test('nothing is started in the place of what ended', async t => {
  let started = 0
  const count = () => void started++
  process.on('worker', count)
  for (const what of ['exit', 'throw', 'end'] as const) {
    const worker = startRunner(host)
    await order(worker, what)
    await worker.gone
    await new Promise(resolve => setImmediate(resolve))
  }
  process.off('worker', count)
  t.equal(started, 3)
})

t.test('close ends all workers, in whatever phase, and refuses new ones', async t => {
  const closing = createPiscinaHost()
  const [loaded, loading] = [startRunner(closing), startRunner(closing)]
  await loaded.loaded
  await closing.close()
  const reasons = (await Promise.all([loaded.ended, loading.ended])).map((end: WorkerEnd) => end.reason)
  t.same(reasons, [{ type: 'shutdown' }, { type: 'shutdown' }])
  t.throws(() => startRunner(closing), { code: 'SHUTTING_DOWN' })
})

t.test('every worker has a thread of its own', async t => {
  const workers: HostedWorker[] = [startRunner(host), startRunner(host)]
  t.not(workers[0]!.threadId, workers[1]!.threadId)
  await Promise.all(workers.map(worker => worker.loaded))
})
