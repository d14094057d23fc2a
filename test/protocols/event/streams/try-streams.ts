/** Tries streams on every kind of server and says what they reached. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { mutant } from './mutants.ts'
import { profiles } from './profiles.ts'
import { describeScenario, type Scenario } from './scenario.ts'
import { type Reached, StreamShard } from './stream-shard.ts'
import { structured } from './structured.ts'

/** Shards for all profiles, and what was reached on them together. */
export class StreamTrials {
  readonly reached: Reached = { states: new Set(), statuses: new Set() }
  readonly #shards = profiles.map(profile => new StreamShard(profile, this.reached))

  /** Plays one; what is wrong is told with the scenario. One that failed leaves its server unfit: it is replaced. */
  async play(scenario: Scenario): Promise<void> {
    try {
      await this.#shards[scenario.profile]!.play(scenario)
    } catch (error) {
      this.#shards[scenario.profile] = new StreamShard(profiles[scenario.profile]!, this.reached)
      throw new Error(`${error instanceof Error ? error.message : error}: ${describeScenario(scenario)}`, {
        cause: error,
      })
    }
  }

  /** Plays `count` scenarios of fast-check; the smallest that fails is told. */
  async playStructured(seed: number, count: number): Promise<void> {
    const property = fc.asyncProperty(structured, scenario => this.play(scenario))
    await fc.assert(property, { seed, numRuns: count, endOnFailure: false })
  }

  /** Plays the mutants of `count` seeds from `seed` on. */
  async playMutants(seed: number, count: number): Promise<void> {
    for (let each = seed; each < seed + count; each++) await this.play(mutant(each))
  }
}

/** Bytes of the heap, and of buffers, that are still in use. */
export function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
