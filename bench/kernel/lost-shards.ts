/**
 * A worker with 100 actors is killed: until the last of them answers again, with the warm spare and while it is rebuilt.
 * Measured on the package as it is built, since most of it is the loading of modules, which the build merges.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ActorRef } from '../../src/supervisor/actor-ref.ts'
import type { System } from '../../src/supervisor/system.ts'
import { quantile } from '../statistics.ts'
import { atMost, type Figure, type SuiteOptions } from '../suite.ts'
import { silentLogger } from './world.ts'

const actors = 100
const killsPerSystem = 28
/** A process that has used less than this share of a core for so long has its next spare prepared. */
const rest = { share: 0.1, forMs: 100, lookMs: 20 }

/** The package as built, and the definition of the actors for it. */
async function build() {
  execFileSync(process.execPath, [fileURLToPath(new URL('../../scripts/build.ts', import.meta.url))])
  const { createSystem, internalsOf }: typeof import('../../src/supervisor/system.ts') = await import(
    new URL('../../dist/supervisor/system.js', import.meta.url).href
  )
  const { resident } = await import('./resident.ts')
  return { createSystem, internalsOf, resident }
}

type Built = Awaited<ReturnType<typeof build>>
type Resident = ActorRef<Built['resident']>

/** Measures. */
export async function measureLostShards({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const pairs = quick ? 8 : 40
  say('builds the package')
  const built = await build()
  const warm: number[] = []
  const rebuilt: number[] = []
  while (warm.length < pairs) {
    // A system of its own for each budget of restarts.
    await using system = await built.createSystem({ shards: 2, logger: silentLogger() })
    const refs = await Promise.all(
      Array.from({ length: actors }, (_, index) => system.spawn(built.resident, { id: `resident-${index}`, shard: 0 })),
    )
    for (let kill = 0; kill < killsPerSystem && warm.length < pairs; kill += 2) {
      await atRest()
      warm.push(await replaced(built, system, refs))
      rebuilt.push(await replaced(built, system, refs))
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

async function atRest(): Promise<void> {
  for (let calmMs = 0; calmMs < rest.forMs; ) {
    const before = process.cpuUsage()
    await new Promise(resolve => setTimeout(resolve, rest.lookMs))
    const { user, system } = process.cpuUsage(before)
    calmMs = user + system < rest.share * rest.lookMs * 1_000 ? calmMs + rest.lookMs : 0
  }
}

/** Kills the worker of shard 0; answers the milliseconds until every actor has answered. */
async function replaced({ internalsOf }: Built, system: System, refs: readonly Resident[]): Promise<number> {
  const worker = internalsOf(system).shards!.worker(0)!
  const from = performance.now()
  void worker.terminate({ type: 'killed' })
  // What is asked before the edge has closed is lost with the worker, and asked again.
  await Promise.all(refs.map(answered))
  return performance.now() - from
}

async function answered(ref: Resident): Promise<void> {
  for (;;) {
    try {
      await ref.ask({ type: 'resident.answer' }, { timeoutMs: 10_000 })
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
