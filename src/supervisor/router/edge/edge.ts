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
 * and the report says exactly what became of every message posted to it. Nothing that was read is sent twice.
 *
 * What cannot be copied is refused by itself, and all that was with it arrives: found by the sender, whose post throws, or
 * by the receiver, who cannot read a batch (see unread-batches.ts). Of a thread that dies meanwhile, what it posted behind
 * such a batch is lost.
 *
 * Bounds. Under way: the slots of the memory; unread by the other thread: `window` and `controlWindow`; waiting here:
 * `outboxMax` a lane beyond the credit of the moment; in one batch: `batchMax`; names and fates: their own limits.
 */
import type { Handled } from '../../../messages/errors.ts'
import { type BatchNotice, batchFlags, wake } from '../../../messages/thread/edge.ts'
import type { Envelope, Refusal, ReplyOutcome } from '../../../messages/thread/envelope.ts'
import { soon } from '../../soon.ts'
import { BatchDecoder } from './batch-decoder.ts'
import { type BatchContent, BatchEncoder } from './batch-encoder.ts'
import type { Edge, EdgeOptions, EdgePort, EdgeStats } from './edge-contract.ts'
import { viewEdgeMemory } from './edge-memory.ts'
import { Receiver } from './receiver.ts'
import { createEdgeReport } from './report.ts'
import { Sender } from './sender.ts'
import { settledToken } from './slot-table.ts'
import { partsOf, UnreadBatches } from './unread-batches.ts'

/** The most messages, and the most replies, in one batch. */
export const batchMax = 512

/** Messages and batches that left alone, one after the other, before it is looked which are done with. */
const lonesMax = 16

