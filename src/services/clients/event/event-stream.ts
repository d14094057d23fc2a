/**
 * The event protocol on one TCP connection: answers come in the order of the requests, and each must name the command and
 * the session of the oldest one. A server that breaks this, the version or a limit is not read any further.
 *
 * After "body too large" a server ends the connection, and what was sent behind is not handled.
 *
 * One answer may come unasked: a server that has no room for a connection, or none any more, says so ("overloaded", command
 * and session 0) and closes it. What was sent on such a connection and not answered is not handled.
 */
import { StarfishError } from '../../../messages/errors.ts'
import { writeEventRequestHeader } from '../../../messages/event/request-v1.ts'
import { eventResponseAt } from '../../../messages/event/response-v1.ts'
import { EVENT_HEADER_BYTES, EVENT_VERSION, eventStatus } from '../../../messages/event/status.ts'
import { decodeChunk, type FrameSink, type PartialFrame, STOP } from '../../../messages/wire/frame-decoder.ts'
import { Fifo } from '../../../supervisor/fifo.ts'
import type { LinkOwner } from '../link.ts'
import type { StreamSession } from '../stream-link.ts'
import type { PendingEvent } from './pending-event.ts'
import { statusError } from './status-error.ts'

/** What every empty answer has as its body. */
const noBody = Buffer.alloc(0)

/** The session. */
export class EventStream implements StreamSession<PendingEvent>, FrameSink {
  readonly headerBytes = EVENT_HEADER_BYTES
  partial: PartialFrame | undefined = undefined
  readonly #server: string
  readonly #owner: LinkOwner<PendingEvent>
  readonly #bodyBytesMax: number
  readonly #sent = new Fifo<PendingEvent>()
  #fault: StarfishError | undefined

  /** `bodyBytesMax` is the largest body of an answer. */
  constructor(server: string, owner: LinkOwner<PendingEvent>, bodyBytesMax: number) {
    this.#server = server
    this.#owner = owner
    this.#bodyBytesMax = bodyBytesMax
  }

  get inFlight(): number {
    return this.#sent.size
  }

  write(request: PendingEvent, target: Buffer, at: number): void {
    const { body } = request
    writeEventRequestHeader(target, at, request, body.length)
    if (body.length > 0) target.set(body, at + EVENT_HEADER_BYTES)
    this.#sent.push(request)
  }

  read(chunk: Buffer): void {
    decodeChunk(this, chunk)
    if (this.#fault !== undefined) throw this.#fault
  }

  drain(): PendingEvent[] {
    return this.#sent.drain()
  }

  onHeader(bytes: Buffer, at: number): number {
    const request = this.#sent.peek()
    const bodyBytes = bytes.readUInt32BE(at + eventResponseAt.bodyBytes)
    if (request !== undefined && isAnswerTo(request, bytes, at) && bodyBytes <= this.#bodyBytesMax) return bodyBytes
    this.#fault = this.#faultOf(request, bytes, at, bodyBytes)
    return STOP
  }

  onFrame(bytes: Buffer, at: number, bodyBytes: number): void {
    const request = this.#sent.shift()!
    const status = bytes[at + eventResponseAt.status]!
    if (status === eventStatus.ok) {
      const { command, sessionId } = request
      const body = copyOf(bytes, at + EVENT_HEADER_BYTES, bodyBytes)
      this.#owner.answered(request, { status, command, sessionId, body })
      return
    }
    const error = statusError(status, request, this.#server)
    if (status === eventStatus.bodyTooLarge) this.#fault = this.#lastWord(error)
    this.#owner.failed(request, error)
  }

  mayDecode(): boolean {
    return this.#fault === undefined
  }

  /** The declared length was checked. */
  allocate(bytes: number): Buffer {
    return Buffer.allocUnsafeSlow(bytes)
  }

  /** What the server ends a connection with: it reads nothing that came behind. */
  #lastWord(error: StarfishError): StarfishError {
    const text = `${this.#server} ended the connection after a request that it refused: ${error.message}`
    return new StarfishError('CONNECTION_LOST', text, { details: { server: this.#server }, handled: 'no' })
  }

  #faultOf(request: PendingEvent | undefined, bytes: Buffer, at: number, bodyBytes: number): StarfishError {
    const version = bytes[at]
    const status = bytes[at + eventResponseAt.status]
    const command = bytes.readUInt16BE(at + eventResponseAt.command)
    const sessionId = bytes.readUInt32BE(at + eventResponseAt.sessionId)
    const details = { server: this.#server, version, status, command, sessionId, bodyBytes }
    if (version === EVENT_VERSION && status === eventStatus.overloaded && command === 0 && sessionId === 0) {
      const text = `${this.#server} has no room for the connection`
      return new StarfishError('SERVER_OVERLOADED', text, { details, handled: 'no' })
    }
    const asked = request === undefined ? 'nobody asked' : `${request.describe()} of session ${request.sessionId} waits`
    const text =
      `${this.#server} answered command ${command} of session ${sessionId} in version ${version} with a body of ` +
      `${bodyBytes} bytes (at most ${this.#bodyBytesMax}), where ${asked}`
    return new StarfishError('BAD_FRAME', text, { details })
  }
}

/** Bytes of their own: a view would keep the whole chunk. */
function copyOf(bytes: Buffer, start: number, count: number): Buffer {
  if (count === 0) return noBody
  const copy = Buffer.allocUnsafe(count)
  bytes.copy(copy, 0, start, start + count)
  return copy
}

function isAnswerTo({ command, sessionId }: PendingEvent, bytes: Buffer, at: number): boolean {
  return (
    bytes[at] === EVENT_VERSION &&
    bytes.readUInt16BE(at + eventResponseAt.command) === command &&
    bytes.readUInt32BE(at + eventResponseAt.sessionId) === sessionId
  )
}
