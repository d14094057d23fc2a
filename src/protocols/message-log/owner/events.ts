/** What the owner of a store is asked, and what its engine reports. */
import type { Request } from '../../../actors/runtime/requests.ts'
import type { ReplyToken } from '../../../actors/runtime/runtime-actions.ts'
import type { ReadResult, Topic } from '../engine/contract.ts'
import type { AppendOutcomes } from './append-desk.ts'

/** Who has the store open. */
export interface StoreOpen {
  /** Of the owner: what appends are to be addressed to. */
  readonly incarnation: number
  /** Of the thread that it lives on. */
  readonly threadId: number
}

/** Answered by whoever has the store open: one that opens it is waited for. */
export type StoreWhenOpen = Request<{ readonly type: 'store.whenOpen' }, StoreOpen>

/** Appends as they cross to the owner. */
export interface StoreAppendEvent {
  readonly type: 'store.append'
  /**
   * Of the owner that is meant. Another one refuses them, `handled: 'no'`: those that were sent before may not have been
   * taken, and would be stored behind these.
   */
  readonly incarnation: number
  /** Of `AppendBatchWriter`. */
  readonly batch: Uint8Array
}

/** Has the appends in a batch done, in order; answered when each of them is settled. */
export type StoreAppend = Request<StoreAppendEvent, AppendOutcomes>

/** See `LogEngine.createTopic`. */
export type StoreCreateTopic = Request<
  { readonly type: 'store.createTopic'; readonly name: string; readonly partitions: number },
  Topic
>

/** See `LogEngine.deleteTopic`. */
export type StoreDeleteTopic = Request<{ readonly type: 'store.deleteTopic'; readonly name: string }, undefined>

/** See `LogReader.listTopics`: for shards that have no reader of their own. */
export type StoreListTopics = Request<{ readonly type: 'store.listTopics' }, readonly Topic[]>

/** See `LogReader.highWaterMark`. */
export type StoreHighWaterMark = Request<{ readonly type: 'store.highWaterMark'; readonly partitionId: number }, number>

/** See `LogReader.read`. */
export type StoreRead = Request<
  { readonly type: 'store.read'; readonly partitionId: number; readonly offset: number; readonly maxBytes: number },
  ReadResult
>

/** What the engine has done. `token` is undefined for what nobody waits for. */
export type StoreFact =
  | { readonly type: 'store.appended'; readonly token: ReplyToken | undefined; readonly outcomes: AppendOutcomes }
  | { readonly type: 'store.topicCreated'; readonly token: ReplyToken | undefined; readonly topic: Topic }
  | { readonly type: 'store.topicDeleted'; readonly token: ReplyToken | undefined }
  | { readonly type: 'store.topicsListed'; readonly token: ReplyToken | undefined; readonly topics: readonly Topic[] }
  | { readonly type: 'store.offsetRead'; readonly token: ReplyToken | undefined; readonly highWaterMark: number }
  | { readonly type: 'store.messagesRead'; readonly token: ReplyToken | undefined; readonly result: ReadResult }
  /** A request was refused. */
  | { readonly type: 'store.refused'; readonly token: ReplyToken | undefined; readonly error: unknown }
  | { readonly type: 'store.closed' }
  /** It cannot be closed. */
  | { readonly type: 'store.failed'; readonly error: unknown }

/** The supervisor's polite request to end: what is in hand is committed and answered, nothing else. */
interface ActorShutdown {
  readonly type: 'actor.shutdown'
}

/** All events of the owner of a store. */
export type StoreEvent =
  | StoreWhenOpen
  | StoreAppend
  | StoreCreateTopic
  | StoreDeleteTopic
  | StoreListTopics
  | StoreHighWaterMark
  | StoreRead
  | StoreFact
  | ActorShutdown
