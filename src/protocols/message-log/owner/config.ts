/** What the owner of a store is started with. */
import type { DefinitionRef } from '../../../actors/runtime/define-actor.ts'
import type { RetentionPolicy } from '../engine/contract.ts'
import type { TopicRoom } from './topic-room.ts'

/** Filled options. Clonable. */
export interface StoreInput {
  /** The engine, and its options. */
  readonly engine: DefinitionRef & { readonly options: unknown }
  /** Of `createAdvances`: shared with the readers of the store. */
  readonly advances: SharedArrayBuffer
  /** Of `logFigures`. */
  readonly figures: SharedArrayBuffer
  readonly retention: RetentionPolicy
  readonly topicRoom: TopicRoom
  /** From the end of one look at what is out of date to the next, ms. */
  readonly retentionIntervalMs: number
}
