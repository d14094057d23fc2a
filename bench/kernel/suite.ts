/** The suite of the kernel: compiled steps, asks, sends, restarts, replaced workers, spawns. */
import { runParts } from '../parts.ts'
import type { Suite } from '../suite.ts'
import { measureAsks } from './asks.ts'
import { measureLostShards } from './lost-shards.ts'
import { measureRestarts } from './restarts.ts'
import { measureSends } from './sends.ts'
import { measureSpawns } from './spawns.ts'
import { measureSteps } from './steps.ts'

export const kernelSuite: Suite = {
  title: 'The kernel',
  async run(options) {
    const figures = await runParts(options, {
      steps: measureSteps,
      asks: measureAsks,
      sends: measureSends,
      restarts: measureRestarts,
      'lost-shards': measureLostShards,
      spawns: measureSpawns,
    })
    const notes = [
      'What V8 has compiled is kept on disk, as `starfish up` keeps it: a worker that is replaced loads in half the time.',
      'Asks and bare round trips go between the same two threads, ten of a kind in turn: how long one takes depends on whether the core that is woken slept, which meets both alike. With both threads on one core (`taskset -c 0 npm run bench -- kernel --only=asks`) only the work counts.',
    ]
    return { title: this.title, notes, figures }
  },
}
