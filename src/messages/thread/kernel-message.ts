/**
 * What the kernels of a system's threads say to each other, beside the messages of actors. Travels on the control lane.
 */
import type { ChildFact } from './child-fact.ts'
import type { ActorExit, ExitReason } from './exit.ts'
import type { Fact, ShardEvent } from './fact.ts'

/** The address that every kernel answers to. */
export const kernelAddress = '$kernel'

/** A message from kernel to kernel. */
export type KernelMessage =
  /** To main: where does that address live? */
  | { readonly type: 'kernel.resolve'; readonly address: string; readonly shard: number }
  /** From main: there; `shard` is null when no actor has that address. */
  | { readonly type: 'kernel.resolved'; readonly address: string; readonly shard: number | null }
  /** From main: that address, and those below it, ended for good: forget where they lived. */
  | { readonly type: 'kernel.forget'; readonly address: string }
  /** Tell `shard` when that actor ends. */
  | { readonly type: 'kernel.watch'; readonly address: string; readonly shard: number }
  | { readonly type: 'kernel.unwatch'; readonly address: string; readonly shard: number }
  /** The incarnation that the one who asked to be told now watches. */
  | {
      readonly type: 'kernel.watching'
      readonly address: string
      readonly incarnation: number
      readonly definition: string
    }
  /** A watched actor ended. */
  | { readonly type: 'kernel.exited'; readonly exit: ActorExit }
  /** From main: that shard is gone, and why. Sent after its last message. */
  | {
      readonly type: 'kernel.shardLost'
      readonly shard: number
      readonly incarnation: number
      readonly reason: ExitReason
      /** What its black box held. */
      readonly lastEvents: readonly ShardEvent[]
    }
  /** From main: that shard is about to be replaced; what is sent to its actors from now on waits. */
  | { readonly type: 'kernel.shardDraining'; readonly shard: number }
  /** To main: an actor joined or left a group. From main: the same, for every copy of the table. */
  | { readonly type: 'kernel.group'; readonly group: string; readonly address: string; readonly joined: boolean }
  /** Answer when you have come to this: all that was told before has then been taken. */
  | { readonly type: 'kernel.sync'; readonly call: number; readonly shard: number }
  | { readonly type: 'kernel.synced'; readonly call: number }
  /** To main: what comes from that worker is not to be relied on. */
  | { readonly type: 'kernel.edgeBroken'; readonly shard: number; readonly incarnation: number }
  /** To main: a checkpoint of an actor that restarts from snapshots; none when it has ended for good. */
  | { readonly type: 'kernel.checkpoint'; readonly address: string; readonly checkpoint: Checkpoint | undefined }
  /** To main: a top-level actor ended for good; `generation` is that of the resident. */
  | { readonly type: 'kernel.ended'; readonly address: string; readonly generation: number }
  /** To main: a top-level actor started again. */
  | { readonly type: 'kernel.restarted'; readonly address: string; readonly incarnation: number }
  /** To main: the start or end of a child whose supervisor lives there. */
  | { readonly type: 'kernel.childFact'; readonly supervisor: string; readonly fact: ChildFact }
  /** To main: facts that somebody inspects. */
  | { readonly type: 'kernel.facts'; readonly facts: readonly Fact[] }

/** The state of an actor at one moment, from which its next incarnation may go on. */
export interface Checkpoint {
  /** The engine's own form. */
  readonly state: unknown
  /** When it was taken, ms since the epoch. */
  readonly atMs: number
}
