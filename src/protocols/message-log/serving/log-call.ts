/** One request of the message log, as the server sees it, and the answers it can give. */
import type { HeaderSource, Link, Waiter } from '../../../actors/serving/protocol.ts'
import { LOG_REQUEST_HEADER_BYTES, type LogErrorCode, logError } from '../../../messages/log/codes.ts'
import type { AnyLogOperation } from '../../../messages/log/operation.ts'
import { logRequestAt } from '../../../messages/log/request.ts'
import { logAnswerBytes, logErrorBytes, writeLogAnswer, writeLogError } from '../../../messages/log/response.ts'
import { readI32, writeU32 } from '../../../messages/wire/in-place.ts'

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

  /** Answers at once with what the operation writes of `answer`. Throws, and has not answered, when that cannot be written. */
  answer(answer: unknown): void {
    const { operation, link } = this
    const frameBytes = logAnswerBytes(operation, answer)
    const at = link.reserve(frameBytes)
    try {
      writeLogAnswer(link.target, at, frameBytes, operation, this.#bytes, this.#at, answer)
    } catch (error) {
      link.takeBack(frameBytes)
      throw error
    }
  }

  /** Answers an error at once. */
  fail(errorCode: LogErrorCode, text: string): void {
    answerError(this.link, this.#bytes, this.#at, errorCode, text)
  }

  /** Puts the answer off into `late`. `waiter` is told if nobody can be answered any more. */
  defer<T extends LateAnswer>(late: T, waiter?: Waiter): T {
    late.begin(this.operation, this.link, this.#bytes, this.#at)
    late.token = this.link.defer(this.#frameBytes, late, waiter)
    return late
  }
}

/** Answers an error at once to the request whose header is at `header[at]`. */
export function answerError(link: Link, header: Buffer, at: number, errorCode: LogErrorCode, text: string): void {
  const frameBytes = logErrorBytes(text)
  const start = link.reserve(frameBytes)
  writeLogError(link.target, start, frameBytes, header, at, errorCode, text)
}

/** Where the header of a late answer is made again; it has what answers look at only for the time of a call. */
const scratch = Buffer.alloc(LOG_REQUEST_HEADER_BYTES)

/** The answer to a request that was put off: the first counts. False: nobody waits for it any more. Its header is kept as words. */
export class LateAnswer implements HeaderSource {
  declare operation: AnyLogOperation
  declare link: Link
  token = 0
  #length = 0
  #idHigh = 0
  #idLow = 0
  #kind = 0

  /** Remembers whom to answer. */
  begin(operation: AnyLogOperation, link: Link, bytes: Buffer, at: number): void {
    this.operation = operation
    this.link = link
    this.#length = readI32(bytes, at + logRequestAt.length)
    this.#idHigh = readI32(bytes, at + logRequestAt.requestId)
    this.#idLow = readI32(bytes, at + logRequestAt.requestId + 4)
    this.#kind = readI32(bytes, at + logRequestAt.type)
  }

  requestHeader(): Buffer {
    return this.#writeHeader(Buffer.alloc(LOG_REQUEST_HEADER_BYTES))
  }

  /** What cannot be written is answered as an error of the storage. */
  answer(answer: unknown): boolean {
    const { link } = this
    const frameBytes = logAnswerBytes(this.operation, answer)
    const at = link.place(this.token, frameBytes)
    if (at < 0) return false
    const header = this.#writeHeader(scratch)
    try {
      writeLogAnswer(link.target, at, frameBytes, this.operation, header, 0, answer)
    } catch (error) {
      link.takeBack(frameBytes)
      answerError(link, header, 0, logError.storageError, (error as Error).message)
    }
    return true
  }

  fail(errorCode: LogErrorCode, text: string): boolean {
    const { link } = this
    const frameBytes = logErrorBytes(text)
    const at = link.place(this.token, frameBytes)
    if (at < 0) return false
    writeLogError(link.target, at, frameBytes, this.#writeHeader(scratch), 0, errorCode, text)
    return true
  }

  #writeHeader(target: Buffer): Buffer {
    writeU32(target, logRequestAt.length, this.#length)
    writeU32(target, logRequestAt.requestId, this.#idHigh)
    writeU32(target, logRequestAt.requestId + 4, this.#idLow)
    writeU32(target, logRequestAt.type, this.#kind)
    return target
  }
}
