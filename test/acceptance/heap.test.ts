/** The heap after 100,000 actors that came and went. Run by hand: it takes half a minute. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { counter } from '../supervisor/fixtures/counter.ts'
import { startLocal } from '../supervisor/fixtures/local-system.ts'

t.setTimeout(300_000)
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

t.test('100,000 spawns and stops leave the heap where it was', async t => {
  const { system } = await startLocal(t)
  async function cycle(from: number, count: number): Promise<number> {
    for (let i = from; i < from + count; i++) {
      await system.stopActor(await system.spawn(counter, { id: `c${i}`, input: { from: 0 } }))
    }
    collect()
    return process.memoryUsage().heapUsed
  }
  // The last 1,000 exits are remembered.
  const before = await cycle(0, 5_000)
  const after = await cycle(5_000, 100_000)
  t.comment(`${(before / 2 ** 20).toFixed(2)} MiB before, ${(after / 2 ** 20).toFixed(2)} MiB after`)
  t.ok(after - before < 1_000_000, `${after - before} bytes more`)
})
