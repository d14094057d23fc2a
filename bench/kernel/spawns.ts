/** 100,000 spawns and stops, on the main thread and on a shard: what they leave on the heap, and how long one takes. */
import type { System } from '../../src/supervisor/system.ts'
import { atMost, type Figure, type SuiteOptions } from '../suite.ts'
import { heapScale } from './heap-scale.ts'
import { sink } from './sink.ts'
import { benchSystem } from './world.ts'

const together = 64
/**
 * Spawns before the first weighing. A thread remembers 10,000 addresses after their actors have gone; the table of them finds
 * its size when 16,384 have come and gone, by 450 KB at once.
 */
const warmUp = 40_000
/** Less than this a spawn is nothing that is kept: the smallest record is larger. */
const limit = atMost(16, 'B a spawn')

/** Measures. */
export async function measureSpawns({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const count = quick ? 10_000 : 100_000
  const figures: Figure[] = []
  for (const place of ['main', 0] as const) {
    await using system = await benchSystem(1)
    const scales = [
      await system.spawn(heapScale, { id: 'scale-main', shard: 'main' }),
      await system.spawn(heapScale, { id: 'scale-shard', shard: 0 }),
    ]
    const weigh = async () => {
      // What was just answered has still to be let go.
      await new Promise(resolve => setTimeout(resolve, 200))
      return Promise.all(scales.map(scale => scale.ask({ type: 'scale.weigh' }, { timeoutMs: 10_000 })))
    }
    await spawnAndStop(system, place, warmUp)
    const before = await weigh()
    const from = performance.now()
    await spawnAndStop(system, place, count)
    const micros = ((performance.now() - from) / count) * 1_000
    const after = await weigh()
    const perSpawn = after.map((bytes, index) => (bytes - before[index]!) / count)
    const value = Math.max(...perSpawn)
    const grown = after.map((bytes, index) => `${((bytes - before[index]!) / 1_024).toFixed(0)} KiB`)
    const where = place === 'main' ? 'the main thread' : 'a shard'
    say(`spawns on ${where}: main ${grown[0]}, shard ${grown[1]}, ${micros.toFixed(1)} us each`)
    figures.push({
      work: `${count.toLocaleString('en')} spawns and stops on ${where}: growth of the heaps`,
      inFlight: `${together}`,
      figure: `main ${grown[0]}, shard ${grown[1]}; spawn and stop ${micros.toFixed(0)} us`,
      budget: limit.text,
      pass: limit.holds(value),
      value,
      min: Math.min(...perSpawn),
      max: value,
    })
  }
  return figures
}

async function spawnAndStop(system: System, shard: 'main' | number, count: number): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) {
      const id = `spawned-${next++}`
      await system.spawn(sink, { id, shard, input: {} })
      await system.stopActor(id)
    }
  }
  await Promise.all(Array.from({ length: together }, lane))
}
