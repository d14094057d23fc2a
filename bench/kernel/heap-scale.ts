/** An actor that weighs the heap of its thread. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { setup } from 'xstate'
import { defineActor } from '../../src/actors/runtime/define-actor.ts'
import type { Request } from '../../src/actors/runtime/requests.ts'
import { reply } from '../../src/actors/runtime/runtime-actions.ts'

/** What it takes; answered with bytes in use after a collection. */
export type ScaleEvent = Request<{ type: 'scale.weigh' }, number>

let collect: (() => void) | undefined

/** Collections in which V8 has given up what it compiled and nobody ran meanwhile; fewer leave megabytes of it, or not. */
const collections = 10

/** Bytes in use on the heap of this thread when nothing more can be collected. */
function weigh(): number {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  for (let done = 0; done < collections; done++) collect()
  return process.memoryUsage().heapUsed
}

export const heapScale = defineActor(import.meta.url, 'heapScale', {
  machine: setup({
    types: {} as { events: ScaleEvent },
    actions: { weigh: reply<ScaleEvent>()('scale.weigh', weigh) },
  }).createMachine({ id: 'scale', on: { 'scale.weigh': { actions: 'weigh' } } }),
})
