/** Options of the event client, checked and filled once, and the check of each request. */
import { type ConnectionOptions, createSecureContext } from 'node:tls'
import type { Clock, Random } from '../../../actors/runtime/clock.ts'
import { StarfishError } from '../../../messages/errors.ts'
import { EVENT_COOKIE_BYTES } from '../../../messages/event/cookie.ts'
import { EVENT_BODY_BYTES_MAX, EVENT_HEADER_BYTES } from '../../../messages/event/status.ts'
import {
  badOption,
  checkNumber,
  fillNumbers,
  readServers,
  type ServersOption,
  timerMsMax,
  waitRange,
} from '../client-options.ts'
import type { ServerAddress } from '../link.ts'
import { type FilledPoolOptions, type PoolOptions, poolDefaults, resolvePoolOptions } from '../pool-options.ts'
import { type RetryOptions, type RetryPolicy, resolveRetryPolicy } from '../retry-policy.ts'
import type { PendingEvent } from './pending-event.ts'

/** Options that do not depend on the transport. */
export interface EventClientCommonOptions {
  /** The id that the servers go by, 0 to 255. Default 0. */
  readonly raidaId?: number
  /** Deadline of a request that names none, ms. Longer than the servers' own (10,000), so that theirs is heard of. Default 15,000. */
  readonly timeoutMs?: number
  readonly retry?: RetryOptions
  readonly pool?: PoolOptions
  /** Where time and chance come from; tests bring their own. */
  readonly clock?: Clock
  readonly random?: Random
}

/** Options of a client that uses TCP. */
export interface EventClientTcpOptions extends EventClientCommonOptions {
  readonly transport?: 'tcp'
  /** TLS, with Node's own options (`ca`, `cert`, `key`, `servername`, …). Plain TCP when left out. */
  readonly tls?: ConnectionOptions
  /** The largest body that is sent: the servers' limit, since a larger one costs the connection. Default 65,536. */
  readonly bodyBytesMax?: number
  /** The largest body of an answer; one that declares more ends the connection. Default 16 MiB. */
  readonly answerBytesMax?: number
}

/** Options of a client that uses UDP. */
export interface EventClientUdpOptions extends EventClientCommonOptions {
  readonly transport: 'udp'
  readonly resend?: ResendOptions
  /** The largest datagram that is sent; bodies are 32 bytes smaller, for the header and a cookie. Default 1,232. */
  readonly datagramBytesMax?: number
}

/** When a datagram that is not answered is sent again. Intervals are half to whole of what is said, by chance. */
export interface ResendOptions {
  /** The first interval, ms. Default 50. */
  readonly initialMs?: number
  /** The longest; each is twice the one before. Default 1,000. */
  readonly maxMs?: number
}

/** Options of `createEventClient`. */
export type EventClientOptions = ServersOption & (EventClientTcpOptions | EventClientUdpOptions)

/** {@link EventClientOptions}, checked and filled in. */
export interface EventClientConfig {
  readonly transport: 'tcp' | 'udp'
  readonly servers: readonly ServerAddress[]
  readonly raidaId: number
  readonly timeoutMs: number
  readonly retry: RetryPolicy
  readonly pool: FilledPoolOptions
  readonly tls: ConnectionOptions | undefined
  readonly bodyBytesMax: number
  readonly answerBytesMax: number
  readonly resend: Required<ResendOptions>
}

/** Nobody waits for long on a server that is silent over UDP: its requests go to another one. */
const udpPoolDefaults: FilledPoolOptions = { ...poolDefaults, connectionsPerServer: 1, silenceTimeoutMs: 3_000 }

const resendDefaults: Required<ResendOptions> = { initialMs: 50, maxMs: 1_000 }
const resendRanges = { initialMs: waitRange, maxMs: waitRange }

