/**
 * Asks from an actor of one shard to a compiled actor of another, against round trips on a bare port.
 *
 * Both are warm: V8 takes some 20,000 asks to optimize all that one goes through, where the baseline is optimized after
 * a few hundred round trips. Rounds are short and alternate who goes first, so that what else the machine does meets both.
 */
import type { ActorRef } from '../../src/supervisor/actor-ref.ts'
import { median, quantile, spread } from '../statistics.ts'
import { atMost, type Figure, type SuiteOptions } from '../suite.ts'
import { sample } from './actor.ts'
import { createBareAsks } from './baseline-ask.ts'
import { driver } from './driver.ts'
import { sink } from './sink.ts'
import { benchSystem } from './world.ts'

const limit = atMost(1.3, 'x')
const perRound = 250
const warmUps = 120

/** Measures. */
export async function measureAsks({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const rounds = quick ? 40 : 160
  await using system = await benchSystem(2)
  const far = await system.spawn(driver, { id: 'driver', shard: 1 })
  const near = await system.spawn(sink, { id: 'sink', shard: 0, input: {} })
  const bare = createBareAsks()
  const shards = { ratios: [] as number[], times: [] as number[] }
  const main = { ratios: [] as number[], times: [] as number[] }
  const plain: number[] = []
  const fromShard = () => far.ask({ type: 'driver.asks', to: 'sink', count: perRound }, { timeoutMs: 60_000 })
  for (let round = -warmUps; round < rounds; round++) {
    const early = round % 2 === 0 ? await fromShard() : undefined
    const base = await bare.run(perRound)
    const asked = early ?? (await fromShard())
    const own = await asksFromMain(near, perRound)
    if (round < 0) continue
    shards.ratios.push(median(asked) / median(base))
    main.ratios.push(median(own) / median(base))
    shards.times.push(...asked)
    main.times.push(...own)
    plain.push(...base)
    if ((round + 1) % 10 !== 0) continue
    say(`asks ${round + 1}/${rounds}: ${median(shards.ratios).toFixed(2)}x, main ${median(main.ratios).toFixed(2)}x`)
  }
  await bare.stop()
  const baseline = `bare port: ${timesOf(plain)}`
  const { value, min, max } = spread(shards.ratios)
  return [
    {
      work: 'ask, shard to shard, compiled actor, p50',
      inFlight: '1',
      figure: timesOf(shards.times),
      baseline,
      budget: limit.text,
      pass: limit.holds(value),
      value,
      min,
      max,
    },
    {
      work: 'ask, main thread to shard, compiled actor, p50',
      inFlight: '1',
      figure: timesOf(main.times),
      baseline,
      ...spread(main.ratios),
    },
  ]
}

async function asksFromMain(ref: ActorRef<typeof sink>, count: number): Promise<number[]> {
  const times: number[] = []
  for (let number = 0; number < count; number++) {
    const event = { type: 'sink.echo', sample: sample(number) } as const
    const from = performance.now()
    await ref.ask(event, { timeoutMs: 10_000 })
    times.push(performance.now() - from)
  }
  return times
}

function timesOf(times: readonly number[]): string {
  return `p50 ${(quantile(times, 0.5) * 1_000).toFixed(1)} us, p99 ${(quantile(times, 0.99) * 1_000).toFixed(0)} us`
}
