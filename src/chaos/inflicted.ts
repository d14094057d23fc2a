/** What faults come to. */
import type { ActorExit, ExitReason } from '../messages/thread/exit.ts'
import type { Fault } from './fault.ts'

/** The end of a shard's worker. */
export interface ShardExit {
  readonly shard: number
  /** Counts the workers of the shard, from 1. */
  readonly incarnation: number
  readonly reason: ExitReason
  /** When it ended, ms since the epoch. */
  readonly atMs: number
  /** True when its thread does not end although it was told to; it is fenced all the same. */
  readonly zombie: boolean
}

/** A fault that lasts until it is released; `await using` releases it at the end of the block. */
export interface LastingFault extends AsyncDisposable {
  readonly fault: Fault
  /** Lifts the fault; also when its thread is gone, and with it the fault. A second call does nothing. */
  release(): Promise<void>
}

/** A shard that spins. */
export interface Stall {
  /** Settles when that is over: undefined when the shard goes on, else why its worker ended. */
  readonly over: Promise<ExitReason | undefined>
}

/** What a fault that was given as data came to, once it has taken effect. */
export type Inflicted =
  | { readonly type: 'ended'; readonly exit: ActorExit | ShardExit }
  | { readonly type: 'stalled'; readonly stall: Stall }
  | { readonly type: 'lasting'; readonly lasting: LastingFault }
