/** What an edge is given, what it does, and what it tells. */
import type { Handled } from '../../../messages/errors.ts'
import type { Envelope, Refusal, ReplyOutcome, ThreadId } from '../../../messages/thread/envelope.ts'
import type { CodecRegistry } from './codec-registry.ts'
import type { KnownNames } from './names.ts'
import type { EdgeReport } from './report.ts'

/** The least that an edge needs of a port; a `MessagePort` of node:worker_threads is one. */
export interface EdgePort {
  postMessage(value: unknown, transfer: ArrayBuffer[]): void
  postMessage(value: unknown): void
  on(event: 'message', listener: (value: unknown) => void): unknown
  /** In place of a message that cannot be read here. */
  on(event: 'messageerror', listener: (error: unknown) => void): unknown
  on(event: 'close', listener: () => void): unknown
  close(): void
  /** Called once the listeners are set, so that the edge alone keeps no thread alive; the owner may `ref` it again. */
  unref?(): void
}

/** What an edge is made of and whom it tells. */
export interface EdgeOptions {
  readonly port: EdgePort
  /** Shared state of the messages that this side sends; the other side's `inbound`. See `createEdgeMemory`. */
  readonly outbound: SharedArrayBuffer
  /** Shared state of the messages that the other side sends. */
  readonly inbound: SharedArrayBuffer
  /** Normal messages that may be posted and not yet read by the other thread. */
  readonly window: number
  /** Messages of each lane that may wait for credit; one more is `'full'`. */
  readonly outboxMax: number
  /** How many fates a report lists; the rest is only counted. */
  readonly reportMax: number
  /** The binary codecs that this thread can read. */
  readonly codecs: CodecRegistry
  /**
   * Puts a message that arrived into its mailbox and says `'admitted'`, or says why not. It may handle the message
   * before it returns, never awaits, and must not throw. `to` is the number of its address among `names`.
   */
  readonly deliver: (message: Envelope, names: KnownNames, to: number) => 'admitted' | Refusal
  /** A reply to a request that this side sent. Late ones come too: who waits must know whether it still does. */
  readonly onReply: (requestId: number, outcome: ReplyOutcome) => void
  /** A message of this side that will not be handled; `cause` is the error of one that could not be cloned. */
  readonly onRefused: (message: Envelope, reason: Refusal, cause?: unknown) => void
  /**
   * May make a message that cannot be copied plainer, in place: true when it is worth another try. It is refused else.
   */
  readonly simplify?: (message: Envelope) => boolean
  /**
   * Called exactly once, after every reply and refusal that the other side posted. `isBroken` when this side has closed by
   * itself, because what came over the port is no longer true: the other thread may live, but is not to be relied on.
   */
  readonly onClose: (report: EdgeReport, isBroken: boolean) => void
  /** The thread at the other end, as the receipts of its messages name it; left out where none of them is a request. */
  readonly origin?: ThreadId
  /** Calls `run` soon, once, before the thread waits for I/O; a microtask by default. Not called again before that. */
  readonly schedule?: (run: () => void) => void
  /** Is told when the reading of a batch begins and ends, by which `deliver` may have been called for many messages. */
  readonly reading?: { hold(): void; release(): void }
}

/** Where the counts of an edge stand. */
export interface EdgeStats {
  /** Messages posted to the other thread. */
  readonly sent: number
  /** Messages accepted and not yet posted. */
  readonly waiting: number
  /** Messages posted whose end is not known yet. */
  readonly underWay: number
  readonly handled: number
  readonly refused: number
  /** Messages that never left because they could not be cloned. */
  readonly notClonable: number
  readonly batches: number
  /** Messages read from the other thread. */
  readonly received: number
}

/** One end of an edge. */
export interface Edge {
  /**
   * Takes a message for the other thread. `'sent'`: it leaves with this tick's batch. `'waiting'`: it leaves when credit
   * returns. `'full'`, `'closed'`: it was not taken. Messages of one lane arrive in the order of the calls. With `atOnce`
   * it does not wait for others of this tick.
   */
  post(message: Envelope, atOnce?: boolean): 'sent' | 'waiting' | 'full' | 'closed'
  /** Answers a request of the other side; ignored when it is gone. Never waits for credit; `atOnce` as in `post`. */
  reply(requestId: number, outcome: ReplyOutcome, atOnce?: boolean): void
  /** Whether a message given to `post` may have been handled, as far as is known now; answers after the close too. */
  handledOf(message: Envelope): Handled
  /**
   * The sender no longer wants a message that it gave to `post`: unless its handler has begun it never will. Answers as
   * {@link handledOf}, and `'no'` is then certain for good.
   */
  revoke(message: Envelope): Handled
  /** Posts what has credit now instead of at the end of the tick. */
  flush(): void
  /**
   * Fences the other side, whether it lives, is stuck or is gone: nothing that it has not started will be handled, and what
   * it has posted and this side has not read is not told. Calls `onClose` before it returns; a second call does nothing.
   * A thread that ends in order does not close its edges: it ends, and what it has posted is still read.
   */
  close(): void
  stats(): EdgeStats
}
