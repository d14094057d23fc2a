import t from 'tap'
import { createVirtualClock } from '../../../src/actors/runtime/clock.ts'
import { createPiscinaHost } from '../../../src/supervisor/shard/piscina-host.ts'
import { releaseShard, shardCell, shardCells } from '../../../src/supervisor/shard/shard-cells.ts'
import type { Diagnosis } from '../../../src/supervisor/shard/watchdog-decision.ts'
import { order, startRunner } from '../../fixtures/host/start.ts'

t.test('a worker that spins for ever is ended as spinning', async t => {
  const host = createPiscinaHost({ stalledAfterMs: 300 })
  const worker = startRunner(host)
  await order(worker, 'spin')
  t.match(await worker.ended, { reason: { type: 'stalled', diagnosis: 'spinning' }, zombie: false })
  await host.close()
})

t.test('a worker that waits for ever is ended as paused', async t => {
  const host = createPiscinaHost({ stalledAfterMs: 300 })
  const worker = startRunner(host)
  await order(worker, 'hold')
  t.match(await worker.ended, { reason: { type: 'stalled', diagnosis: 'paused' }, zombie: false })
  await host.close()
})

t.test('a worker that is released in time lives on', async t => {
  const told: Diagnosis[] = []
  const host = createPiscinaHost({ onDiagnosis: (_, diagnosis) => told.push(diagnosis) })
  const worker = startRunner(host)
  await order(worker, 'hold')
  await Atomics.waitAsync(shardCells(worker.shared), shardCell.paused, 0).value
  releaseShard(worker.shared)
  await order(worker, 'tell')
  t.same(told, [])
  await host.close()
})

t.test('a worker in a native call is fenced and given up as a zombie, and is gone when the call returns', async t => {
  const host = createPiscinaHost({ stalledAfterMs: 100, zombieAfterMs: 20 })
  const worker = startRunner(host)
  await order(worker, 'native')
  let fenced = false
  worker.port.once('close', () => {
    fenced = true
  })
  let gone = false
  void worker.gone.then(() => {
    gone = true
  })
  const end = await worker.ended
  t.match(end, { reason: { type: 'stalled', diagnosis: 'spinning' }, zombie: true })
  t.notOk(gone, 'its thread still runs')
  for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve))
  t.ok(fenced, 'its port is closed, so nothing it says is heard any more')
  await host.close()
  t.notOk(gone, 'and nobody waits for it')
  await worker.gone
})

t.test('a question to a worker that ends is not left open, though its thread is still in a native call', async t => {
  // On a clock that stands still it is neither given up as a zombie nor is an answer given for want of time.
  const host = createPiscinaHost({ clock: createVirtualClock() })
  const worker = startRunner(host)
  await order(worker, 'native')
  let gone = false
  void worker.gone.then(() => {
    gone = true
  })
  const asked = worker.cpuUsage()
  void worker.terminate({ type: 'killed' })
  t.equal(await asked, undefined)
  t.equal(await worker.heapStatistics(), undefined)
  t.notOk(gone)
  await worker.gone
})
