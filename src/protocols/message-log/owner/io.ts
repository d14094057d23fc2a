/** The engine in the hands of the owner of a store. */
import type { ActorRuntime } from '../../../actors/runtime/actor-runtime.ts'
import { type ReplyToken, replyToken } from '../../../actors/runtime/runtime-actions.ts'
import { StarfishError } from '../../../messages/errors.ts'
import type { LogEngine, Topic } from '../engine/contract.ts'
import { appendAll } from './append-desk.ts'
import type { StoreEvent, StoreFact } from './events.ts'
import type { StoreContext } from './machine.ts'
import { engineOf, figuresOf } from './open-store.ts'
import { StoreCounts } from './store-counts.ts'
import { checkTopicRoom, type TopicRoom } from './topic-room.ts'

/** What its actions look at. */
export interface StoreScope {
  readonly context: StoreContext
  readonly event: StoreEvent
  readonly system: unknown
}

/** The chart's actions, of one incarnation. */
export function storeIo(runtime: ActorRuntime) {
  const feed = (event: StoreFact): void => runtime.feed(event)
  const engine = engineOf(runtime)
  const counts = new StoreCounts(figuresOf(runtime))
  let retaining: Promise<void> | undefined
  let closing = false
  /** Of what the engine works on. */
  let inHand = 0
  const idle = Promise.withResolvers<void>()
  let creating: Promise<unknown> = Promise.resolve()

  /** One topic after the other, so that each is judged by those before it. */
  function createTopic(store: LogEngine, name: string, partitions: number, room: TopicRoom): Promise<Topic> {
    const created = creating.then(async () => {
      checkTopicRoom(await store.listTopics(), name, partitions, room)
      return store.createTopic(name, partitions)
    })
    creating = created.catch(() => undefined)
    return created
  }

  async function close(): Promise<void> {
    closing = true
    await engine.close()
    if (inHand > 0) await idle.promise
  }

  /** Has the engine work for who asked; the answer waits for that, the actor does not. */
  function answer(
    scope: StoreScope,
    work: (store: LogEngine, token: ReplyToken | undefined) => Promise<StoreFact>,
  ): void {
    const token = replyToken(scope)
    inHand++
    void work(engine, token)
      .then(feed, error => feed({ type: 'store.refused', token, error }))
      .then(() => {
        if (--inHand === 0 && closing) idle.resolve()
      })
  }

  return {
    closeEngine() {
      close().then(
        () => feed({ type: 'store.closed' }),
        error => feed({ type: 'store.failed', error }),
      )
    },
    append(scope: StoreScope) {
      const { event } = scope
      if (event.type !== 'store.append') return
      answer(scope, async (store, token) => {
        if (event.incarnation !== runtime.incarnation) throw otherOwner(runtime, event.incarnation)
        return { type: 'store.appended', token, outcomes: await appendAll(store, event.batch, counts) }
      })
    },
    createTopic(scope: StoreScope) {
      const { event, context } = scope
      if (event.type !== 'store.createTopic') return
      const { name, partitions } = event
      answer(scope, async (store, token) => {
        const topic = await createTopic(store, name, partitions, context.input.topicRoom)
        return { type: 'store.topicCreated', token, topic }
      })
    },
    deleteTopic(scope: StoreScope) {
      const { event } = scope
      if (event.type !== 'store.deleteTopic') return
      answer(scope, async (store, token) => {
        await store.deleteTopic(event.name)
        return { type: 'store.topicDeleted', token }
      })
    },
    listTopics(scope: StoreScope) {
      answer(scope, async (store, token) => {
        return { type: 'store.topicsListed', token, topics: await store.listTopics() }
      })
    },
    readOffset(scope: StoreScope) {
      const { event } = scope
      if (event.type !== 'store.highWaterMark') return
      answer(scope, async (store, token) => {
        return { type: 'store.offsetRead', token, highWaterMark: await store.highWaterMark(event.partitionId) }
      })
    },
    readMessages(scope: StoreScope) {
      const { event } = scope
      if (event.type !== 'store.read') return
      const { partitionId, offset, maxBytes } = event
      answer(scope, async (store, token) => {
        return { type: 'store.messagesRead', token, result: await store.read(partitionId, offset, maxBytes) }
      })
    },
    retain({ context }: StoreScope) {
      if (retaining !== undefined) return
      retaining = engine
        .retain(context.input.retention)
        .then(
          removed => {
            counts.removed(removed)
            runtime.log.debug(removed, 'removed what a message log does not keep')
          },
          err => {
            if (closing) return
            counts.retentionFailed()
            runtime.log.warn({ err }, 'what a message log does not keep could not be removed')
          },
        )
        .finally(() => {
          retaining = undefined
        })
    },
    reportFailure: ({ context }: StoreScope) => runtime.fail(context.error),
  }
}

function otherOwner({ address, incarnation }: ActorRuntime, meant: number): StarfishError {
  const text = `${address} is in its incarnation ${incarnation}, not ${meant}`
  return new StarfishError('ACTOR_DIED', text, { details: { address, incarnation: meant }, handled: 'no' })
}