const nothing: never[] = []
const emptyBatch: BatchContent = { messages: nothing, replies: nothing, refusals: nothing }

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
  readonly #unread: UnreadBatches
  readonly #forgetCodecs: () => void
  readonly #scheduled = (): void => this.#runScheduled()
  #replies: (number | ReplyOutcome)[] = nothing
  #refusals: (number | Refusal)[] = []
  /** Messages that turned out not to be clonable, until those who wait are told. */
  #culprits: { message: Envelope; cause: unknown }[] = []
  #isScheduled = false
  #isFlushDue = false
  #isFlushing = false
  #isClosed = false
  /** The other side has posted a batch that this one cannot read, and has not started over yet. */
  #isPassingOver = false
  #offered = 0
  #sent = 0
  /** Messages that the other side has read once it has read all that is posted. */
  #sequence = 0
  #notClonable = 0
  #batches = 0

  constructor(options: EdgeOptions) {
    this.#options = options
    this.#port = options.port
    this.#schedule = options.schedule ?? soon
    const outbound = viewEdgeMemory(options.outbound)
    this.#sender = new Sender(outbound, options.window, options.outboxMax)
    this.#unread = new UnreadBatches(outbound.header)
    this.#receiver = new Receiver(
      viewEdgeMemory(options.inbound),
      {
        deliver: options.deliver,
        wake: () => this.#port.postMessage(wake),
        refuse: (slot, reason) => {
          this.#refusals.push(slot, reason)
          this.#plan()
        },
        lookSoon: () => this.#runSoon(),
      },
      options.origin,
    )
    this.#encoder = new BatchEncoder(options.codecs)
    this.#decoder = new BatchDecoder(options.codecs, {
      codecs: (names, anew) => this.#encoder.learnCodecs(names, anew),
      reply: (requestId, outcome) => {
        if (!this.#isClosed) options.onReply(requestId, outcome)
      },
      refused: (slot, reason) => this.#refused(slot, reason),
      message: (slot, bits, to, from, event, toIncarnation, requestId, deadlineMs) => {
        if (this.#isClosed) return false
        this.#receiver.admit(slot, bits, this.#decoder.names, to, from, event, toIncarnation, requestId, deadlineMs)
        return true
      },
    })
    this.#forgetCodecs = options.codecs.onAdded(() => this.#plan())
    this.#port.on('message', value => this.#take(value))
    this.#port.on('messageerror', error => this.#passOver(String(error)))
    this.#port.on('close', () => this.#end(false))
    this.#port.unref?.()
    if (this.#encoder.hasNews) this.#plan()
  }

  post(message: Envelope, atOnce = false): 'sent' | 'waiting' | 'full' | 'closed' {
    if (this.#isClosed) return 'closed'
    const verdict = this.#sender.offer(message)
    // A long run of sends in one turn goes out in slices, so that the other thread can begin, and return credit.
    if (atOnce) this.#flush(lonesMax)
    else if (++this.#offered >= batchMax) this.flush()
    else this.#plan()
    return verdict
  }

  reply(requestId: number, outcome: ReplyOutcome, atOnce = false): void {
    if (this.#isClosed) return
    if (this.#replies.length === 0) this.#replies = [requestId, outcome]
    else this.#replies.push(requestId, outcome)
    if (atOnce) this.#flush(lonesMax)
    else this.#plan()
  }

  handledOf(message: Envelope): Handled {
    const { token } = message
    if (token >= 0) return this.#sender.slots.mayBeHandled(token) ? 'unknown' : 'no'
    return token === settledToken.perhapsHandled ? 'unknown' : 'no'
  }

  revoke(message: Envelope): Handled {
    const { token } = message
    if (token === settledToken.unsent) message.token = settledToken.notHandled
    // One look decides: a message that is put back after it has begun is not told to be unhandled meanwhile.
    else if (token >= 0 && !this.#isClosed) return this.#sender.slots.revoke(token) ? 'no' : 'unknown'
    return this.handledOf(message)
  }

  flush(): void {
    this.#flush(1)
  }

  /** Posts what may go, and lets go of what is done with once there are `keptMax` of it. */
  #flush(keptMax: number): void {
    this.#isFlushDue = false
    if (this.#isClosed || this.#isFlushing || this.#unread.next !== undefined) return
    this.#isFlushing = true
    this.#offered = 0
    do {
      while (this.#postNext());
    } while (this.#sender.askForWake())
    // Afterwards, so that nobody waits for it: the memory that it looks at was last written by the other thread.
    if (this.#sender.slots.inUse >= keptMax) this.#sender.slots.sweep()
    if (this.#unread.size >= keptMax) this.#unread.forgetRead()
    this.#isFlushing = false
    if (this.#culprits.length > 0) this.#tellCulprits()
  }

  /** Not before all is posted, because those who are told may post or close. */
  #tellCulprits(): void {
    for (const { message, cause } of this.#culprits.splice(0)) this.#options.onRefused(message, 'NOT_CLONABLE', cause)
  }

  close(): void {
    this.#close(false)
  }

  #close(isBroken: boolean): void {
    if (this.#isClosed) return
    this.#port.close()
    this.#end(isBroken)
  }

  stats(): EdgeStats {
    const { slots, waiting, ready } = this.#sender
    slots.sweep(true)
    return {
      sent: this.#sent,
      waiting,
      underWay: slots.inUse - ready,
      handled: slots.handled,
      refused: slots.refused,
      notClonable: this.#notClonable,
      batches: this.#batches,
      received: this.#receiver.received,
    }
  }

  #plan(): void {
    this.#isFlushDue = true
    this.#runSoon()
  }

  #runSoon(): void {
    if (this.#isScheduled || this.#isClosed) return
    this.#isScheduled = true
    this.#schedule(this.#scheduled)
  }

  #runScheduled(): void {
    this.#isScheduled = false
    if (this.#isFlushDue) this.flush()
    if (!this.#isClosed) this.#receiver.lookForWaiting()
  }

  /** Posts one batch of what may go; false when there is nothing. */
  #postNext(): boolean {
    const idle = this.#replies.length === 0 && this.#refusals.length === 0 && !this.#encoder.hasNews
    const messages = this.#sender.waiting === 0 ? nothing : this.#sender.take(batchMax)
    if (idle && messages.length === 0) return false
    const replies = this.#takeReplies()
    const refusals = this.#refusals.length === 0 ? nothing : this.#refusals.splice(0, batchMax * 2)
    const content = { messages, replies, refusals }
    this.#sent += messages.length
    try {
      this.#postBatch(content)
    } catch {
      // Nothing of it has left, and one of it is to blame: each goes by itself.
      this.#encoder.discard()
      for (const part of partsOf(content)) this.#postPart(part)
    }
    return true
  }

  /** The next replies; none of them is moved when all go. */
  #takeReplies(): readonly (number | ReplyOutcome)[] {
    const replies = this.#replies
    if (replies.length > batchMax * 2) return replies.splice(0, batchMax * 2)
    if (replies.length === 0) return nothing
    this.#replies = nothing
    return replies
  }

  #postBatch(content: BatchContent): void {
    const wire = this.#encoder.encode(content, this.#sequence)
    this.#sender.slots.place(content.messages, this.#sequence)
    const { transfer } = this.#encoder
    if (transfer.length === 0) this.#port.postMessage(wire)
    else this.#port.postMessage(wire, transfer)
    this.#encoder.posted()
    this.#unread.add(content)
    this.#sequence += content.messages.length
    this.#batches++
  }

  #postPart(part: BatchContent): void {
    try {
      this.#postBatch(part)
    } catch (cause) {
      this.#encoder.discard()
      const instead = this.#blame(part, cause)
      if (instead !== undefined) this.#postPart(instead)
    }
  }

  /** What is posted in place of a single part that cannot be copied, if anything. */
  #blame(part: BatchContent, cause: unknown): BatchContent | undefined {
    const [message] = part.messages
    if (message !== undefined) {
      if (this.#options.simplify?.(message) === true) return part
      this.#sender.undo(message)
      this.#sent--
      this.#notClonable++
      this.#culprits.push({ message, cause })
      return undefined
    }
    const [requestId, outcome] = part.replies as [number?, ReplyOutcome?]
    if (requestId === undefined || outcome === undefined || outcome.status === 'notClonable') {
      // Numbers and texts that cannot be copied: nothing can.
      this.#close(true)
      return undefined
    }
    return { ...part, replies: [requestId, { status: 'notClonable', reason: String(cause) }] }
  }

  #take(value: unknown): void {
    if (this.#isClosed) return
    if (Array.isArray(value)) this.#read(value)
    else if (value !== wake) this.#heed(value as BatchNotice)
    // A wake, or a refusal that returned a slot.
    if (this.#sender.waiting > 0) this.flush()
  }

  #read(wire: readonly unknown[]): void {
    const batch = ++this.#receiver.batches | 0
    const startsOver = ((wire[0] as number) & batchFlags.startsOver) !== 0
    if (this.#isPassingOver && !startsOver) return
    this.#isPassingOver = false
    // The port has lost or repeated a batch: what is counted would no longer be true.
    if (wire[1] !== this.#receiver.received) {
      this.#close(true)
      return
    }
    this.#options.reading?.hold()
    try {
      this.#decoder.decode(wire)
      this.#receiver.returnCredit()
    } finally {
      this.#options.reading?.release()
    }
    if (startsOver) this.#notify(batch)
  }

  #passOver(unreadable: string): void {
    if (this.#isClosed) return
    this.#isPassingOver = true
    this.#notify(++this.#receiver.batches | 0, unreadable)
  }

  #notify(batch: number, unreadable?: string): void {
    const notice: BatchNotice = { batch, unreadable, received: this.#receiver.received }
    this.#port.postMessage(notice)
  }

  /** Posts again, one by one, what the other side has not read since a batch that it could not. */
  #heed(notice: BatchNotice): void {
    if (!this.#unread.heed(notice)) return
    this.#sequence = notice.received
    if (notice.unreadable !== undefined) this.#putRight(new Error(`it cannot be read there: ${notice.unreadable}`))
    for (let next = this.#unread.next; next !== undefined; next = this.#unread.next) {
      this.#encoder.startOver()
      try {
        this.#postBatch(next)
        break
      } catch (cause) {
        this.#putRight(cause)
      }
    }
    this.#tellCulprits()
    this.flush()
  }

  /** The next of what is posted again cannot be copied: it is taken apart, or to blame. */
  #putRight(cause: unknown): void {
    const part = this.#unread.takeApart()
    if (part === undefined) return
    const instead = this.#blame(part, cause)
    // With nothing in its place and nothing behind it an empty one starts over.
    if (instead !== undefined || this.#unread.next === undefined) this.#unread.putFirst(instead ?? emptyBatch)
  }

  #refused(slot: number, reason: Refusal): void {
    if (this.#isClosed) return
    const message = this.#sender.slots.refusedBecause(slot)
    if (message !== undefined) this.#options.onRefused(message, reason)
  }

  #end(isBroken: boolean): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#forgetCodecs()
    const { underWay, unsent, handledByReceiver } = this.#sender.settle()
    const { handled, refused } = this.#sender.slots
    this.#replies = nothing
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
      isBroken,
    )
  }
}
