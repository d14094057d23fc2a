/** Asks servers of the log, one request a call: what producers, consumers and the client itself stand on. */
import { isStarfishError, StarfishError } from '../../../messages/errors.ts'
import { type ClientFigures, ConnectionPool } from '../connection-pool.ts'
import type { OpenRequests } from '../open-requests.ts'
import type { PendingOptions } from '../pending-request.ts'
import { checkFaults, requestFault, timeoutFault } from './check-arguments.ts'
import type { LogClientConfig } from './log-client-options.ts'
import { logWire } from './log-wire.ts'
import { type LogCall, PendingLog } from './pending-log.ts'
import { pollPoolOptions, pollWaitMs, sumFigures } from './poll-pool.ts'

/** Options of one request. */
export interface LogRequestOptions {
  /** Deadline over all attempts, ms from now. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** Who has nothing to say. */
const none: LogRequestOptions = {}

/** What is said of a request that is larger than the client sends; nothing of one that cannot be written for another reason. */
function tooLong({ details }: StarfishError): string | undefined {
  const { field, value, max } = details as Readonly<Record<string, unknown>>
  return field === 'length' ? `it has ${value} bytes, more than frameBytesMax of the client, ${max}` : undefined
}

/** The requests of one client. */
export class LogRequests {
  readonly config: LogClientConfig
  readonly pool: ConnectionPool<PendingLog>
  /** Long polls go by connections of their own. */
  readonly #polls: ConnectionPool<PendingLog>
  #watched = 0

  constructor(config: LogClientConfig) {
    const { servers, pool, retry, clock, random } = config
    this.config = config
    const options = { servers, pool, retry, wire: logWire(config), clock, random }
    this.pool = new ConnectionPool(options)
    this.#polls = new ConnectionPool(pollPoolOptions(options))
  }

  /** All that are open, but for long polls. */
  get open(): OpenRequests<PendingLog> {
    return this.pool.requests
  }

  /** The long polls that are open. */
  get polls(): OpenRequests<PendingLog> {
    return this.#polls.requests
  }

  /** So many partitions more, or fewer, are watched by long polls. */
  watch(partitions: number): void {
    this.#watched += partitions
  }

  /** How long a poll may wait now that wants to wait for `maxWaitMs`. */
  pollWaitMs(maxWaitMs: number): number {
    return pollWaitMs(maxWaitMs, this.#watched, this.config.pool.inFlightMax)
  }

  figures(): ClientFigures {
    return sumFigures(this.pool.figures(), this.#polls.figures())
  }

  /** As `ConnectionPool.close`. */
  async close(timeoutMs: number): Promise<void> {
    await Promise.all([this.pool.close(timeoutMs), this.#polls.close(timeoutMs)])
  }

  /**
   * Asks, and answers what the call makes of the response. It is tried again whenever that may help, if handling it twice does
   * no harm (`isIdempotent`), else only if it was certainly not handled. `nowMs` is now, for whoever has looked at the clock.
   */
  ask<TRequest, TResponse, A>(
    call: LogCall<TRequest, TResponse, A>,
    content: TRequest,
    isIdempotent: boolean,
    options: LogRequestOptions = none,
    nowMs = this.config.clock.now(),
  ): Promise<A> {
    return new Promise((resolve, reject) => {
      try {
        if (options !== none) checkFaults(requestFault(options))
        const { timeoutMs = this.config.timeoutMs, signal } = options
        const attempts = { timeoutMs, isIdempotent }
        const open = call.isLong?.(content) ? this.polls : this.open
        open.open(this.create(call, content, attempts, resolve, reject), signal, nowMs)
      } catch (error) {
        reject(error)
      }
    })
  }

  /** A request that is not open yet. Throws `REQUEST_REFUSED` for one that cannot be written, `BAD_CONFIG` for its deadline. */
  create<TRequest, TResponse, A>(
    call: LogCall<TRequest, TResponse, A>,
    content: TRequest,
    options: PendingOptions,
    resolve: (answer: A) => void,
    reject: (error: unknown) => void,
  ): PendingLog<A> {
    const fault = timeoutFault(options.timeoutMs)
    if (fault !== undefined) checkFaults(fault)
    try {
      return new PendingLog(call, content, this.config.frameBytesMax, options, resolve, reject)
    } catch (cause) {
      if (!isStarfishError(cause, 'BAD_FRAME')) throw cause
      const text = `${call.operation.name} was not sent: ${tooLong(cause) ?? cause.message}`
      throw new StarfishError('REQUEST_REFUSED', text, { details: cause.details, handled: 'no', cause })
    }
  }
}
