/** Options of the event client, checked and filled once, and the check of each request. */
import type { ConnectionOptions } from 'node:tls'
import { type Clock, type Random, systemClock } from '../../../actors/runtime/clock.ts'
import { StarfishError } from '../../../messages/errors.ts'
import { EVENT_COOKIE_BYTES } from '../../../messages/event/cookie.ts'
import { EVENT_BODY_BYTES_MAX, EVENT_HEADER_BYTES } from '../../../messages/event/status.ts'
import { createFaults, type OptionFault, show } from '../../../messages/option-faults.ts'
import {
  checkNumber,
  checkTls,
  fillNumbers,
  notSent,
  readServers,
  type ServersOption,
  timerMsMax,
  waitRange,
} from '../client-options.ts'
import type { ServerAddress } from '../link.ts'
import { type FilledPoolOptions, type PoolOptions, poolDefaults, resolvePoolOptions } from '../pool-options.ts'
import { type RetryOptions, type RetryPolicy, resolveRetryPolicy } from '../retry-policy.ts'

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
  /**
   * For servers that end a connection after its first answer, as their option of this name has it: each request gets a
   * connection of its own, which is not greeted. Default false.
   */
  readonly oneRequestPerConnection?: boolean
  /** For UDP only. */
  readonly resend?: never
  readonly datagramBytesMax?: never
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
  readonly oneRequestPerConnection: boolean
  readonly resend: Required<ResendOptions>
  readonly clock: Clock
  readonly random: Random
}

/** Nobody waits for long on a server that is silent over UDP: its requests go to another one. */
const udpPoolDefaults: FilledPoolOptions = { ...poolDefaults, connectionsPerServer: 1, silenceTimeoutMs: 3_000 }

const resendNumbers = {
  defaults: { initialMs: 50, maxMs: 1_000 },
  ranges: { initialMs: waitRange, maxMs: waitRange },
}

const common = ['servers', 'host', 'port', 'raidaId', 'timeoutMs', 'retry', 'pool', 'clock', 'random', 'transport']
const known = {
  tcp: [...common, 'tls', 'bodyBytesMax', 'answerBytesMax', 'oneRequestPerConnection'],
  udp: [...common, 'resend', 'datagramBytesMax'],
}

const u32Range = { least: 0, most: 0xffff_ffff }
const overheadBytes = EVENT_HEADER_BYTES + EVENT_COOKIE_BYTES
const datagramRange = { least: overheadBytes, most: 65_507 }

/** Checks and fills options. `BAD_CONFIG` names all that cannot be used. */
export function resolveEventClient(options: EventClientOptions): EventClientConfig {
  const subject = 'the event client cannot be created'
  const faults = createFaults()
  const isUdp = options?.transport === 'udp'
  if (!faults.options('', options, known[isUdp ? 'udp' : 'tcp'])) faults.throwIfAny('BAD_CONFIG', subject)
  const { clock = systemClock, random = Math.random } = options
  const { transport = 'tcp', raidaId = 0, timeoutMs = 15_000, retry, pool } = options
  const { tls, bodyBytesMax = EVENT_BODY_BYTES_MAX, answerBytesMax = 16_777_216 } = options as EventClientTcpOptions
  const { oneRequestPerConnection = false } = options as EventClientTcpOptions
  const { resend, datagramBytesMax = 1_232 } = options as EventClientUdpOptions
  faults.oneOf('transport', transport, ['tcp', 'udp'])
  checkNumber('raidaId', raidaId, { least: 0, most: 255 }, faults)
  checkNumber('timeoutMs', timeoutMs, waitRange, faults)
  checkNumber('bodyBytesMax', bodyBytesMax, u32Range, faults)
  checkNumber('answerBytesMax', answerBytesMax, u32Range, faults)
  checkNumber('datagramBytesMax', datagramBytesMax, datagramRange, faults)
  faults.boolean('oneRequestPerConnection', oneRequestPerConnection)
  if (tls !== undefined) checkTls(tls, faults)
  const config: EventClientConfig = {
    transport,
    servers: readServers(options, faults),
    raidaId,
    timeoutMs,
    retry: resolveRetryPolicy(retry, faults),
    pool: resolvePoolOptions(pool, isUdp ? udpPoolDefaults : poolDefaults, faults),
    tls,
    bodyBytesMax: isUdp ? datagramBytesMax - overheadBytes : bodyBytesMax,
    answerBytesMax,
    oneRequestPerConnection,
    resend: fillNumbers('resend', resend, resendNumbers, faults),
    clock,
    random,
  }
  faults.throwIfAny('BAD_CONFIG', subject)
  return config
}

/** Options of one request. */
export interface EventRequestOptions {
  /** Deadline over all attempts, ms from now. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Comes to the handler, and back in the answer: u32. One of the client's own when left out. */
  readonly sessionId?: number
  /**
   * Handling it twice does no harm: it is tried again also when it may have been handled. Default false. Over UDP a datagram
   * that is not answered is repeated whatever it is; a request that its server answered to have given up (7) is not.
   */
  readonly idempotent?: boolean
}

const requestOptionNames = ['timeoutMs', 'signal', 'sessionId', 'idempotent'] satisfies (keyof EventRequestOptions)[]
const isRequestOption = (name: string): boolean => (requestOptionNames as string[]).includes(name)

/** What is wrong with a request, if anything is: it is not sent. */
export function checkRequest(
  command: unknown,
  body: unknown,
  options: EventRequestOptions,
  { bodyBytesMax }: EventClientConfig,
): StarfishError | undefined {
  if (typeof options !== 'object' || options === null || !Object.keys(options).every(isRequestOption)) {
    return badOptions(options)
  }
  const { sessionId, timeoutMs, signal, idempotent } = options
  if (!isWhole(command, 0xffff)) return badRequest('command', command, 'a u16')
  if (sessionId !== undefined && !isWhole(sessionId, 0xffff_ffff)) return badRequest('sessionId', sessionId, 'a u32')
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs > 0 && timeoutMs <= timerMsMax)) {
    return badRequest('timeoutMs', timeoutMs, `a number above 0 and up to ${timerMsMax}`)
  }
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    return badRequest('signal', signal, 'an AbortSignal')
  }
  if (idempotent !== undefined && typeof idempotent !== 'boolean') {
    return badRequest('idempotent', idempotent, 'true or false')
  }
  if (!(body instanceof Uint8Array)) return badRequest('body', body, 'a Uint8Array or a string')
  if (body.length <= bodyBytesMax) return undefined
  const text = `command ${command} was not sent: its body has ${body.length} bytes, more than ${bodyBytesMax}`
  const details = { command, bodyBytes: body.length, bodyBytesMax }
  return new StarfishError('REQUEST_REFUSED', text, { details, handled: 'no' })
}

function isWhole(value: unknown, most: number): value is number {
  return typeof value === 'number' && value >>> 0 === value && value <= most
}

function badOptions(options: unknown): StarfishError {
  const found: OptionFault[] = []
  createFaults('', found).options('', options, requestOptionNames)
  return notSent(found)
}

function badRequest(option: string, value: unknown, wanted: string): StarfishError {
  return notSent([{ path: option, reason: `is ${show(value)}, not ${wanted}` }])
}
