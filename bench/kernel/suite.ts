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
      'Workers are lost on the package as it is built, whose modules are merged. Their actors import no more of it than they use: one that imports all of it, and was not loaded by a spare, takes 40 ms more.',
      'A round trip between two threads depends on whether the core that is woken slept: in a virtual machine it takes 25 us or several hundred, and its ratio goes up and down with it. With both threads on one core (`taskset -c 0 npm run bench -- kernel --only=asks`) only the work counts.',
    ]
    return { title: this.title, notes, figures }
  },
}
