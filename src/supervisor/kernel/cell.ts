/**
 * One incarnation of an actor on its thread: the chart's engine, its mailbox, and what must be undone when it ends.
 */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import type { ActorEvent } from '../../actors/runtime/actor-runtime.ts'
import type { Engine } from '../../actors/runtime/engine.ts'
import type { ReplyToken } from '../../actors/runtime/runtime-actions.ts'
import type { Envelope } from '../../messages/thread/envelope.ts'
import type { BlackBoxEntry } from '../../messages/thread/exit.ts'
import type { ActorEntry } from './entry.ts'
import { KeptRequests } from './kept-requests.ts'
import type { Mailbox } from './mailbox.ts'
import type { ExitListener } from './watches.ts'

/** Finds the actor in whose name code runs, over promises and timers too: how an unhandled rejection finds its culprit. */
export const actorStorage = new AsyncLocalStorage<ActorCell>()

/** The context in which a cell takes its turns: made once, since entering it costs a fifth of making it. */
export function createTurnScope(cell: ActorCell): AsyncResource {
  return actorStorage.run(cell, () => new AsyncResource('StarfishActor', { requireManualDestroy: true }))
}

/** What the black box of a cell has that was never used. */
const noEvents: ActorEvent[] = []

/**
 * A turn of a cell: the message in hand and what becomes of it. Made for each turn, since to store each message in what is
 * as old as a cell costs V8 a note.
 */
export class Turn {
  /** When it began, or so, ms since the epoch. */
  readonly atMs: number
  /** The message in hand. */
  message: Envelope | undefined = undefined
  /** The right to answer it; undefined when it was sent. */
  token: ReplyToken | undefined = undefined
  /** What became of the request in hand. */
  settled: 'open' | 'replied' | 'kept' = 'open'
  postponed = false

  constructor(atMs: number) {
    this.atMs = atMs
  }
}

/** One incarnation. Plain state; what happens to it is in the kernel. */
export class ActorCell {
  /** On which it lives. */
  readonly kernel: object
  readonly entry: ActorEntry
  readonly incarnation: number
  readonly mailbox: Mailbox
  engine: Engine | undefined
  /** Set at its first turn; see {@link createTurnScope}. */
  turnScope: AsyncResource | undefined
  /** True while it has a place in the dispatcher's queue. */
  queued = false
  boxName = 0
  boxEpoch = 0
  ended = false
  /** Its supervisor asked it to end. */
  stopping = false
  /** Its owner was told that it started. */
  announced = false
  /** Its turn, while it has one. */
  turn: Turn | undefined
  /** How many faults keep its mailbox, both lanes of it, from being served; see `starfish-net/chaos`. */
  pauses = 0
  /** Events taken in its life. */
  handled = 0
  readonly openRequests = new KeptRequests()
  readonly cleanups: (() => void | Promise<void>)[] = []
  readonly watching = new Map<string, ExitListener>()
  readonly groups = new Set<string>()
  /** Delayed sends by id, each with what takes it back. */
  readonly delayedSends = new Map<string, () => void>()
  /** Counts delayed sends without an id. */
  delayedSendCount = 0
  /** Least time between two checkpoints, ms; -1 when none are taken. */
  readonly checkpointEveryMs: number
  /** Next checkpoint not before, ms since the epoch. */
  checkpointDueMs = 0
  /** Supervisors are handed commands with the right to answer them inside the event. */
  readonly takesTokens: boolean
  /**
   * The black box: the last events, those since a multiple of `#lastEventsMax` and those before, and when their handling
   * began. Events lie in rows that are made anew in turn: to store what is young in what has grown old costs V8 a note.
   */
  #lastEvents = noEvents
  #eventsBefore = noEvents
  readonly #lastTimesMs: number[] = []
  readonly #lastEventsMax: number
  /** Where the next one goes. */
  #lastEventsAt: number

  constructor(kernel: object, entry: ActorEntry, mailbox: Mailbox, checkpointEveryMs: number) {
    this.kernel = kernel
    this.entry = entry
    this.incarnation = entry.incarnation
    this.mailbox = mailbox
    mailbox.cell = this
    this.checkpointEveryMs = checkpointEveryMs
    this.takesTokens = entry.isSupervisor
    this.#lastEventsMax = entry.definition.options.blackBoxEvents ?? 16
    this.#lastEventsAt = this.#lastEventsMax
  }

  /** The event of the message in hand as the chart takes it. */
  eventOf(turn: Turn, envelope: Envelope): ActorEvent {
    if (!this.takesTokens || envelope.requestId === 0) return envelope.event
    this.keepRequest(turn)
    return { ...envelope.event, reply: turn.token } as ActorEvent
  }

  /** Keeps the right to answer the message in hand for later. */
  keepRequest(turn: Turn): void {
    const { message, token } = turn
    if (token === undefined || turn.settled !== 'open') return
    turn.settled = 'kept'
    const { event, deadlineMs } = message ?? {}
    const request = { token, type: event?.type ?? '', deadlineMs: deadlineMs ?? Number.POSITIVE_INFINITY }
    this.openRequests.keep(request, turn.atMs)
  }

  /** Keeps the event in the black box. */
  record(envelope: Envelope, atMs: number): void {
    this.handled++
    if (this.#lastEventsMax === 0) return
    let slot = this.#lastEventsAt
    if (slot === this.#lastEventsMax) {
      this.#eventsBefore = this.#lastEvents
      this.#lastEvents = new Array(slot)
      slot = 0
    }
    this.#lastEvents[slot] = envelope.event
    this.#lastTimesMs[slot] = atMs
    this.#lastEventsAt = slot + 1
  }

  /** The last events, oldest first. */
  lastEvents(): BlackBoxEntry[] {
    const count = Math.min(this.handled, this.#lastEventsMax)
    return Array.from({ length: count }, (_, index) => {
      const sequence = this.handled - count + index
      const slot = sequence % this.#lastEventsMax
      const event = (slot < this.#lastEventsAt ? this.#lastEvents : this.#eventsBefore)[slot]!
      return { sequence, type: event.type, atMs: this.#lastTimesMs[slot]!, event }
    })
  }
}
