/**
 * An edge: the two directions of traffic between two threads, over one port and two blocks of shared memory.
 *
 * ```
 *  post ──> Sender ──┐                       ┌──> Receiver ──> deliver ──> mailbox
 *  reply ────────────┼──> batch ──> port ──> ┤        └── start, finish, putBack, refuse (state bytes)
 *  refusals ─────────┘   once a tick         ├──> onReply, onRefused
 *      credit, fates <── shared memory <──── ┘
 * ```
 * Guarantees. Messages of one lane arrive once, in the order they were posted; control goes before normal in each batch,
 * and neither waits for the credit of the other. Replies and refusals go before messages and need no credit: there is at
 * most one for each message of the other side. When the other thread dies, all that it posted has arrived before `onClose`,
 * and the report says exactly what became of every message posted to it. Nothing is sent twice.
 *
 * Bounds. Under way: the slots of the memory; unread by the other thread: `window` and `controlWindow`; waiting here:
 * `outboxMax` a lane beyond the credit of the moment; in one batch: `batchMax`; names and fates: their own limits.
 */
import type { Handled } from '../../../messages/errors.ts'
import { wake } from '../../../messages/thread/edge.ts'
import type { Envelope, Refusal, ReplyOutcome, ThreadId } from '../../../messages/thread/envelope.ts'
import { soon } from '../../soon.ts'
import { BatchDecoder } from './batch-decoder.ts'
import { type BatchContent, BatchEncoder } from './batch-encoder.ts'
import type { CodecRegistry } from './codec-registry.ts'
import { viewEdgeMemory } from './edge-memory.ts'
import { Receiver } from './receiver.ts'
import { createEdgeReport, type EdgeReport } from './report.ts'
import { Sender } from './sender.ts'
import { settledToken } from './slot-table.ts'

/** The most messages, and the most replies, in one batch. */
export const batchMax = 512
/** The least that an edge needs of a port; a `MessagePort` of node:worker_threads is one. */
export interface EdgePort {
  postMessage(value: unknown, transfer: ArrayBuffer[]): void
  postMessage(value: unknown): void
  on(event: 'message', listener: (value: unknown) => void): unknown
  on(event: 'close', listener: () => void): unknown
  close(): void
  /** Called once the listeners are set, so that the edge alone keeps no thread alive; the owner may `ref` it again. */
  unref?(): void
}

const nothing: readonly Envelope[] = []

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
   * before it returns, never awaits, and must not throw.
   */
  readonly deliver: (message: Envelope) => 'admitted' | Refusal
  /** A reply to a request that this side sent. Late ones come too: who waits must know whether it still does. */
  readonly onReply: (requestId: number, outcome: ReplyOutcome) => void
  /** A message of this side that will not be handled; `cause` is the error of one that could not be cloned. */
  readonly onRefused: (message: Envelope, reason: Refusal, cause?: unknown) => void
  /** Called exactly once, after every reply and refusal that the other side posted. */
  readonly onClose: (report: EdgeReport) => void
  /** The thread at the other end, as the receipts of its messages name it; left out where none of them is a request. */
  readonly origin?: ThreadId
  /** Runs `flush` soon, before the thread waits for I/O; a microtask by default. Called at most once per flush. */
  readonly schedule?: (flush: () => void) => void
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
  /** Answers a request of the other side; ignored when it is gone. Never waits for credit. */
  reply(requestId: number, outcome: ReplyOutcome): void
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

/** Opens this side of an edge. The other side may open before or after: the port keeps what comes early. */
export function createEdge(options: EdgeOptions): Edge {
  return new PortEdge(options)
}

