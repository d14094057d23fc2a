/**
 * What runs inside a worker: a shard, once the main thread activates it, and the control plane that it answers.
 *
 *   loaded (spare) ── preload, rehearse ── activate ──> kernel + edges ── startResidents … ──> serving ── stop ──> empty
 */
import { expose } from 'comlink'

import { encodeError } from '../../messages/error-codec.ts'
import { detailsOf, summariesOf } from '../kernel/actor-summary.ts'
import { killActor } from '../kernel/boot-kernel.ts'
import { adoptFindings, type KernelFindings } from '../kernel-charts.ts'
import { clonableDetails } from './clonable-details.ts'
import { markInsideShard } from './inside-shard.ts'
import { nodeEndpoint } from './node-endpoint.ts'
import { preload } from './preload.ts'
import { rehearse } from './rehearsal.ts'
import { Shard } from './shard.ts'
import type { Answered, Inflict, ShardControl } from './shard-control.ts'
import { createShardLog } from './shard-log.ts'
import type { ShardContext } from './worker-host.ts'

/** What the main thread hands to the runner of a shard. */
export interface ShardBootstrap {
  /** Takes the lines of the shard's log. */
  readonly logPort: import('node:worker_threads').MessagePort
  readonly logLevel: string
  /** Of the main thread. */
  readonly findings: KernelFindings
}

/** Answers the control plane; the host calls it when the worker has loaded this module. */
export function runShard(context: ShardContext): void {
  markInsideShard()
  let shard: Shard | undefined
  const { logPort, logLevel, findings } = context.bootstrap as ShardBootstrap
  adoptFindings(findings)
  const live = (): Shard => {
    if (shard === undefined) throw new Error('the shard is not activated')
    return shard
  }
  const control: ShardControl = {
    preload: definitions => answeredLater(() => preload(definitions)),
    rehearse: () => answeredLater(rehearse),
    activate: activation =>
      answered(() => {
        shard = new Shard(activation, createShardLog(activation.shard, logLevel, logPort))
        const { kernel } = shard
        context.onFatal(({ type, error }) => kernel.failCurrent(error, type))
        return true
      }),
    connect: peer => answered(() => live().connect(peer)),
    startResident: resident => answeredLater(() => live().startResident(resident)),
    startResidents: residents => answeredLater(() => live().startResidents(residents)),
    stopResident: address => answeredLater(() => live().stopResident(address)),
    startChild: request => run(() => live().startChild(request)),
    shutdownChild: (address, incarnation) => run(() => live().kernel.lifecycle.shutdown(address, incarnation)),
    killChild: (address, incarnation) => answeredLater(() => killActor(live().kernel, address, incarnation)),
    removeChild: (address, supervisor) => answered(() => live().removeChild(address, supervisor)),
    stop: () => answeredLater(() => live().stop()),
    tree: query => answered(() => summariesOf(live().kernel, query)),
    details: address => answered(() => clonableDetails(detailsOf(live().kernel, address))),
    deadLetters: () => answered(() => live().kernel.deadLetters.report()),
    setFilters: filters => run(() => live().kernel.setFilters(filters)),
    chaos: (moduleUrl, order) =>
      answeredLater(async () => {
        const { inflict }: { inflict: Inflict } = await import(moduleUrl)
        return inflict({ kernel: live().kernel, context }, order)
      }),
  }
  expose(control, nodeEndpoint(context.port))
}

function run(work: () => void): Answered<true> {
  return answered(() => {
    work()
    return true
  })
}

function answered<T>(work: () => T): Answered<T> {
  try {
    return { value: work() }
  } catch (error) {
    return { error: encodeError(error) }
  }
}

async function answeredLater<T>(work: () => Promise<T>): Promise<Answered<T>> {
  try {
    return { value: await work() }
  } catch (error) {
    return { error: encodeError(error) }
  }
}
