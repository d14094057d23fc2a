/** A request of the log client. */
import type { LogQuestion } from '../../../messages/log/operation.ts'
import { logRequestBytes } from '../../../messages/log/request.ts'
import { type PendingOptions, PendingRequest } from '../pending-request.ts'

/** How an operation is asked for, and what is made of its response. */
export interface LogCall<TRequest, TResponse, A = TResponse> {
  readonly operation: LogQuestion<TRequest, TResponse>
  /** What it is about, in words, behind the name of the operation: ` to partition 7`. */
  about(request: TRequest): string
  /** The server may let it wait on purpose. Default never. */
  isLong?(request: TRequest): boolean
  /** What is wrong with a response, whole as it is: what it answers is something else. Default nothing. */
  faultOf?(request: TRequest, response: TResponse): string | undefined
  /** What its promise is settled with. Bytes of the response are valid during the call only, unless they are its own (`isOwn`). */
  answerOf(response: TResponse, isOwn: boolean): A
}

/** A request that large may be larger than its server takes. */
const doubtfulBytes = 1_048_576

/** A call whose types do not matter. */
export type AnyLogCall = LogCall<unknown, unknown, unknown>

/** The record of one. */
export class PendingLog<A = unknown> extends PendingRequest<A> {
  readonly call: AnyLogCall
  readonly content: unknown
  /** What its session gave it: its place, its id, and how many were written before it. */
  slot = 0
  requestId = 0
  order = 0

  /** `BAD_FRAME` when the request cannot be written, or is longer than `lengthMax`. */
  constructor(
    call: AnyLogCall,
    content: unknown,
    lengthMax: number,
    options: PendingOptions,
    resolve: (answer: A) => void,
    reject: (error: unknown) => void,
  ) {
    super(logRequestBytes(call.operation, content, lengthMax), options, resolve, reject)
    this.call = call
    this.content = content
  }

  /** The protocol has no answer for one that is longer than the server takes. */
  override get doubt(): string {
    if (this.bytes < doubtfulBytes) return ''
    return `; the request has ${this.bytes} bytes: is that more than frameBytesMax of the server?`
  }

  describe(): string {
    return this.call.operation.name + this.call.about(this.content)
  }
}