const known: ReadonlySet<string> = new Set([
  ...['servers', 'host', 'port', 'raidaId', 'timeoutMs', 'retry', 'pool', 'clock', 'random', 'transport'],
])
const knownOf: Readonly<Record<'tcp' | 'udp', ReadonlySet<string>>> = {
  tcp: new Set(['tls', 'bodyBytesMax', 'answerBytesMax']),
  udp: new Set(['resend', 'datagramBytesMax']),
}

const wholeU32 = { least: 0, most: 0xffff_ffff }

/** Checks and fills options. `BAD_CONFIG` names the one that cannot be used. */
export function resolveEventClient(options: EventClientOptions): EventClientConfig {
  const { transport = 'tcp' } = options
  if (transport !== 'tcp' && transport !== 'udp') throw badOption('transport', transport, "'tcp' or 'udp'")
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || known.has(name) || knownOf[transport].has(name)) continue
    throw badOption(name, value, `left out: a client over ${transport} has no such option`)
  }
  const { tls, bodyBytesMax, answerBytesMax } = options as EventClientTcpOptions
  const { resend, datagramBytesMax } = options as EventClientUdpOptions
  const overheadBytes = EVENT_HEADER_BYTES + EVENT_COOKIE_BYTES
  const datagramRange = { least: overheadBytes, most: 65_507 }
  if (tls !== undefined) checkTls(tls)
  return {
    transport,
    servers: readServers(options),
    raidaId: checkNumber('raidaId', options.raidaId ?? 0, { least: 0, most: 255 }),
    timeoutMs: checkNumber('timeoutMs', options.timeoutMs ?? 15_000, waitRange),
    retry: resolveRetryPolicy(options.retry),
    pool: resolvePoolOptions(options.pool, transport === 'tcp' ? poolDefaults : udpPoolDefaults),
    tls,
    bodyBytesMax:
      transport === 'tcp'
        ? checkNumber('bodyBytesMax', bodyBytesMax ?? EVENT_BODY_BYTES_MAX, wholeU32)
        : checkNumber('datagramBytesMax', datagramBytesMax ?? 1_232, datagramRange) - overheadBytes,
    answerBytesMax: checkNumber('answerBytesMax', answerBytesMax ?? 16_777_216, wholeU32),
    resend: fillNumbers('resend', resend, resendDefaults, resendRanges),
  }
}

/** Throws `BAD_CONFIG` for certificates that cannot be used, before anything is dialed. */
function checkTls(tls: ConnectionOptions): void {
  try {
    createSecureContext(tls)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new StarfishError('BAD_CONFIG', `tls: it cannot be used: ${reason}`, {
      details: { option: 'tls', reason },
      cause,
    })
  }
}

/** What is wrong with a request, if anything is: it is not sent. */
export function checkRequest(request: PendingEvent, { bodyBytesMax }: EventClientConfig): StarfishError | undefined {
  const { command, sessionId, timeoutMs, body } = request
  if (!Number.isInteger(command) || command < 0 || command > 0xffff) {
    return badRequest('command', command, 'a whole number from 0 to 65535')
  }
  if (sessionId >>> 0 !== sessionId) return badRequest('sessionId', sessionId, 'a whole number from 0 to 4294967295')
  if (!(timeoutMs > 0 && timeoutMs <= timerMsMax)) {
    return badRequest('timeoutMs', timeoutMs, `above 0 and up to ${timerMsMax}`)
  }
  if (!(body instanceof Uint8Array)) return badRequest('body', body, 'a Uint8Array or a string')
  if (body.length <= bodyBytesMax) return undefined
  const text = `${request.describe()} was not sent: its body has ${body.length} bytes, more than ${bodyBytesMax}`
  const details = { command, sessionId, bodyBytes: body.length, bodyBytesMax }
  return new StarfishError('REQUEST_REFUSED', text, { details, handled: 'no' })
}

function badRequest(option: string, value: unknown, wanted: string): StarfishError {
  const { code, message, details } = badOption(option, value, wanted)
  return new StarfishError(code, message, { details, handled: 'no' })
}
