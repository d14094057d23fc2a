/**
 * One request of the event protocol, as its command sees it, and the answers it can give.
 */

import type { Link } from '../../actors/serving/protocol.ts'
import { eventRequestAt } from '../../messages/event/request-v1.ts'
import { writeEventResponseHeader } from '../../messages/event/response-v1.ts'
import { EVENT_HEADER_BYTES, type EventStatus, eventStatus } from '../../messages/event/status.ts'

/** A request being handled. The object and `bytes` are only valid during the call: commands copy what they keep. */
export interface EventCall {
  readonly command: number
  readonly sessionId: number
  readonly peerAddress: string
  /** Holds the body from `bodyStart` to `bodyEnd`. */
  readonly bytes: Buffer
  readonly bodyStart: number
  readonly bodyEnd: number
  /** Answers status 0 with `body[start, end)`, which is copied. One answer for each request. */
  answer(body: Uint8Array, start?: number, end?: number): void
  /** Answers another status, with an empty body. */
  fail(status: EventStatus): void
  /** Puts the answer off. Over TCP it keeps its place among the answers. */
  later(): LateAnswer
}

/** The answer to a request that was put off; the first of the two that is called counts. False: the connection is gone. */
export interface LateAnswer {
  answer(body: Uint8Array): boolean
  fail(status: EventStatus): boolean
}

/** What a command does with a request: answer it, fail it or put it off. One that throws, or does nothing, answers 9. */
export type EventCommand = (call: EventCall) => void

const small = 64

/** Writes a whole response into the output of `link`. */
export function writeResponse(
  link: Link,
  status: number,
  header: Buffer,
  at: number,
  body: Uint8Array,
  start: number,
  end: number,
): void {
  const bodyBytes = end - start
  const to = link.reserve(EVENT_HEADER_BYTES + bodyBytes)
  const { target } = link
  writeEventResponseHeader(target, to, status, header, at, bodyBytes)
  // A loop beats the call into the engine's copy for the small bodies that most requests have.
  if (bodyBytes <= small) {
    for (let from = start, into = to + EVENT_HEADER_BYTES; from < end; from++, into++) target[into] = body[from]!
  } else {
    target.set(start === 0 && end === body.length ? body : body.subarray(start, end), to + EVENT_HEADER_BYTES)
  }
}

/** The one call object of a protocol value, moved from request to request. */
export class EventCallCursor implements EventCall {
  bytes: Buffer = Buffer.alloc(0)
  bodyStart = 0
  bodyEnd = 0
  answered = false
  /** Set when this request was put off. */
  late: LateAnswer | undefined
  #link: Link | undefined
  #at = 0

  /** Points the call at the request whose header is at `bytes[at]`. */
  move(link: Link, bytes: Buffer, at: number, bodyBytes: number): void {
    this.#link = link
    this.#at = at
    this.bytes = bytes
    this.bodyStart = at + EVENT_HEADER_BYTES
    this.bodyEnd = this.bodyStart + bodyBytes
    this.answered = false
    this.late = undefined
  }

  get command(): number {
    return this.bytes.readUInt16BE(this.#at + eventRequestAt.command)
  }

  get sessionId(): number {
    return this.bytes.readUInt32BE(this.#at + eventRequestAt.sessionId)
  }

  get peerAddress(): string {
    return this.#link!.peerAddress
  }

  answer(body: Uint8Array, start = 0, end = body.length): void {
    if (this.answered) return
    this.answered = true
    writeResponse(this.#link!, eventStatus.ok, this.bytes, this.#at, body, start, end)
  }

  fail(status: EventStatus): void {
    if (this.answered) return
    this.answered = true
    writeResponse(this.#link!, status, this.bytes, this.#at, this.bytes, 0, 0)
  }

  later(): LateAnswer {
    this.answered = true
    const link = this.#link!
    const header = Buffer.from(this.bytes.subarray(this.#at, this.bodyStart))
    const token = link.defer(this.bodyEnd - this.#at)
    const settle = (status: EventStatus, body: Uint8Array): boolean => {
      const reply = Buffer.allocUnsafe(EVENT_HEADER_BYTES + body.length)
      writeEventResponseHeader(reply, 0, status, header, 0, body.length)
      reply.set(body, EVENT_HEADER_BYTES)
      return link.settle(token, reply)
    }
    this.late = {
      answer: body => settle(eventStatus.ok, body),
      fail: status => settle(status, new Uint8Array(0)),
    }
    return this.late
  }
}
