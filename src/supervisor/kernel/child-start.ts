/**
 * What a supervisor asks of the kernel on which a child is to live.
 */
import type { Checkpoint } from '../../messages/thread/kernel-message.ts'
import type { ResolvedChildSpec } from '../child-spec.ts'
import type { StartCounts } from '../start-counts.ts'
import type { Owner } from './entry.ts'

/** One start of one child. Plain data where the definitions in `spec` are references. */
export interface ChildStart {
  readonly address: string
  readonly owner: Owner
  /** Counts the starts of this address, from 1. */
  readonly incarnation: number
  readonly spec: ResolvedChildSpec
  /** The last checkpoint, where the thread that kept it is gone. */
  readonly checkpoint?: Checkpoint
}

/** One that the main thread asks of a shard. */
export interface RemoteStart extends ChildStart {
  /** The last known incarnations of those below it; the next ones count on from there. */
  readonly incarnations: StartCounts
}
