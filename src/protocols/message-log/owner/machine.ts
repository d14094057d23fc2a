/**
 * The life of the owner of a store, once it is open: write it for all shards, close it. It is the only writer.
 *
 * Parent: the log server, before its acceptors. Restart: permanent; the next incarnation opens the same store, where all that
 * was acknowledged is. What it had in hand is settled by the kernel, with whether it was handled. Requests are the engine's work
 * at once: the queue is the engine's tick, so the chart steps for an ask of a shard's tick and for its answer.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> serving
 *   state serving {
 *     [*] --> current
 *     current --> current: retentionInterval, removes what is out of date
 *   }
 *   serving --> closing: actor.shutdown
 *   closing --> closed: store.closed
 *   closing --> failed: store.failed
 *   closed --> [*]
 * ```
 * Its `init` opens the store: until then requests wait for the incarnation. Where it serves and closes, it answers what is in
 * hand. What comes while it closes is put aside for the next incarnation: who asked is told that it was not handled.
 */
import { threadId } from 'node:worker_threads'
import { assign, setup } from 'xstate'
import { postpone, rejectTo, reply, replyTo, runtimeOf } from '../../../actors/runtime/runtime-actions.ts'
import type { StoreInput } from './config.ts'
import type { StoreEvent } from './events.ts'

/** The extended state of the owner of a store. */
export interface StoreContext {
  readonly input: StoreInput
  /** Why it failed. */
  readonly error: unknown
}

const replies = reply<StoreEvent, StoreContext>()
const settles = replyTo<StoreEvent, StoreContext>()

/** Replaced by the I/O; without it (walks, pictures) nothing happens. */
function injected(): void {}

/** What it is asked. */
const requests = {
  'store.append': { actions: 'append' },
  'store.createTopic': { actions: 'createTopic' },
  'store.deleteTopic': { actions: 'deleteTopic' },
  'store.listTopics': { actions: 'listTopics' },
  'store.highWaterMark': { actions: 'readOffset' },
  'store.read': { actions: 'readMessages' },
  'store.whenOpen': { actions: 'tellOpen' },
} as const

/** For the next incarnation: whoever asked is told that it was not handled. */
const requestsPutAside = Object.fromEntries(
  Object.keys(requests).map(type => [type, { actions: 'postpone' }]),
) as unknown as Record<keyof typeof requests, { readonly actions: 'postpone' }>

const answers = {
  'store.appended': { actions: 'answerAppend' },
  'store.topicCreated': { actions: 'answerTopic' },
  'store.topicDeleted': { actions: 'answerDeleted' },
  'store.topicsListed': { actions: 'answerTopics' },
  'store.offsetRead': { actions: 'answerOffset' },
  'store.messagesRead': { actions: 'answerMessages' },
  'store.refused': { actions: 'refuse' },
} as const

/** The chart; `storeIo` provides its I/O. */
export const storeMachine = setup({
  types: { context: {} as StoreContext, events: {} as StoreEvent, input: {} as StoreInput },
  actions: {
    /** Commits what is in hand and closes; reports `store.closed`, after the answers, or `store.failed`. */
    closeEngine: injected,
    /** Each reports what became of the event in hand, or `store.refused`. */
    append: injected,
    createTopic: injected,
    deleteTopic: injected,
    listTopics: injected,
    readOffset: injected,
    readMessages: injected,
    /** Has what is out of date removed, meanwhile. */
    retain: injected,
    /** Ends the actor with `context.error`. */
    reportFailure: injected,
    postpone,
    tellOpen: replies('store.whenOpen', scope => ({ incarnation: runtimeOf(scope)?.incarnation ?? 0, threadId })),
    answerAppend: settles('store.append', ({ event }) =>
      event.type === 'store.appended' && event.token !== undefined
        ? { token: event.token, value: event.outcomes }
        : undefined,
    ),
    answerTopic: settles('store.createTopic', ({ event }) =>
      event.type === 'store.topicCreated' && event.token !== undefined
        ? { token: event.token, value: event.topic }
        : undefined,
    ),
    answerDeleted: settles('store.deleteTopic', ({ event }) =>
      event.type === 'store.topicDeleted' && event.token !== undefined
        ? { token: event.token, value: undefined }
        : undefined,
    ),
    answerTopics: settles('store.listTopics', ({ event }) =>
      event.type === 'store.topicsListed' && event.token !== undefined
        ? { token: event.token, value: event.topics }
        : undefined,
    ),
    answerOffset: settles('store.highWaterMark', ({ event }) =>
      event.type === 'store.offsetRead' && event.token !== undefined
        ? { token: event.token, value: event.highWaterMark }
        : undefined,
    ),
    answerMessages: settles('store.read', ({ event }) =>
      event.type === 'store.messagesRead' && event.token !== undefined
        ? { token: event.token, value: event.result }
        : undefined,
    ),
    refuse: rejectTo<StoreContext, StoreEvent>(({ event }) =>
      event.type === 'store.refused' && event.token !== undefined
        ? { token: event.token, error: event.error }
        : undefined,
    ),
    keepError: assign(({ event }) => (event.type === 'store.failed' ? { error: event.error } : {})),
  },
  delays: {
    retentionInterval: ({ context }) => context.input.retentionIntervalMs,
  },
}).createMachine({
  id: 'logStore',
  context: ({ input }) => ({ input, error: undefined }),
  initial: 'serving',
  states: {
    serving: {
      on: { ...requests, ...answers, 'actor.shutdown': 'closing' },
      initial: 'current',
      states: {
        current: { after: { retentionInterval: { target: 'current', reenter: true, actions: 'retain' } } },
      },
    },
    closing: {
      entry: 'closeEngine',
      on: {
        ...requestsPutAside,
        ...answers,
        'actor.shutdown': {},
        'store.closed': 'closed',
        'store.failed': { target: 'failed', actions: 'keepError' },
      },
    },
    closed: { type: 'final' },
    failed: { entry: 'reportFailure' },
  },
})
