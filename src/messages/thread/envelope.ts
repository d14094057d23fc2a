/**
 * A message between two actors as a thread holds it: on its way out, in a mailbox, or in a report of what was lost.
 *
 * One shape for local and remote messages, every field always present: mailboxes and edges then see one hidden class.
 */
import type { Handled } from '../errors.ts'
import type { NamedCodec } from './event-codec.ts'

/** Which queue of a mailbox a message goes to; `control` is always served first and never waits for credit of `normal`. */
export type Lane = 'control' | 'normal'

/** One thread of a system over its life. */
export interface ThreadId {
  /** Index of the shard, -1 for the main thread. */
  readonly shard: number
  /** Counts the workers of the shard, from 1. */
  readonly incarnation: number
}

/**
 * Where a thread says how far it has come with a message that it took from another thread. One object serves all the
 * messages of an edge; `token` names the message. A message of the same thread has {@link localReceipts}.
 *
 * The order is `start`, then `finish`; or `refuse` instead of `start`; or `putBack` after `start`, then again.
 */
export interface Receipts {
  /** The thread that the messages come from; undefined for those of this thread. */
  readonly origin: ThreadId | undefined
  /**
   * Call before the handler runs. False when the sender has closed the edge meanwhile and counts the message as not
   * handled: then it must not be handled.
   */
  start(token: number): boolean
  /** Call when the handler has ended, in whatever way. The token is not to be used afterwards. */
  finish(token: number): void
  /** Call instead of `finish` when a started message is postponed: as before `start`, nothing counts as done. */
  putBack(token: number): void
  /**
   * Call instead of `start` for a message that was admitted and will never be handled (its actor ended, the mailbox
   * dropped its oldest). It is handed back to the sender's `onRefused`. The token is not to be used afterwards.
   */
  refuse(token: number, reason: Refusal): void
}

/** Why a message was not taken: a code of the table in `messages/errors.ts`. */
export type Refusal =
  | 'ACTOR_DIED'
  | 'ASK_TIMEOUT'
  | 'BAD_FRAME'
  | 'MAILBOX_FULL'
  | 'NOT_CLONABLE'
  | 'NO_SUCH_ACTOR'
  | 'OVERLOADED'
  | 'SHARD_DIED'
  | 'SHUTTING_DOWN'

/** An event, of whatever type. */
export interface AnyEvent {
  readonly type: string
}

/** A message with its address. Numbers that do not apply are 0. */
export interface Envelope {
  /** Address of the receiving actor. */
  readonly to: string
  /** Incarnation that is meant, counted from 1; 0 for whichever lives. */
  readonly toIncarnation: number
  /** Address of the sending actor; null when no actor sent it. */
  readonly from: string | null
  readonly event: AnyEvent
  readonly lane: Lane
  /** Number of the request, from 1, unique among those of the sending thread; 0 for a message that wants no reply. */
  readonly requestId: number
  /**
   * When the sender stops waiting for the reply, ms since the epoch; undefined for never. Not 0: V8 keeps a field that
   * has only ever held large numbers in a box of its own, one for each envelope.
   */
  readonly deadlineMs: number | undefined
  /** The binary form of the event, for a sender that knows the definition of the receiver. */
  readonly codec: NamedCodec | undefined
  /** Where to say how far the message has come. */
  readonly receipts: Receipts
  /** Names the message to `receipts`; on the sender's side the edge keeps its slot here, -1 while it has none. */
  token: number
  /** The way a request took to another thread: what its router keeps of it. */
  route: object | undefined
  /** When it came into its mailbox, whole ms since its kernel began: a small integer, which needs no box; 0 before. */
  admittedAtMs: number
}

/** What became of a request. */
export type ReplyOutcome =
  | { readonly status: 'ok'; readonly value: unknown }
  /** The handler failed; `error` is in the form of the error codec, which survives cloning. */
  | { readonly status: 'failed'; readonly error: unknown }
  /** The reply could not be cloned; the request was handled. `reason` is the text of the DataCloneError. */
  | { readonly status: 'notClonable'; readonly reason: string }

/**
 * What became of a message that was under way when its edge closed: its handler had ended, was running, had not begun
 * although the thread had taken the message, or the message was never read.
 */
export type Fate = 'handled' | 'inHand' | 'unprocessed' | 'lost' | 'refused'

/** What a sender may conclude from a fate: only a message whose handler has begun may have been handled. */
export function handledOfFate(fate: Fate): Handled {
  return fate === 'handled' || fate === 'inHand' ? 'unknown' : 'no'
}

/** The receipts of a message that never left its thread: nobody keeps count. */
export const localReceipts: Receipts = {
  origin: undefined,
  start: () => true,
  finish() {},
  putBack() {},
  refuse() {},
}

/** What {@link createEnvelope} takes; what is left out is 0, null or `normal`, and nobody keeps count of it. */
export interface EnvelopeFields {
  readonly to: string
  readonly event: AnyEvent
  readonly from?: string | null
  readonly toIncarnation?: number
  readonly lane?: Lane
  readonly requestId?: number
  readonly deadlineMs?: number
  readonly codec?: NamedCodec | undefined
  readonly receipts?: Receipts
  readonly token?: number
}

/** An envelope of this thread, of the one hidden class that all of them share. */
export function createEnvelope(fields: EnvelopeFields): Envelope {
  return {
    to: fields.to,
    toIncarnation: fields.toIncarnation ?? 0,
    from: fields.from ?? null,
    event: fields.event,
    lane: fields.lane ?? 'normal',
    requestId: fields.requestId ?? 0,
    deadlineMs: fields.deadlineMs,
    codec: fields.codec,
    receipts: fields.receipts ?? localReceipts,
    token: fields.token ?? -1,
    route: undefined,
    admittedAtMs: 0,
  }
}
