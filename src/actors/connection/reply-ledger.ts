/**
 * The requests of one connection that were taken but not answered, and the order in which their answers may leave.
 * Pure bookkeeping; a connection has one only while something is in flight.
 */

import { type Keyed, KeyedTable } from '../runtime/keyed-table.ts'
import type { HeaderSource, Waiter } from '../serving/protocol.ts'

/** Its key is the token. A class: thousands of them live at once, and V8 may make what literals make as old. */
class Entry implements Keyed {
  readonly key: number
  readonly requestBytes: number
  readonly header: Buffer | HeaderSource | undefined
  reply: Uint8Array | undefined
  readonly waiter: Waiter | undefined
  /** Answered at once while older requests were in flight: it waits its turn, but nobody settles it. */
  readonly queued: boolean

  constructor(key: number, requestBytes: number, header?: Buffer | HeaderSource, waiter?: Waiter, reply?: Uint8Array) {
    this.key = key
    this.requestBytes = requestBytes
    this.header = header
    this.reply = reply
    this.waiter = waiter
    this.queued = reply !== undefined
  }
}

/** Who is given the answers that may leave. */
export interface ReplySink {
  release(reply: Uint8Array): void
}

/** Tokens, sizes and order of requests in flight. */
export class ReplyLedger {
  readonly #ordered: boolean
  readonly #entries = new KeyedTable<Entry>()
  #nextToken = 0
  /** With `ordered`: all before it have left. */
  #first = 0
  #inFlight = 0
  #inFlightBytes = 0
  #patient = 0
  #waitingReplyBytes = 0

  /** With `ordered`, answers are released in the order of `begin` and `queue`. */
  constructor(ordered: boolean) {
    this.#ordered = ordered
  }

  /** Requests that wait for their handler. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Those of them that wait for something to happen, not for work to be done. */
  get patient(): number {
    return this.#patient
  }

  /** Bytes of those requests. */
  get inFlightBytes(): number {
    return this.#inFlightBytes
  }

  /** Bytes of answers that wait for an older one. */
  get waitingReplyBytes(): number {
    return this.#waitingReplyBytes
  }

  /** Requests in flight and answers that wait. */
  get size(): number {
    return this.#entries.size
  }

  /** The header of the oldest request that waits for its handler. */
  get oldestHeader(): Buffer | undefined {
    const header = this.#entries.inOrder().find(({ reply }) => reply === undefined)?.header
    return header === undefined || Buffer.isBuffer(header) ? header : header.requestHeader()
  }

  /** True when an answer given now has to wait for an older one. */
  get holdsBack(): boolean {
    return this.#ordered && this.#entries.size > 0
  }

  /** Takes note of a request; the token settles it. `waiter` is told by {@link ReplyLedger.abandon}. */
  begin(requestBytes: number, header: Buffer | HeaderSource, waiter?: Waiter): number {
    const key = this.#nextToken++
    this.#entries.add(new Entry(key, requestBytes, header, waiter))
    this.#inFlight++
    this.#inFlightBytes += requestBytes
    if (waiter?.isPatient) this.#patient++
    return key
  }

  /** Lines up an answer that is ready but not yet due. */
  queue(reply: Uint8Array): void {
    const key = this.#nextToken++
    this.#entries.add(new Entry(key, 0, undefined, undefined, reply))
    this.#waitingReplyBytes += reply.length
  }

  /** Answers a request; false if the token is unknown or was used. What may leave then is given to `sink`, in order. */
  settle(token: number, reply: Uint8Array, sink: ReplySink): boolean {
    if (!this.#ordered) {
      if (!this.take(token)) return false
      sink.release(reply)
      return true
    }
    const entry = this.#entries.get(token)
    if (entry === undefined || entry.queued || entry.reply !== undefined) return false
    entry.reply = reply
    this.#leave(entry)
    this.#waitingReplyBytes += reply.length
    for (let ready = this.#readyReply(); ready !== undefined; ready = this.#readyReply()) {
      this.#entries.take(this.#first++)
      this.#waitingReplyBytes -= ready.length
      sink.release(ready)
    }
    return true
  }

  #readyReply(): Uint8Array | undefined {
    return this.#entries.get(this.#first)?.reply
  }

  /** Takes note that a request is answered, where no order is kept; false if the token is unknown or was used. */
  take(token: number): boolean {
    const entry = this.#entries.take(token)
    if (entry === undefined) return false
    this.#leave(entry)
    return true
  }

  #leave({ requestBytes, waiter }: Entry): void {
    this.#inFlight--
    this.#inFlightBytes -= requestBytes
    if (waiter?.isPatient) this.#patient--
  }

  /** Tells those who have not answered yet that the connection ends when all have. */
  end(): void {
    for (const { reply, waiter } of this.#entries.inOrder()) if (reply === undefined) waiter?.ending?.()
  }

  /** Tells those who have not answered yet that nobody can be answered. No answer is taken afterwards. */
  abandon(): void {
    const open = this.#entries.inOrder()
    this.#entries.clear()
    for (const { reply, waiter } of open) if (reply === undefined) waiter?.abandoned()
  }
}
