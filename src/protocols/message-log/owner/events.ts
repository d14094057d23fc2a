/** What the owner of a store is asked, and what its engine reports. */
import type { Request } from '../../../actors/runtime/requests.ts'
import type { ReplyToken } from '../../../actors/runtime/runtime-actions.ts'
import type { Topic } from '../engine/contract.ts'
import type { AppendOutcomes } from './append-desk.ts'

/** Answered once the store is open. */
export type StoreWhenOpen = Request<{ readonly type: 'store.whenOpen' }, undefined>

/** Has the appends in a buffer of `AppendBatchWriter` done, in order; answered when each of them is settled. */
export type StoreAppend = Request<{ readonly type: 'store.append'; readonly batch: Uint8Array }, AppendOutcomes>

/** See `LogEngine.createTopic`. */
export type StoreCreateTopic = Request<
  { readonly type: 'store.createTopic'; readonly name: string; readonly partitions: number },
  Topic
>

/** See `LogEngine.deleteTopic`. */
export type StoreDeleteTopic = Request<{ readonly type: 'store.deleteTopic'; readonly name: string }, undefined>

/** What the engine has done. `token` is undefined for what nobody waits for. */
export type StoreFact =
  | { readonly type: 'store.opened' }
  | { readonly type: 'store.appended'; readonly token: ReplyToken | undefined; readonly outcomes: AppendOutcomes }
  | { readonly type: 'store.topicCreated'; readonly token: ReplyToken | undefined; readonly topic: Topic }
  | { readonly type: 'store.topicDeleted'; readonly token: ReplyToken | undefined }
  /** A request was refused. */
  | { readonly type: 'store.refused'; readonly token: ReplyToken | undefined; readonly error: unknown }
  | { readonly type: 'store.closed' }
  /** It cannot be opened, or closed. */
  | { readonly type: 'store.failed'; readonly error: unknown }

/** The supervisor's polite request to end: what is in hand is committed and answered, nothing else. */
interface ActorShutdown {
  readonly type: 'actor.shutdown'
}

/** All events of the owner of a store. */
export type StoreEvent = StoreWhenOpen | StoreAppend | StoreCreateTopic | StoreDeleteTopic | StoreFact | ActorShutdown
