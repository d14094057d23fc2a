/**
 * One incarnation of an actor on its thread: the chart's engine, its mailbox, and what must be undone when it ends.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { ActorEvent } from '../../actors/runtime/actor-runtime.ts'
import type { Engine } from '../../actors/runtime/engine.ts'
import type { ReplyToken } from '../../actors/runtime/runtime-actions.ts'
import type { Envelope } from '../../messages/thread/envelope.ts'
import type { BlackBoxEntry } from '../../messages/thread/exit.ts'
import type { ActorEntry } from './entry.ts'
import type { Mailbox } from './mailbox.ts'
import type { ExitListener } from './watches.ts'

/** Finds the actor in whose name code runs, over promises and timers too: how an unhandled rejection finds its culprit. */
export const actorStorage = new AsyncLocalStorage<ActorCell>()

/** A request that was taken and is not answered yet. */
export interface OpenRequest {
  readonly token: ReplyToken
  /** Event type of the request. */
  readonly type: string
}

/** One incarnation. Plain state; what happens to it is in the kernel. */
export class ActorCell {
  /** On which it lives. */
  readonly kernel: object
  readonly entry: ActorEntry
  readonly incarnation: number
  readonly mailbox: Mailbox
  engine: Engine | undefined
  /** True while it has a place in the dispatcher's queue. */
  queued = false
  boxName = 0
  boxEpoch = 0
  ended = false
  /** Its supervisor asked it to end. */
  stopping = false
  /** Its owner was told that it started. */
  announced = false
  /** The message in hand. */
  current: Envelope | undefined
  /** The right to answer the message in hand; undefined when it was sent. */
  currentToken: ReplyToken | undefined
  /** What became of the request in hand. */
  settled: 'open' | 'replied' | 'kept' = 'open'
  postponed = false
  /** How many faults keep its mailbox, both lanes of it, from being served; see `starfish-net/chaos`. */
  pauses = 0
  /** Events taken in its life. */
  handled = 0
  /** Requests it has taken and not answered, by asker and id. */
  readonly openRequests = new Map<string, OpenRequest>()
  readonly cleanups: (() => void | Promise<void>)[] = []
  readonly watching = new Map<string, ExitListener>()
  readonly groups = new Set<string>()
  /** Delayed sends by id, each with what takes it back. */
  readonly delayedSends = new Map<string, () => void>()
  /** Least time between two checkpoints, ms; -1 when none are taken. */
  readonly checkpointEveryMs: number
  /** Next checkpoint not before, ms since the epoch. */
  checkpointDueMs = 0
  /** Supervisors are handed commands with the right to answer them inside the event. */
  readonly takesTokens: boolean
  readonly #lastEvents: BlackBoxEntry[] = []
  readonly #lastEventsMax: number

  constructor(kernel: object, entry: ActorEntry, mailbox: Mailbox, checkpointEveryMs: number) {
    this.kernel = kernel
    this.entry = entry
    this.incarnation = entry.incarnation
    this.mailbox = mailbox
    this.checkpointEveryMs = checkpointEveryMs
    this.takesTokens = entry.isSupervisor
    this.#lastEventsMax = entry.definition.options.blackBoxEvents ?? 16
  }

  /** The event of a message as the chart takes it. */
  eventOf(envelope: Envelope): ActorEvent {
    if (!this.takesTokens || envelope.requestId === 0) return envelope.event
    this.settled = 'kept'
    return { ...envelope.event, reply: this.currentToken } as ActorEvent
  }

  /** Notes that the message in hand waits for an answer. */
  openRequest(token: ReplyToken | undefined, type: string): void {
    this.currentToken = token
    if (token !== undefined) this.openRequests.set(requestKey(token), { token, type })
  }

  /** Keeps the event in the black box. */
  record(envelope: Envelope, atMs: number): void {
    const slot = this.handled % this.#lastEventsMax
    if (this.#lastEventsMax > 0) {
      this.#lastEvents[slot] = { sequence: this.handled, type: envelope.event.type, atMs, event: envelope.event }
    }
    this.handled++
  }

  /** The last events, oldest first. */
  lastEvents(): BlackBoxEntry[] {
    return [...this.#lastEvents].sort((a, b) => a.sequence - b.sequence)
  }
}

/** The key of a request among those of every asker. */
export function requestKey(token: ReplyToken): string {
  return `${token.shard}.${token.shardIncarnation}.${token.requestId}`
}
