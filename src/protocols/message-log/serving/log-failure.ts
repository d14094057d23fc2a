/** What a request is answered when it fails: an error code of the protocol and a text for people. */
import type { ActorLogger } from '../../../actors/runtime/actor-runtime.ts'
import type { Clock } from '../../../actors/runtime/clock.ts'
import { LogThrottle } from '../../../actors/runtime/log-throttle.ts'
import { type ErrorCode, isStarfishError } from '../../../messages/errors.ts'
import { type LogErrorCode, logError } from '../../../messages/log/codes.ts'

/** An error as it is answered. */
export interface LogFailureAnswer {
  readonly errorCode: LogErrorCode
  readonly text: string
}

/** The errors that are the request's own fault, or time; all others are the storage's. */
const codeOf: Partial<Record<ErrorCode, LogErrorCode>> = {
  BAD_CONFIG: logError.invalidRequest,
  OFFSET_OUT_OF_RANGE: logError.offsetOutOfRange,
  PARTITION_NOT_FOUND: logError.partitionNotFound,
  TOPIC_NOT_FOUND: logError.topicNotFound,
  TOPIC_EXISTS: logError.topicExists,
  ASK_TIMEOUT: logError.requestTimeout,
}

const logIntervalMs = 1_000

/** Nothing was done in time. */
export function timedOut(timeoutMs: number): LogFailureAnswer {
  return { errorCode: logError.requestTimeout, text: `the request was not done within ${timeoutMs} ms` }
}

/** Answers for requests that failed; logs what the storage is to blame for, no kind of it more than once a second. */
export class LogFailures {
  readonly #log: ActorLogger
  readonly #throttle: LogThrottle<string>
  readonly #timeoutMs: number

  /** `timeoutMs` is the time that requests have. */
  constructor(log: ActorLogger, clock: Clock, timeoutMs: number) {
    this.#log = log
    this.#throttle = new LogThrottle(clock, logIntervalMs)
    this.#timeoutMs = timeoutMs
  }

  /** The answer to a request that failed with `error`. */
  answerTo(error: unknown): LogFailureAnswer {
    if (!isStarfishError(error)) {
      this.#write('unknown', error)
      return { errorCode: logError.storageError, text: 'the storage failed' }
    }
    const { code, message } = error
    const errorCode = codeOf[code] ?? logError.storageError
    if (errorCode === logError.requestTimeout) return timedOut(this.#timeoutMs)
    if (errorCode === logError.storageError) this.#write(code, error)
    return { errorCode, text: message }
  }

  #write(kind: string, error: unknown): void {
    this.#throttle.write(kind, leftOut =>
      this.#log.warn({ err: error, leftOut }, 'a request of the message log failed'),
    )
  }
}
