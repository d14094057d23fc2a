/**
 * One incarnation of an actor on its thread: the chart's engine, its mailbox, and what must be undone when it ends.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Engine } from '../../actors/runtime/engine.ts'
import type { ReplyToken } from '../../actors/runtime/runtime-actions.ts'
import type { BlackBoxEntry } from '../../messages/thread/exit.ts'
import type { ActorEntry } from './entry.ts'
import type { Envelope } from './envelope.ts'
import type { Mailbox } from './mailbox.ts'

/** Finds the actor in whose name code runs, over promises and timers too: how an unhandled rejection finds its culprit. */
export const actorStorage = new AsyncLocalStorage<ActorCell>()

/** One incarnation. Plain state; what happens to it is in the kernel. */
export class ActorCell {
  readonly entry: ActorEntry
  readonly incarnation: number
  readonly mailbox: Mailbox
  engine: Engine | undefined
  /** True while it has a place in the dispatcher's queue. */
  queued = false
  ended = false
  /** Its supervisor asked it to end. */
  stopping = false
  /** The message in hand. */
  current: Envelope | undefined
  /** What became of the request in hand. */
  settled: 'open' | 'replied' | 'kept' = 'open'
  postponed = false
  handled = 0
  /** Requests it has taken and not answered, by asker and id. */
  readonly openRequests = new Map<string, ReplyToken>()
  readonly cleanups: (() => void | Promise<void>)[] = []
  /** Addresses it watches. */
  readonly watching = new Set<string>()
  readonly groups = new Set<string>()
  readonly delayedSends = new Map<string, () => void>()
  /** Next checkpoint not before, ms since the epoch. */
  checkpointDueMs = 0
  readonly #lastEvents: BlackBoxEntry[] = []
  readonly #lastEventsMax: number

  constructor(entry: ActorEntry, incarnation: number, mailbox: Mailbox, lastEventsMax: number) {
    this.entry = entry
    this.incarnation = incarnation
    this.mailbox = mailbox
    this.#lastEventsMax = lastEventsMax
  }

  /** Keeps the event in the black box. */
  record(envelope: Envelope, atMs: number): void {
    const entry = { sequence: this.handled, type: envelope.event.type, atMs, event: envelope.event }
    if (this.#lastEvents.length < this.#lastEventsMax) this.#lastEvents.push(entry)
    else if (this.#lastEventsMax > 0) this.#lastEvents[this.handled % this.#lastEventsMax] = entry
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
