/**
 * A shard as a child of the supervisor of shards: an actor of the main thread whose life is that of one worker.
 *
 * Its start brings the worker up, its end is the worker's end with the worker's own reason, so that budgets, escalation
 * and facts are those of every other child. Parent: `$shards`; restart class permanent.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> serving: init has brought the worker up
 *   serving --> draining: actor.shutdown
 *   draining --> ended: its actors have stopped
 *   ended --> [*]
 * ```
 */
import { fromPromise, setup } from 'xstate'
import { defineActor } from '../../actors/runtime/define-actor.ts'
import type { ShardSet } from './shard-set.ts'
import type { HostedWorker, WorkerEnd } from './worker-host.ts'

/** Which worker the actor stands for; stays on the main thread. */
export interface ShardActorInput {
  readonly shards: ShardSet
  readonly index: number
  /** Ends that incarnation of this actor with the worker's reason. */
  readonly ended: (index: number, incarnation: number, worker: HostedWorker, end: WorkerEnd) => void
}

const shardMachine = setup({
  types: {
    context: {} as ShardActorInput,
    input: {} as ShardActorInput,
    events: {} as { type: 'actor.shutdown' },
  },
  actors: {
    drain: fromPromise(({ input }: { input: ShardActorInput }) => input.shards.drain(input.index)),
  },
}).createMachine({
  id: 'shard',
  context: ({ input }) => input,
  initial: 'serving',
  states: {
    serving: { on: { 'actor.shutdown': 'draining' } },
    draining: {
      invoke: { src: 'drain', input: ({ context }) => context, onDone: 'ended', onError: 'ended' },
    },
    ended: { type: 'final' },
  },
})

/** The shard actor. Not for users: its input holds the shards themselves. */
export const shardActor = defineActor(import.meta.url, 'shardActor', {
  machine: shardMachine,
  async init({ shards, index, ended }, runtime) {
    // Whatever ends the actor, a start that took too long or a drain past its deadline, ends the worker too.
    runtime.onStop(() => shards.endWorker(index))
    const worker = await shards.bringUp(index)
    void worker.ended.then(end => ended(index, runtime.incarnation, worker, end))
    return undefined
  },
})
