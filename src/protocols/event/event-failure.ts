/** Errors that say with which status a request is answered, and what becomes of those that do not. */
import type { ActorLogger } from '../../actors/runtime/actor-runtime.ts'
import type { Clock } from '../../actors/runtime/clock.ts'
import { LogThrottle } from '../../actors/runtime/log-throttle.ts'
import { isAllocationFailure } from '../../messages/allocation-failure.ts'
import { decodeError, encodeError } from '../../messages/error-codec.ts'
import { isStarfishError, StarfishError } from '../../messages/errors.ts'
import { type EventStatus, type EventStatusName, eventStatus } from '../../messages/event/status.ts'

/** The statuses that a command may answer by throwing. */
export type FailureStatus = Exclude<EventStatusName, 'ok' | 'cookieRequired'>

/** How often the failures of one command are logged, ms. */
const logIntervalMs = 1_000

/**
 * An error (code `EVENT_FAILED`) that has its request answered with that status, without a line in the log. Any other
 * error is answered `handlerFailed`, and logged. `BAD_CONFIG` for what is no status of a failure.
 *
 * @example if (queue.length > 1_000) throw eventFailure('overloaded')
 */
export function eventFailure(status: FailureStatus, message?: string, cause?: unknown): StarfishError {
  if (!isFailureStatus(status)) {
    const details = { option: 'status', value: String(status) }
    throw new StarfishError('BAD_CONFIG', `${String(status)} is not a status of a failure`, { details })
  }
  return new StarfishError('EVENT_FAILED', message ?? `the request is answered ${status}`, {
    details: { status },
    cause,
  })
}

/**
 * The status that an error names: one of {@link eventFailure}, here or on another thread, or of memory that could not be
 * had; undefined for any other error. Never throws, whatever was thrown.
 */
export function statusOfFailure(error: unknown): EventStatus | undefined {
  try {
    if (isAllocationFailure(error)) return eventStatus.memoryAlloc
    if (!isStarfishError(error, 'EVENT_FAILED')) return undefined
    const { status } = error.details
    return isFailureStatus(status) ? eventStatus[status] : undefined
  } catch {
    // One that runs code of its own when it is looked at: a proxy, a getter that throws.
    return undefined
  }
}

function isFailureStatus(status: unknown): status is FailureStatus {
  return (
    typeof status === 'string' && status !== 'ok' && status !== 'cookieRequired' && Object.hasOwn(eventStatus, status)
  )
}

/** Answers for commands that failed; logs no command more than once a second, so that no client can fill the log. */
export class CommandFailures {
  readonly #log: ActorLogger
  readonly #throttle: LogThrottle<number>
  readonly #lateThrottle: LogThrottle<number>

  constructor(log: ActorLogger, clock: Clock) {
    this.#log = log
    this.#throttle = new LogThrottle(clock, logIntervalMs)
    this.#lateThrottle = new LogThrottle(clock, logIntervalMs)
  }

  /** Logs that a command was not done in time. */
  late(command: number, timeoutMs: number): void {
    this.#lateThrottle.write(command, leftOut =>
      this.#log.warn({ command, timeoutMs, leftOut }, 'event command was not done in time'),
    )
  }

  /** The status to answer to a request whose command threw `error`, whatever that is. */
  statusOf(command: number, error: unknown): EventStatus {
    const status = statusOfFailure(error)
    if (status !== undefined) return status
    this.#throttle.write(command, leftOut => {
      // A copy: loggers read the fields of errors, and getters may throw.
      this.#log.warn({ err: decodeError(encodeError(error)), command, leftOut }, 'event command failed')
    })
    return eventStatus.handlerFailed
  }
}