class PortEdge implements Edge {
  readonly #options: EdgeOptions
  readonly #port: EdgePort
  readonly #schedule: (flush: () => void) => void
  readonly #sender: Sender
  readonly #receiver: Receiver
  readonly #encoder: BatchEncoder
  readonly #decoder: BatchDecoder
  readonly #forgetCodecs: () => void
  readonly #scheduled = (): void => this.flush()
  #replies: (number | ReplyOutcome)[] = []
  #refusals: (number | Refusal)[] = []
  /** Messages that turned out not to be clonable, until those who wait are told. */
  #culprits: { message: Envelope; cause: unknown }[] = []
  #isScheduled = false
  #isFlushing = false
  #isClosed = false
  #offered = 0
  #sent = 0
  #notClonable = 0
  #batches = 0

  constructor(options: EdgeOptions) {
    this.#options = options
    this.#port = options.port
    this.#schedule = options.schedule ?? soon
    this.#sender = new Sender(viewEdgeMemory(options.outbound), options.window, options.outboxMax)
    this.#receiver = new Receiver(
      viewEdgeMemory(options.inbound),
      {
        deliver: options.deliver,
        wake: () => this.#port.postMessage(wake),
        refuse: (slot, reason) => {
          this.#refusals.push(slot, reason)
          this.#plan()
        },
      },
      options.origin,
    )
    this.#encoder = new BatchEncoder(options.codecs)
    this.#decoder = new BatchDecoder(options.codecs, {
      codecs: names => this.#encoder.learnCodecs(names),
      reply: (requestId, outcome) => {
        if (!this.#isClosed) options.onReply(requestId, outcome)
      },
      refused: (slot, reason) => this.#refused(slot, reason),
      message: (slot, bits, to, from, event, toIncarnation, requestId, deadlineMs) => {
        if (this.#isClosed) return false
        this.#receiver.admit(slot, bits, to, from, event, toIncarnation, requestId, deadlineMs)
        return true
      },
    })
    this.#forgetCodecs = options.codecs.onAdded(() => this.#plan())
    this.#port.on('message', value => this.#take(value))
    this.#port.on('close', () => this.#end())
    this.#port.unref?.()
    if (this.#encoder.hasNews) this.#plan()
  }

