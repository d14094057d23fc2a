/**
 * The event client: commands to event servers over pooled TCP connections, or over UDP. Usable alone: it needs no system,
 * runs in the thread that created it, and connects when it is first used.
 *
 * ```
 *   request ─> open requests (deadline, retries) ─> connection pool ─> EventStream on TCP, TLS
 *                                                                 └─> EventDatagrams on UDP
 * ```
 */
import { StarfishError } from '../messages/errors.ts'
import { eventCommand } from '../messages/event/status.ts'
import { closeWaitMs } from './clients/client-options.ts'
import { type ClientFigures, ConnectionPool } from './clients/connection-pool.ts'
import {
  checkRequest,
  type EventClientOptions,
  type EventRequestOptions,
  resolveEventClient,
} from './clients/event/event-client-options.ts'
import { eventWire } from './clients/event/event-wire.ts'
import { type EventAnswer, PendingEvent } from './clients/event/pending-event.ts'
import { sessionIds } from './clients/event/session-ids.ts'

/** What {@link EventClient.ping} tells. */
export interface Pong {
  /** The server's clock, ms since the epoch. */
  readonly serverTimeMs: number
  /** From the call to the answer, retries included. */
  readonly roundTripMs: number
}

/** A client of event servers. `await using` closes it. */
export interface EventClient extends AsyncDisposable {
  /**
   * Sends a command; answers the response, whose status is 0. `body` must not change until then.
   *
   * Rejects by the deadline at the latest, with a StarfishError that says by `handled` whether the command may have been
   * handled: REQUEST_TIMEOUT, REQUEST_ABORTED, CONNECT_FAILED, CONNECTION_LOST, CLIENT_CLOSED, OVERLOADED (too many wait
   * here), SERVER_OVERLOADED, SERVER_TIMEOUT, REQUEST_REFUSED, REQUEST_FAILED (the four that a status stands for, which is in
   * `details`), BAD_CONFIG.
   */
  request(command: number, body?: Uint8Array | string, options?: EventRequestOptions): Promise<EventAnswer>
  /** Asks for the body back. */
  echo(body: Uint8Array | string, options?: EventRequestOptions): Promise<Buffer>
  /** Asks for the server's time. */
  ping(options?: EventRequestOptions): Promise<Pong>
  /** Counts, and what it holds now. */
  stats(): ClientFigures
  /**
   * Takes no further request, waits for those that are open for up to `timeoutMs` (5,000), rejects the rest with
   * CLIENT_CLOSED and closes every connection. Settles when no handle is left. BAD_CONFIG for what is no number.
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>
}

/** Creates a client; it connects when it is first used. Throws BAD_CONFIG for options that cannot be used. */
export function createEventClient(options: EventClientOptions): EventClient {
  const config = resolveEventClient(options)
  const { servers, retry, raidaId, transport, clock, random } = config
  const nextSessionId = sessionIds(transport, random)
  const wire = eventWire(config, nextSessionId)
  const pool = new ConnectionPool({ servers, pool: config.pool, retry, wire, clock, random })

  function request(
    command: number,
    body: Uint8Array | string = noBody,
    options: EventRequestOptions = none,
  ): Promise<EventAnswer> {
    return new Promise((resolve, reject) => {
      const bytes = typeof body === 'string' ? Buffer.from(body) : body
      const fault = checkRequest(command, bytes, options, config)
      if (fault !== undefined) {
        reject(fault)
        return
      }
      const { timeoutMs, signal, sessionId, idempotent } = options
      const hasDrawnSession = sessionId === undefined
      const pending = new PendingEvent(
        { raidaId, command, sessionId: sessionId ?? nextSessionId(), hasDrawnSession, body: bytes },
        { timeoutMs: timeoutMs ?? config.timeoutMs, isIdempotent: idempotent ?? false },
        resolve,
        reject,
      )
      pool.requests.open(pending, signal)
    })
  }

  function close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    try {
      return pool.close(closeWaitMs(options))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  return {
    request,
    async echo(body, requestOptions) {
      return (await request(eventCommand.echo, body, { idempotent: true, ...requestOptions })).body
    },
    async ping(requestOptions) {
      const fromMs = clock.now()
      const { body } = await request(eventCommand.ping, noBody, { idempotent: true, ...requestOptions })
      return { serverTimeMs: readTime(body), roundTripMs: clock.now() - fromMs }
    },
    stats: () => pool.figures(),
    close,
    [Symbol.asyncDispose]: () => close(),
  }
}

const noBody = new Uint8Array(0)
const none: EventRequestOptions = {}

function readTime(body: Uint8Array): number {
  if (body.length === 8) return Number(Buffer.from(body.buffer, body.byteOffset, 8).readBigUInt64BE())
  throw new StarfishError('BAD_FRAME', `the answer to a ping has 8 bytes, not ${body.length}`, { handled: 'unknown' })
}
