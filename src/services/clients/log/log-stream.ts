/**
 * The log protocol on one TCP connection: answers come in any order, each names its request by id. A server that answers
 * what nobody asked, or against the grammar, is not read any further.
 *
 * ```
 *   request id = count of requests, 32 bits | slot, 20 bits      slots are taken again: as many as were in flight at most
 * ```
 * A request that nobody waits for any more keeps its slot until it is answered.
 */
import { StarfishError } from '../../../messages/errors.ts'
import { LOG_RESPONSE_HEADER_BYTES, logError } from '../../../messages/log/codes.ts'
import { writeLogRequest } from '../../../messages/log/request.ts'
import {
  judgeLogResponseHeader,
  readLogResponse,
  readLogResponseId,
  readLogResponseLength,
} from '../../../messages/log/response.ts'
import { decodeChunk, type FrameSink, type PartialFrame, STOP } from '../../../messages/wire/frame-decoder.ts'
import type { LinkOwner } from '../link.ts'
import type { StreamSession } from '../stream-link.ts'
import { logResponseError } from './log-response-error.ts'
import type { PendingLog } from './pending-log.ts'

/** Requests in flight on one connection at most: what the slot of an id counts. */
export const slotsMax = 1_048_576

const countMax = 4_294_967_296

/** The session. */
export class LogStream implements StreamSession<PendingLog>, FrameSink {
  readonly headerBytes = LOG_RESPONSE_HEADER_BYTES
  partial: PartialFrame | undefined = undefined
  readonly #server: string
  readonly #owner: LinkOwner<PendingLog>
  readonly #lengthMax: number
  readonly #slots: (PendingLog | undefined)[] = []
  readonly #freeSlots: number[] = []
  /** From 1 on: no request has the id 0, which a peer of another protocol may well seem to answer. */
  #written = 1
  #inFlight = 0
  #fault: StarfishError | undefined
  /** What is read just now. */
  #chunk: Buffer | undefined

  /** `lengthMax` is the largest length of a request that the server takes. */
  constructor(server: string, owner: LinkOwner<PendingLog>, lengthMax: number) {
    this.#server = server
    this.#owner = owner
    this.#lengthMax = lengthMax
  }

  get inFlight(): number {
    return this.#inFlight
  }

  write(request: PendingLog, target: Buffer, at: number): void {
    const slot = this.#freeSlots.pop() ?? this.#slots.length
    request.order = this.#written++
    request.requestId = (request.order % countMax) * slotsMax + slot
    request.slot = slot
    this.#slots[slot] = request
    this.#inFlight++
    writeLogRequest(target, at, request.bytes, request.call.operation, request.requestId, request.content)
  }

  read(chunk: Buffer): void {
    this.#chunk = chunk
    decodeChunk(this, chunk)
    this.#chunk = undefined
    if (this.#fault !== undefined) throw this.#fault
  }

  drain(): PendingLog[] {
    const requests = this.#slots.filter(request => request !== undefined)
    this.#slots.length = 0
    this.#freeSlots.length = 0
    this.#inFlight = 0
    return requests.sort((one, other) => one.order - other.order)
  }

  onHeader(bytes: Buffer, at: number): number {
    const bodyBytes = judgeLogResponseHeader(bytes, at, this.#lengthMax)
    if (bodyBytes === STOP) {
      this.#fault = this.#broken('declares a length that cannot be')
      this.#refuseOversized(bytes, at)
    }
    return bodyBytes
  }

  onFrame(bytes: Buffer, at: number, bodyBytes: number): void {
    const requestId = readLogResponseId(bytes, at)
    const slot = requestId % slotsMax
    const request = this.#slots[slot]
    if (request?.requestId !== requestId) {
      this.#fault = this.#broken(`answers a request ${requestId} that is not in flight`)
      return
    }
    try {
      this.#settle(request, bytes, at, bodyBytes)
    } catch (error) {
      if (!(error instanceof StarfishError)) throw error
      this.#fault = error
    }
  }

  mayDecode(): boolean {
    return this.#fault === undefined
  }

  /** The declared length was checked. */
  allocate(bytes: number): Buffer {
    return Buffer.allocUnsafeSlow(bytes)
  }

  /** A response that throws leaves its request in flight: it ends with the connection. */
  #settle(request: PendingLog, bytes: Buffer, at: number, bodyBytes: number): void {
    const { call } = request
    const result = readLogResponse(call.operation, bytes, at, bodyBytes)
    if (!result.ok && result.errorCode === logError.corruptMessage) {
      throw this.#broken(`read a request that was not as it was sent: ${result.text}`)
    }
    const fault = result.ok ? call.faultOf?.(request.content, result.response) : undefined
    if (fault !== undefined) throw this.#broken(`answers ${request.describe()} with what ${fault}`)
    const answer = result.ok ? call.answerOf(result.response, bytes !== this.#chunk) : undefined
    this.#free(request)
    if (result.ok) this.#owner.answered(request, answer)
    else this.#owner.failed(request, logResponseError(result, request, this.#server))
  }

  /** An answer that is too long now is so whenever it is asked for: who asked is told so. The connection ends, as it is not read. */
  #refuseOversized(bytes: Buffer, at: number): void {
    const length = readLogResponseLength(bytes, at)
    const requestId = readLogResponseId(bytes, at)
    const request = this.#slots[requestId % slotsMax]
    const lengthMax = this.#lengthMax
    if (length <= lengthMax || request?.requestId !== requestId) return
    this.#free(request)
    const what = `${this.#server} answers ${request.describe()} with ${length} bytes`
    const text = `${what}, more than this client takes: frameBytesMax is ${lengthMax}`
    const details = { server: this.#server, bytes: length, frameBytesMax: lengthMax }
    this.#owner.failed(request, new StarfishError('REQUEST_REFUSED', text, { details, handled: 'unknown' }))
  }

  #free({ slot }: PendingLog): void {
    this.#slots[slot] = undefined
    this.#freeSlots.push(slot)
    this.#inFlight--
  }

  #broken(what: string): StarfishError {
    return new StarfishError('BAD_FRAME', `${this.#server} ${what}`, { details: { server: this.#server } })
  }
}
