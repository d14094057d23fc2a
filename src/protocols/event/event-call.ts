/**
 * One request of the event protocol, as its command sees it, and the answers it can give.
 */

import type { ReplyPath, Waiter } from '../../actors/serving/protocol.ts'
import type { RefusalKind } from '../../actors/serving/refusals.ts'
import { type EventStatus, eventStatus } from '../../messages/event/status.ts'
import type { EventDialect } from './dialect.ts'
import { encodeReply, writeErrorReply, writeReply } from './event-reply.ts'

/** How a request came. */
export type EventTransport = 'tcp' | 'udp'

/** A request being handled. The object and `bytes` are only valid during the call: commands copy what they keep. */
export interface EventCall {
  readonly command: number
  readonly sessionId: number
  readonly peerAddress: string
  readonly transport: EventTransport
  /** Holds the opened body from `bodyStart` to `bodyEnd`. */
  readonly bytes: Uint8Array
  readonly bodyStart: number
  readonly bodyEnd: number
  /** Answers status 0 with `body[start, end)`, which is copied. One answer for each request. */
  answer(body: Uint8Array, start?: number, end?: number): void
  /** Answers another status. */
  fail(status: EventStatus): void
  /** Anybody may have written the address that it came from. */
  readonly isUnproven: boolean
  /** Has its sender prove its address before it is served; where requests have no place for that, it is answered `overloaded`. */
  challenge(): void
  /** Puts the answer off. Over TCP it keeps its place among the answers. `waiter` is told if nobody can be answered any more. */
  later(waiter?: Waiter): LateAnswer
}

/** The answer to a request that was put off; the first of the two that is called counts. False: the connection is gone. */
export interface LateAnswer {
  answer(body: Uint8Array): boolean
  fail(status: EventStatus): boolean
}

/** What a command does with a request: answer it, fail it or put it off. One that throws, or does nothing, answers 9. */
export type EventCommand = (call: EventCall) => void

const nothing = new Uint8Array(0)

/** What a request that went to its command is counted as, by the status that it was answered. */
const refusalOf: Readonly<Partial<Record<EventStatus, RefusalKind>>> = {
  [eventStatus.invalidPacketLength]: 'bodiesInvalid',
  [eventStatus.memoryAlloc]: 'requestsWithoutMemory',
  [eventStatus.invalidHeader]: 'headersInvalid',
  [eventStatus.bodyTooLarge]: 'bodiesTooLarge',
  [eventStatus.unknownCommand]: 'commandsUnknown',
  [eventStatus.overloaded]: 'requestsOverload',
  [eventStatus.timeout]: 'commandsLate',
  [eventStatus.decryptFailed]: 'bodiesInvalid',
  [eventStatus.handlerFailed]: 'commandsFailed',
}

function count(path: ReplyPath, status: EventStatus): void {
  const kind = refusalOf[status]
  if (kind !== undefined) path.countRefusal(kind)
}

/** The one call object of a protocol value, moved from request to request. */
export class EventCallCursor implements EventCall {
  readonly transport: EventTransport
  bytes: Uint8Array = nothing
  bodyStart = 0
  bodyEnd = 0
  answered = false
  /** Set when this request was put off. */
  late: LateAnswer | undefined
  readonly #dialect: EventDialect
  readonly #headerBytes: number
  #path: ReplyPath | undefined
  #frame: Buffer = Buffer.alloc(0)
  #at = 0
  #frameBytes = 0

  constructor(dialect: EventDialect, transport: EventTransport) {
    this.transport = transport
    this.#dialect = dialect
    this.#headerBytes = dialect.headerBytes
  }

  /** Points the call at the request whose header is at `frame[at]`, its body in the clear behind it. */
  move(path: ReplyPath, frame: Buffer, at: number, bodyBytes: number): void {
    const headerBytes = this.#headerBytes
    this.#path = path
    this.#frame = frame
    this.#at = at
    this.#frameBytes = headerBytes + bodyBytes
    this.bytes = frame
    this.bodyStart = at + headerBytes
    this.bodyEnd = this.bodyStart + bodyBytes
    this.answered = false
    this.late = undefined
  }

  /** Puts the opened body in place of the one that came. */
  open(body: Uint8Array): void {
    this.bytes = body
    this.bodyStart = 0
    this.bodyEnd = body.length
  }

  /** The whole request as it came. */
  get frame(): Buffer {
    return this.#frame.subarray(this.#at, this.#at + this.#frameBytes)
  }

  get command(): number {
    return this.#dialect.command(this.#frame, this.#at)
  }

  get sessionId(): number {
    return this.#dialect.sessionId(this.#frame, this.#at)
  }

  get peerAddress(): string {
    return this.#path!.peerAddress
  }

  answer(body: Uint8Array, start = 0, end = body.length): void {
    if (this.answered) return
    writeReply(this.#dialect, this.#path!, this.#frame, this.#at, body, start, end)
    this.answered = true
  }

  fail(status: EventStatus): void {
    if (this.answered) return
    this.answered = true
    count(this.#path!, status)
    writeErrorReply(this.#dialect, this.#path!, status, this.#frame, this.#at)
  }

  get isUnproven(): boolean {
    return this.#path!.isUnproven === true
  }

  challenge(): void {
    if (this.#dialect.hasCookie === undefined) {
      this.fail(eventStatus.overloaded)
      return
    }
    this.answered = true
    this.#path!.challenge?.()
  }

  later(waiter?: Waiter): LateAnswer {
    this.answered = true
    const dialect = this.#dialect
    const path = this.#path!
    const header = Buffer.from(this.#frame.subarray(this.#at, this.#at + dialect.headerBytes))
    const token = path.defer(this.#frameBytes, header, waiter)
    const fail = (status: EventStatus): boolean => {
      const isTaken = path.settle(token, encodeReply(dialect, status, header, 0, nothing))
      if (isTaken) count(path, status)
      return isTaken
    }
    this.late = {
      answer(body) {
        try {
          return path.settle(token, encodeReply(dialect, eventStatus.ok, header, 0, body))
        } catch {
          // A body that cannot be sealed; the request is answered all the same.
          return fail(eventStatus.handlerFailed)
        }
      },
      fail,
    }
    return this.late
  }
}
