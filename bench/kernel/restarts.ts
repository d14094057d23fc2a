/** An actor that fails and comes back, seen by a neighbour on its shard; the main thread idle, and half busy. */
import { child } from '../../src/actors/runtime/child.ts'
import { quantile, spread } from '../statistics.ts'
import { atMost, type Figure, type SuiteOptions } from '../suite.ts'
import { driver } from './driver.ts'
import { sink } from './sink.ts'
import { benchSystem } from './world.ts'

const limit = atMost(2, 'ms')
const periodMs = 10

/** Measures. */
export async function measureRestarts({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const rounds = quick ? 4 : 10
  const perRound = quick ? 200 : 500
  await using system = await benchSystem(1)
  const seer = await system.spawn(driver, { id: 'driver', shard: 0 })
  const children = [child(sink, { id: 'sink', input: {}, shard: 0 })]
  await system.supervise({ id: 'crashing', intensity: 10_000, periodMs: 1_000, children })
  const run = () => {
    const event = { type: 'driver.restarts', to: 'crashing/sink', count: perRound } as const
    return seer.ask(event, { timeoutMs: 60_000 })
  }
  await run()
  const idle: number[][] = []
  const busy: number[][] = []
  for (let round = 0; round < rounds; round++) {
    idle.push(await run())
    const spinning = setInterval(spin, periodMs)
    busy.push(await run())
    clearInterval(spinning)
    const [a, b] = [quantile(idle.at(-1)!, 0.99), quantile(busy.at(-1)!, 0.99)]
    say(`restarts ${round + 1}/${rounds}: p99 ${a.toFixed(2)} ms, main half busy ${b.toFixed(2)} ms`)
  }
  return [
    figure('actor restart, p99 of a round, main thread idle', idle),
    figure('actor restart, p99 of a round, main thread half busy', busy),
  ]
}

/** Uses half of the main thread. */
function spin(): void {
  for (const until = performance.now() + periodMs / 2; performance.now() < until; );
}

function figure(work: string, rounds: readonly number[][]): Figure {
  const { value, min, max } = spread(rounds.map(times => quantile(times, 0.99)))
  const all = rounds.flat()
  return {
    work,
    inFlight: '1',
    figure: `p50 ${quantile(all, 0.5).toFixed(3)} ms, p99 ${quantile(all, 0.99).toFixed(2)} ms of ${all.length}`,
    budget: limit.text,
    pass: limit.holds(quantile(all, 0.99)),
    value,
    min,
    max,
  }
}
