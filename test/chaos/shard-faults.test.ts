import t from 'tap'
import { shardCell, shardCells } from '../../src/supervisor/shard/shard-cells.ts'
import { internalsOf } from '../../src/supervisor/system.ts'
import { notebook } from './fixtures/notebook.ts'
import { incarnationOf, read, startSystem, whenUp } from './fixtures/start.ts'

const { system, chaos } = await startSystem(t, { shards: 2 })
const resident = await system.spawn(notebook, { id: 'resident', shard: 0 })
const other = await system.spawn(notebook, { id: 'other', shard: 1 })

t.test('a shard that is killed or crashes ends for that reason, and its actors come back with the next', async t => {
  t.match(await chaos.kill({ shard: 0 }), {
    shard: 0,
    incarnation: 1,
    reason: { type: 'killed', detail: 'by chaos' },
    zombie: false,
  })
  await whenUp(resident)
  const threw = await chaos.crash({ shard: 0 }, 'throw')
  t.match(threw, { incarnation: 2, reason: { type: 'threw', error: { message: 'thrown by chaos' } } })
  await whenUp(resident)
  const rejected = await chaos.crash({ shard: 0 }, 'reject')
  t.match(rejected, { incarnation: 3, reason: { type: 'unhandledRejection', error: { message: 'rejected by chaos' } } })
  await whenUp(resident)
  t.match(await chaos.crash({ shard: 0 }, 'exit'), { incarnation: 4, reason: { type: 'exited', code: 1 } })
  await whenUp(resident)
  t.equal(await incarnationOf(resident), 5)
  t.equal(await incarnationOf(other), 1, 'the other shard was not touched')
})

t.test('an actor that exits costs its shard, and says so', async t => {
  const incarnation = await incarnationOf(resident)
  t.match(await chaos.crash(resident, 'exit'), {
    address: 'resident',
    definition: 'notebook',
    incarnation,
    shard: 0,
    reason: { type: 'exited', code: 1 },
    shardLoss: { shard: 0, incarnation: 5 },
  })
  await whenUp(resident)
})

t.test('a shard that is paused does nothing until each of its pauses is over', async t => {
  const pauses = await Promise.all([chaos.pause({ shard: 0 }), chaos.pause({ shard: 0 })])
  const cells = shardCells(internalsOf(system).shards!.worker(0)!.shared)
  t.equal(Atomics.load(cells, shardCell.paused), 1, 'its thread sleeps')
  resident.send({ type: 'notebook.write', line: 'while it slept' })
  let answered = false
  const lines = read(resident).then(all => {
    answered = true
    return all
  })
  await read(other)
  await pauses[0].release()
  await read(other)
  t.notOk(answered)
  t.equal(Atomics.load(cells, shardCell.paused), 1, 'as long as one pause lasts')
  await chaos.resume({ shard: 0 })
  t.same(await lines, ['while it slept'])
})

t.test('a shard that spins answers nothing until that is over, and then goes on', async t => {
  const incarnation = await incarnationOf(resident)
  const fromMs = performance.now()
  const stall = await chaos.stall({ shard: 0 }, 200)
  t.same(await read(resident), ['while it slept'])
  t.ok(performance.now() - fromMs >= 200, 'whatever came after the stall began had to wait for its end')
  t.equal(await stall.over, undefined)
  t.equal(await incarnationOf(resident), incarnation, 'nothing was restarted')
})

t.test('a pause whose shard is killed ends with it, and lifting it does nothing', async t => {
  const pause = await chaos.pause({ shard: 0 })
  t.match(await chaos.kill({ shard: 0 }), { reason: { type: 'killed' } })
  await whenUp(resident)
  await pause.release()
  const again = await chaos.pause({ shard: 0 })
  await pause.release()
  let answered = false
  const lines = read(resident).then(() => {
    answered = true
  })
  await read(other)
  t.notOk(answered, 'the pause of the next worker is another one')
  await again.release()
  await lines
})
