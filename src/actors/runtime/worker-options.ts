/** What every worker thread of this package is started with, whatever runs in it. */
import type { ResourceLimits } from 'node:worker_threads'
import type { Piscina } from 'piscina'

/** Piscina derives its type from the first overload of `postMessage`, which is the wrong one. */
export type PoolTransfer = NonNullable<NonNullable<Parameters<Piscina['run']>[1]>['transferList']>

/** Options for a worker whose old heap may grow to `heapMb` MiB; to the platform's default when undefined. */
export function workerOptions(heapMb: number | undefined): {
  execArgv?: string[]
  resourceLimits?: ResourceLimits
} {
  return {
    ...(isProgramInline() ? { execArgv: [] } : {}),
    // A young heap that is large beside the old one moves so much over at once that the soft mark of a shard is overrun, and
    // with it, at times, the reserve that V8 needs to end the worker alone (seen: 2 aborted processes in 10 at a quarter,
    // 0 at an eighth).
    ...(heapMb === undefined
      ? {}
      : { resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: heapMb / 8 } }),
  }
}

/** A program given with `--input-type` and `--eval`: a worker inherits the former and then cannot load any file. */
function isProgramInline(): boolean {
  return process.execArgv.some(argument => argument.startsWith('--input-type'))
}
