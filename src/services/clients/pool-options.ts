/** Options of a connection pool: limits and waits, all numbers, checked and filled once. */
import type { Faults } from '../../messages/option-faults.ts'
import { countRange, fillNumbers, type NumberRange, waitRange } from './client-options.ts'

/** What every client may say about its connections and queues. */
export interface PoolOptions {
  /** Connections to one server at most; another is dialed when all that are up have something in flight. Default 2, of a client of the log 1. */
  readonly connectionsPerServer?: number
  /** Requests in flight on one connection; more wait. Default 1,024. */
  readonly inFlightMax?: number
  /** Requests that may wait for a connection; one more is rejected with OVERLOADED. Default 10,000. */
  readonly queueRequestsMax?: number
  /** Bytes of those. Default 64 MiB. */
  readonly queueBytesMax?: number
  /** Output of one connection that may wait for the kernel; beyond it requests wait instead. Default 256 KiB, of a client of the log 1 MiB. */
  readonly outputHighWaterBytes?: number
  /** From the dial to the answer of the greeting, TLS handshake included. Default 5,000. */
  readonly connectTimeoutMs?: number
  /** How long a connection is kept that nobody uses. Less than the server's own (60,000), so that no request meets its FIN. Default 30,000. */
  readonly idleTimeoutMs?: number
  /** How long nothing may come while something is in flight, before the connection is given up. Longer than any command takes. Default 20,000. */
  readonly silenceTimeoutMs?: number
  /** How long a connection gets no request after its server had no room for one. Longer than a server that drains waits for silence (250). Default 500. */
  readonly overloadPauseMs?: number
  /** TCP: silence before the kernel asks whether the server is alive. Default 60,000. */
  readonly keepAliveIdleMs?: number
  /** The longest pause before a server that failed is tried again, for the first time; each further one is twice as long, with full jitter. Default 50. */
  readonly backoffInitialMs?: number
  /** The longest pause of all. Default 5,000. */
  readonly backoffMaxMs?: number
}

/** {@link PoolOptions}, filled in. */
export type FilledPoolOptions = Required<PoolOptions>

/** The options of a pool that was told nothing else. */
export const poolDefaults: FilledPoolOptions = {
  connectionsPerServer: 2,
  inFlightMax: 1_024,
  queueRequestsMax: 10_000,
  queueBytesMax: 67_108_864,
  outputHighWaterBytes: 262_144,
  connectTimeoutMs: 5_000,
  idleTimeoutMs: 30_000,
  silenceTimeoutMs: 20_000,
  overloadPauseMs: 500,
  keepAliveIdleMs: 60_000,
  backoffInitialMs: 50,
  backoffMaxMs: 5_000,
}

const ranges: Readonly<Record<keyof PoolOptions, NumberRange>> = {
  connectionsPerServer: { least: 1, most: 1_024 },
  inFlightMax: countRange,
  queueRequestsMax: { least: 0, most: Number.MAX_SAFE_INTEGER },
  queueBytesMax: { least: 0, most: Number.MAX_SAFE_INTEGER },
  outputHighWaterBytes: countRange,
  connectTimeoutMs: waitRange,
  idleTimeoutMs: waitRange,
  silenceTimeoutMs: waitRange,
  overloadPauseMs: waitRange,
  keepAliveIdleMs: { least: 1_000, most: waitRange.most },
  backoffInitialMs: waitRange,
  backoffMaxMs: waitRange,
}

/** Fills options, with `defaults` that suit the transport, and checks them. */
export function resolvePoolOptions(
  options: PoolOptions | undefined,
  defaults: FilledPoolOptions,
  faults: Faults,
): FilledPoolOptions {
  return fillNumbers('pool', options, { defaults, ranges }, faults)
}
