/** The suite of the kernel: compiled steps, asks, sends, restarts, replaced workers, spawns. */
import type { Figure, Suite, SuiteOptions } from '../suite.ts'
import { measureAsks } from './asks.ts'
import { measureLostShards } from './lost-shards.ts'
import { measureRestarts } from './restarts.ts'
import { measureSends } from './sends.ts'
import { measureSpawns } from './spawns.ts'
import { measureSteps } from './steps.ts'

const parts: readonly [string, (options: SuiteOptions) => Promise<Figure[]>][] = [
  ['steps', measureSteps],
  ['asks', measureAsks],
  ['sends', measureSends],
  ['restarts', measureRestarts],
  ['lost-shards', measureLostShards],
  ['spawns', measureSpawns],
]

export const kernelSuite: Suite = {
  title: 'The kernel',
  async run(options) {
    const figures: Figure[] = []
    for (const [name, measure] of parts) {
      if (options.only !== undefined && options.only !== name) continue
      options.say(`-- ${name}`)
      figures.push(...(await measure(options)))
    }
    return { title: this.title, notes: [], figures }
  },
}
