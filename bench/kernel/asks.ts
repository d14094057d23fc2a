/**
 * Asks from an actor of one shard to a compiled actor of another, and from the main thread, against round trips on a bare
 * port between the same two threads, ten of a kind in turn: whatever the machine does, and above all the cores that sleep
 * and are woken, then meets both alike.
 *
 * Both are warm: V8 takes some 20,000 asks to optimize all that one goes through, where the baseline is optimized after
 * a few hundred round trips.
 */
import { median, quantile, spread } from '../statistics.ts'
import { atMost, type Figure, type SuiteOptions } from '../suite.ts'
import { sample } from './actor.ts'
import { asker } from './asker.ts'
import { openBareAsks } from './baseline-ask.ts'
import { type AskTimes, interleaveAsks } from './interleaved-asks.ts'
import { sink } from './sink.ts'
import { benchSystem } from './world.ts'

const limit = atMost(1.3, 'x')
const rowsPerRound = 25
const warmUps = 120

/** Measures. */
export async function measureAsks({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const rounds = quick ? 40 : 160
  await using system = await benchSystem(2)
  const far = await system.spawn(asker, { id: 'asker', shard: 1 })
  const near = await system.spawn(sink, { id: 'sink', shard: 0, input: {} })
  const thread = await near.ask({ type: 'sink.openPorts' }, { timeoutMs: 10_000 })
  const bare = await openBareAsks(thread)
  const fromShard = () => far.ask({ type: 'asker.run', to: 'sink', thread, rows: rowsPerRound }, { timeoutMs: 60_000 })
  const ask = (number: number) => near.ask({ type: 'sink.echo', sample: sample(number) }, { timeoutMs: 10_000 })
  const shards: AskTimes[] = []
  const main: AskTimes[] = []
  for (let round = -warmUps; round < rounds; round++) {
    const [asked, own] = [await fromShard(), await interleaveAsks(ask, bare, rowsPerRound)]
    if (round < 0) continue
    shards.push(asked)
    main.push(own)
    if ((round + 1) % 10 !== 0) continue
    say(`asks ${round + 1}/${rounds}: ${spreadOf(shards).value.toFixed(2)}x, main ${spreadOf(main).value.toFixed(2)}x`)
  }
  const figure = figureOf('ask, shard to shard, compiled actor, p50', shards)
  return [
    { ...figure, budget: limit.text, pass: limit.holds(figure.value) },
    figureOf('ask, main thread to shard, compiled actor, p50', main),
  ]
}

/** The ratios of the medians of each round. */
function spreadOf(rounds: readonly AskTimes[]) {
  return spread(rounds.map(({ asked, bare }) => median(asked) / median(bare)))
}

function figureOf(work: string, rounds: readonly AskTimes[]): Figure & { readonly value: number } {
  return {
    work,
    inFlight: '1',
    figure: timesOf(rounds.flatMap(({ asked }) => asked)),
    baseline: `bare port: ${timesOf(rounds.flatMap(({ bare }) => bare))}`,
    ...spreadOf(rounds),
  }
}

function timesOf(times: readonly number[]): string {
  return `p50 ${(quantile(times, 0.5) * 1_000).toFixed(1)} us, p99 ${(quantile(times, 0.99) * 1_000).toFixed(0)} us`
}
