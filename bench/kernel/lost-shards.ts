/** A worker with 100 actors is killed: until the last of them answers again, with the warm spare and while it is rebuilt. */
import type { ActorRef } from '../../src/supervisor/actor-ref.ts'
import { internalsOf, type System } from '../../src/supervisor/system.ts'
import { quantile } from '../statistics.ts'
import { atMost, type Figure, type SuiteOptions } from '../suite.ts'
import { sample } from './actor.ts'
import { sink } from './sink.ts'
import { benchSystem } from './world.ts'

const actors = 100
const killsPerSystem = 28
/** Long enough for the next spare to be loaded on a busy machine. */
const spareMs = 300

/** Measures. */
export async function measureLostShards({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const pairs = quick ? 8 : 40
  const warm: number[] = []
  const rebuilt: number[] = []
  while (warm.length < pairs) {
    // A system of its own for each budget of restarts.
    await using system = await benchSystem(2)
    const refs = await Promise.all(
      Array.from({ length: actors }, (_, index) => system.spawn(sink, { id: `sink-${index}`, shard: 0, input: {} })),
    )
    for (let kill = 0; kill < killsPerSystem && warm.length < pairs; kill += 2) {
      await new Promise(resolve => setTimeout(resolve, spareMs))
      warm.push(await replaced(system, refs))
      rebuilt.push(await replaced(system, refs))
      say(
        `replaced ${warm.length}/${pairs}: ${warm.at(-1)!.toFixed(0)} ms, at once again ${rebuilt.at(-1)!.toFixed(0)} ms`,
      )
    }
  }
  return [
    figure('worker with 100 actors replaced, warm spare, p99', warm, 80),
    figure('worker with 100 actors replaced while the spare is rebuilt, p99', rebuilt, 200),
  ]
}

/** Kills the worker of shard 0; answers the milliseconds until every actor has answered. */
async function replaced(system: System, refs: readonly ActorRef<typeof sink>[]): Promise<number> {
  const worker = internalsOf(system).shards!.worker(0)!
  const from = performance.now()
  void worker.terminate({ type: 'killed' })
  // What is asked before the edge has closed is lost with the worker, and asked again.
  await Promise.all(refs.map(answered))
  return performance.now() - from
}

async function answered(ref: ActorRef<typeof sink>): Promise<void> {
  for (;;) {
    try {
      await ref.ask({ type: 'sink.echo', sample: sample(0) }, { timeoutMs: 10_000 })
      return
    } catch {}
  }
}

function figure(work: string, times: readonly number[], limitMs: number): Figure {
  const limit = atMost(limitMs, 'ms')
  const value = quantile(times, 0.99)
  return {
    work,
    inFlight: '100 asks',
    figure: `p50 ${quantile(times, 0.5).toFixed(0)} ms, worst ${Math.max(...times).toFixed(0)} ms of ${times.length}`,
    budget: limit.text,
    pass: limit.holds(value),
    value,
    min: Math.min(...times),
    max: Math.max(...times),
  }
}
