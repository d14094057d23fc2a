/**
 * What a supervisor is told of a child: each start is answered by one of the first three, each incarnation that started
 * ends by one exit.
 */
import type { ActorExit, ExitReason } from './exit.ts'

/** Where a started child lives; handed through to those who asked for it. */
export interface ChildPlace {
  readonly address: string
  /** Index of the shard, -1 for the main thread. */
  readonly shard: number
}

/** What happened to a child that was asked to start, or that was running. */
export type ChildFact =
  | { readonly type: 'child.started'; readonly id: string; readonly incarnation: number; readonly place: ChildPlace }
  /** Its start declined: the child stays defined without an actor (a temporary or dynamic one is forgotten). */
  | { readonly type: 'child.ignored'; readonly id: string; readonly incarnation: number }
  | {
      readonly type: 'child.startFailed'
      readonly id: string
      readonly incarnation: number
      readonly reason: ExitReason
    }
  | { readonly type: 'child.exited'; readonly id: string; readonly incarnation: number; readonly exit: ActorExit }
