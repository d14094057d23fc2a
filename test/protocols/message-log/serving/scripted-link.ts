/** A connection without a socket: what a protocol answers to it, and in which order. */
import type { FrameProtocol, HeaderSource, Link, Waiter } from '../../../../src/actors/serving/protocol.ts'
import type { RefusalKind } from '../../../../src/actors/serving/refusals.ts'
import { encodeLogRequest } from '../../../../src/messages/index.ts'
import { LOG_REQUEST_HEADER_BYTES } from '../../../../src/messages/log/codes.ts'
import type { LogOperation } from '../../../../src/messages/log/operation.ts'
import { type DecodedLogResponse, decodeLogResponse } from '../../../../src/messages/log/response.ts'

/** The connection. */
export class ScriptedLink implements Link {
  readonly id = 'c1'
  readonly peerAddress = '127.0.0.1'
  readonly refusals: RefusalKind[] = []
  readonly waiters = new Map<number, Waiter | undefined>()
  /** Answers, in the order in which they were given. */
  readonly #frames: Buffer[] = []
  isOver = false
  isOutputFull = false
  target: Buffer = Buffer.alloc(0)
  #lastToken = 0

  reserve(bytes: number): number {
    this.target = Buffer.alloc(bytes)
    this.#frames.push(this.target)
    return 0
  }

  defer(_requestBytes: number, _header: Buffer | HeaderSource, waiter?: Waiter): number {
    this.waiters.set(++this.#lastToken, waiter)
    return this.#lastToken
  }

  settle(token: number, reply: Uint8Array): boolean {
    if (!this.waiters.delete(token)) return false
    this.#frames.push(Buffer.from(reply))
    return true
  }

  place(token: number, bytes: number): number {
    return this.waiters.delete(token) ? this.reserve(bytes) : -1
  }

  takeBack(bytes: number): void {
    const taken = this.#frames.pop()
    if (taken?.length !== bytes) throw new Error(`the last reservation is of ${taken?.length} bytes, not ${bytes}`)
  }

  countRefusal(kind: RefusalKind): void {
    this.refusals.push(kind)
  }

  finish(): void {
    this.isOver = true
  }

  /** The connection is lost. */
  lose(): void {
    const waiters = [...this.waiters.values()]
    this.waiters.clear()
    for (const waiter of waiters) waiter?.abandoned()
  }

  /** The connection is told to end in good order. */
  end(): void {
    for (const waiter of [...this.waiters.values()]) waiter?.ending?.()
  }

  /** Hands a request to a protocol. */
  send<Q>(protocol: FrameProtocol, operation: LogOperation<Q, unknown>, requestId: number, request: Q): void {
    this.sendBytes(protocol, encodeLogRequest(operation, requestId, request))
  }

  /** Hands the bytes of one frame to a protocol. */
  sendBytes(protocol: FrameProtocol, bytes: Buffer): void {
    const bodyBytes = protocol.header(this, bytes, 0)
    if (bodyBytes === bytes.length - LOG_REQUEST_HEADER_BYTES) protocol.request(this, bytes, 0, bodyBytes)
  }

  /** The ids of the answers since the last call. */
  ids(): number[] {
    return this.#frames.splice(0).map(frame => Number(frame.readBigUInt64BE(4)))
  }

  /** The answers since the last call, which are all to requests of `operation`. */
  answers<Q, A, R>(operation: LogOperation<Q, A, R>): DecodedLogResponse<R>[] {
    return this.#frames.splice(0).map(frame => decodeLogResponse(operation, frame))
  }
}