  post(message: Envelope, atOnce = false): 'sent' | 'waiting' | 'full' | 'closed' {
    if (this.#isClosed) return 'closed'
    const verdict = this.#sender.offer(message)
    // A long run of sends in one turn goes out in slices, so that the other thread can begin, and return credit.
    if (atOnce || ++this.#offered >= batchMax) this.flush()
    else this.#plan()
    return verdict
  }

  reply(requestId: number, outcome: ReplyOutcome): void {
    if (this.#isClosed) return
    this.#replies.push(requestId, outcome)
    this.#plan()
  }

  handledOf(message: Envelope): Handled {
    const { token } = message
    if (token >= 0) return this.#sender.slots.mayBeHandled(token) ? 'unknown' : 'no'
    return token === settledToken.perhapsHandled ? 'unknown' : 'no'
  }

  revoke(message: Envelope): Handled {
    const { token } = message
    if (token === settledToken.unsent) message.token = settledToken.notHandled
    else if (token >= 0 && !this.#isClosed) this.#sender.slots.revoke(token)
    return this.handledOf(message)
  }

  flush(): void {
    this.#isScheduled = false
    if (this.#isClosed || this.#isFlushing) return
    this.#isFlushing = true
    this.#offered = 0
    do {
      while (this.#postNext());
    } while (this.#sender.askForWake())
    // Afterwards, so that nobody waits for it: the memory that it looks at was last written by the other thread.
    this.#sender.slots.sweep()
    this.#isFlushing = false
    if (this.#culprits.length === 0) return
    const culprits = this.#culprits
    this.#culprits = []
    // Only now, because those who are told may post or close.
    for (const { message, cause } of culprits) this.#options.onRefused(message, 'NOT_CLONABLE', cause)
  }

  close(): void {
    if (this.#isClosed) return
    this.#port.close()
    this.#end()
  }

  stats(): EdgeStats {
    const { slots, waiting } = this.#sender
    slots.sweep(true)
    return {
      sent: this.#sent,
      waiting,
      underWay: slots.inUse,
      handled: slots.handled,
      refused: slots.refused,
      notClonable: this.#notClonable,
      batches: this.#batches,
      received: this.#receiver.received,
    }
  }

  #plan(): void {
    if (this.#isScheduled || this.#isClosed) return
    this.#isScheduled = true
    this.#schedule(this.#scheduled)
  }

  /** Posts one batch of what may go; false when there is nothing. */
  #postNext(): boolean {
    const idle = this.#replies.length === 0 && this.#refusals.length === 0 && !this.#encoder.hasNews
    const messages = this.#sender.waiting === 0 ? nothing : this.#sender.take(batchMax)
    if (idle && messages.length === 0) return false
    const replies = this.#takeReplies()
    const refusals = this.#refusals.length === 0 ? this.#refusals : this.#refusals.splice(0, batchMax * 2)
    try {
      this.#postBatch({ messages, replies, refusals })
    } catch {
      // Nothing of it has left, and one of it is to blame: each goes by itself.
      this.#encoder.discard()
      this.#postSingly({ messages, replies, refusals })
    }
    return true
  }

  /** The next replies; none of them is moved when all go. */
  #takeReplies(): (number | ReplyOutcome)[] {
    const replies = this.#replies
    if (replies.length > batchMax * 2) return replies.splice(0, batchMax * 2)
    if (replies.length > 0) this.#replies = []
    return replies
  }

  #postBatch(content: BatchContent): void {
    const wire = this.#encoder.encode(content, this.#sent)
    const { transfer } = this.#encoder
    if (transfer.length === 0) this.#port.postMessage(wire)
    else this.#port.postMessage(wire, transfer)
    this.#encoder.posted()
    this.#sent += content.messages.length
    this.#batches++
  }

  #postSingly(content: BatchContent): void {
    const { replies, refusals, messages } = content
    for (let index = 0; index < replies.length; index += 2) {
      const requestId = replies[index] as number
      this.#try({ messages: [], replies: [requestId, replies[index + 1]!], refusals: [] }, cause => {
        const outcome: ReplyOutcome = { status: 'notClonable', reason: String(cause) }
        this.#postBatch({ messages: [], replies: [requestId, outcome], refusals: [] })
      })
    }
    if (refusals.length > 0) this.#postBatch({ messages: [], replies: [], refusals })
    for (const message of messages) {
      this.#try({ messages: [message], replies: [], refusals: [] }, cause => {
        this.#sender.undo(message)
        this.#notClonable++
        this.#culprits.push({ message, cause })
      })
    }
  }

  #try(content: BatchContent, otherwise: (cause: unknown) => void): void {
    try {
      this.#postBatch(content)
    } catch (cause) {
      this.#encoder.discard()
      otherwise(cause)
    }
  }

  #take(value: unknown): void {
    if (this.#isClosed) return
    if (Array.isArray(value)) {
      // The port has lost or repeated a batch: what is counted would no longer be true.
      if (value[1] !== this.#receiver.received) {
        this.close()
        return
      }
      this.#options.reading?.hold()
      try {
        this.#decoder.decode(value)
        this.#receiver.returnCredit()
      } finally {
        this.#options.reading?.release()
      }
    }
    // A wake, or a refusal that returned a slot.
    if (this.#sender.waiting > 0) this.flush()
  }

  #refused(slot: number, reason: Refusal): void {
    if (this.#isClosed) return
    const message = this.#sender.slots.refusedBecause(slot)
    if (message !== undefined) this.#options.onRefused(message, reason)
  }

  #end(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#forgetCodecs()
    const { underWay, unsent, handledByReceiver } = this.#sender.settle()
    const { handled, refused } = this.#sender.slots
    this.#replies = []
    this.#refusals = []
    this.#options.onClose(
      createEdgeReport({
        sent: this.#sent,
        handled,
        refused,
        notClonable: this.#notClonable,
        handledByReceiver,
        underWay,
        unsent,
        reportMax: this.#options.reportMax,
      }),
    )
  }
}
