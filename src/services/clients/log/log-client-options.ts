/** Options of the log client, checked and filled once. */
import type { ConnectionOptions } from 'node:tls'
import { type Clock, type Random, systemClock } from '../../../actors/runtime/clock.ts'
import { LOG_FRAME_BYTES_MAX } from '../../../messages/log/codes.ts'
import { createFaults, type Faults, show } from '../../../messages/option-faults.ts'
import { checkNumber, checkTls, readServer, readServerList, type ServerOption, waitRange } from '../client-options.ts'
import type { ServerAddress } from '../link.ts'
import { type FilledPoolOptions, type PoolOptions, poolDefaults, resolvePoolOptions } from '../pool-options.ts'
import { type RetryOptions, type RetryPolicy, resolveRetryPolicy } from '../retry-policy.ts'

/** Options of `createLogClient`. */
export interface LogClientOptions {
  /** Where the log is served: `host:port`, or several servers of one log. */
  readonly brokers: ServerOption | readonly ServerOption[]
  /** Deadline of a request that names none, ms. Longer than the servers' own, so that theirs is heard of. Default 15,000. */
  readonly timeoutMs?: number
  /** The largest request that is sent, and answer that is read, in bytes of its length: the limit of the servers. Default 16 MiB. */
  readonly frameBytesMax?: number
  /** TLS, with Node's own options (`ca`, `cert`, `key`, `servername`, …). Plain TCP when left out. */
  readonly tls?: ConnectionOptions
  /** When a request that failed is tried again, and how often. Defaults: {@link RetryOptions}. */
  readonly retry?: RetryOptions
  /** Connections, queues and waits. Defaults: {@link PoolOptions}; long polls have connections beside those. */
  readonly pool?: PoolOptions
  /** Where time comes from; tests bring `createVirtualClock()`. Default `systemClock`. */
  readonly clock?: Clock
  /** Where chance comes from: pauses, and partitions of messages without key; tests bring `createRandom(seed)`. Default `Math.random`. */
  readonly random?: Random
}

/** {@link LogClientOptions}, checked and filled in. */
export interface LogClientConfig {
  readonly servers: readonly ServerAddress[]
  readonly timeoutMs: number
  readonly frameBytesMax: number
  readonly tls: ConnectionOptions | undefined
  readonly retry: RetryPolicy
  readonly pool: FilledPoolOptions
  readonly clock: Clock
  readonly random: Random
}

const names = ['brokers', 'timeoutMs', 'frameBytesMax', 'tls', 'retry', 'pool', 'clock', 'random'] as const

/** The pool of a log client that was told nothing else. One connection a server: order asks for no more. */
export const logPoolDefaults: FilledPoolOptions = {
  ...poolDefaults,
  connectionsPerServer: 1,
  outputHighWaterBytes: 1_048_576,
}

/** Numbers that a client was not told. */
export const logClientDefaults = { timeoutMs: 15_000, frameBytesMax: LOG_FRAME_BYTES_MAX } as const

/** What stands for all options: the address of the only broker. */
function isAddress(options: LogClientOptions | ServerOption): options is ServerOption {
  if (typeof options !== 'object' || options === null) return typeof options === 'string'
  return 'port' in options && !('brokers' in options)
}

/** Checks and fills options; a plain address stands for the only broker. `BAD_CONFIG` names all that cannot be used. */
export function resolveLogClient(options: LogClientOptions | ServerOption): LogClientConfig {
  const subject = 'the log client cannot be created'
  const faults = createFaults()
  const given: LogClientOptions = isAddress(options) ? { brokers: options } : options
  if (!faults.options('', given, names)) faults.throwIfAny('BAD_CONFIG', subject)
  const { brokers, tls, retry, pool, clock = systemClock, random = Math.random } = given
  const { timeoutMs = logClientDefaults.timeoutMs, frameBytesMax = logClientDefaults.frameBytesMax } = given
  checkNumber('timeoutMs', timeoutMs, waitRange, faults)
  checkNumber('frameBytesMax', frameBytesMax, { least: 1_024, most: 0x7fff_ffff }, faults)
  if (tls !== undefined) checkTls(tls, faults)
  const config: LogClientConfig = {
    servers: readBrokers(brokers, faults),
    timeoutMs,
    frameBytesMax,
    tls,
    retry: resolveRetryPolicy(retry, faults),
    pool: resolvePoolOptions(pool, logPoolDefaults, faults),
    clock,
    random,
  }
  faults.throwIfAny('BAD_CONFIG', subject)
  return config
}

function readBrokers(brokers: LogClientOptions['brokers'], faults: Faults): readonly ServerAddress[] {
  if (Array.isArray(brokers)) return readServerList('brokers', brokers, faults)
  if (typeof brokers === 'string' || (typeof brokers === 'object' && brokers !== null)) {
    return [readServer('brokers', brokers as ServerOption, faults)]
  }
  faults.add('brokers', `is ${show(brokers)}, not host:port, { host, port }, or a list of them`)
  return []
}
