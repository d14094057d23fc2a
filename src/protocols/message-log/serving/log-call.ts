/** One request of the message log, as the server sees it, and the answers it can give. */
import type { Link, Waiter } from '../../../actors/serving/protocol.ts'
import { LOG_REQUEST_HEADER_BYTES, type LogErrorCode } from '../../../messages/log/codes.ts'
import type { AnyLogOperation } from '../../../messages/log/operation.ts'
import { logAnswerBytes, logErrorBytes, writeLogAnswer, writeLogError } from '../../../messages/log/response.ts'

const nothing = Buffer.alloc(0)

/** A request in hand: its bytes are valid during the call only. One object serves all requests of a shard. */
export class LogCall {
  declare operation: AnyLogOperation
  declare link: Link
  #bytes: Buffer = nothing
  #at = 0
  #frameBytes = 0

  /** Points the call at the request of `operation` at `bytes[at]`. */
  move(operation: AnyLogOperation, link: Link, bytes: Buffer, at: number, bodyBytes: number): void {
    this.operation = operation
    this.link = link
    this.#bytes = bytes
    this.#at = at
    this.#frameBytes = LOG_REQUEST_HEADER_BYTES + bodyBytes
  }

  /** Lets go of the bytes: a server that waits must not keep a large frame alive. */
  leave(): void {
    this.#bytes = nothing
  }

  /** Answers at once with what the operation writes of `answer`. */
  answer(answer: unknown): void {
    const { operation, link } = this
    const frameBytes = logAnswerBytes(operation, answer)
    const at = link.reserve(frameBytes)
    writeLogAnswer(link.target, at, frameBytes, operation, this.#bytes, this.#at, answer)
  }

  /** Answers an error at once. */
  fail(errorCode: LogErrorCode, text: string): void {
    answerError(this.link, this.#bytes, this.#at, errorCode, text)
  }

  /** Puts the answer off into `late`. `waiter` is told if nobody can be answered any more. */
  defer<T extends LateAnswer>(late: T, waiter?: Waiter): T {
    const header = Buffer.from(this.#bytes.subarray(this.#at, this.#at + LOG_REQUEST_HEADER_BYTES))
    late.begin(this.operation, this.link, header, this.link.defer(this.#frameBytes, header, waiter))
    return late
  }
}

/** Answers an error at once to the request whose header is at `header[at]`. */
export function answerError(link: Link, header: Buffer, at: number, errorCode: LogErrorCode, text: string): void {
  const frameBytes = logErrorBytes(text)
  const start = link.reserve(frameBytes)
  writeLogError(link.target, start, frameBytes, header, at, errorCode, text)
}

/** The answer to a request that was put off: the first counts. False: nobody waits for it any more. */
export class LateAnswer {
  declare operation: AnyLogOperation
  declare link: Link
  #header: Buffer = nothing
  #token = 0

  begin(operation: AnyLogOperation, link: Link, header: Buffer, token: number): void {
    this.operation = operation
    this.link = link
    this.#header = header
    this.#token = token
  }

  answer(answer: unknown): boolean {
    const frame = Buffer.allocUnsafe(logAnswerBytes(this.operation, answer))
    writeLogAnswer(frame, 0, frame.length, this.operation, this.#header, 0, answer)
    return this.link.settle(this.#token, frame)
  }

  fail(errorCode: LogErrorCode, text: string): boolean {
    const frame = Buffer.allocUnsafe(logErrorBytes(text))
    writeLogError(frame, 0, frame.length, this.#header, 0, errorCode, text)
    return this.link.settle(this.#token, frame)
  }
}
