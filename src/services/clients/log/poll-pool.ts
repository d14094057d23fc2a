/**
 * The connections of a client that long polls go by, and nothing else: what a server answers only when there is something to tell
 * would take the seats of requests that it answers at once.
 *
 * ```
 *   requests ─> pool of the client
 *   polls ────> pool of their own: a connection more whenever all are half full, 4 for a server at most
 * ```
 * When there are more partitions to be watched than seats, they take turns: a poll waits in line for a seat, and no poll keeps one
 * for more than a second. A poll cannot be called back but by the end of its connection: one that owes too many answers that nobody waits
 * for is closed, and the polls that are waited for are sent again.
 */
import type { ClientFigures, ConnectionPoolOptions, PooledServerFigures } from '../connection-pool.ts'
import type { PendingRequest } from '../pending-request.ts'

/** Connections to one server at most. */
export const pollConnectionsMax = 4

/** How long a poll may keep its seat when others wait for one, ms. */
export const sharedSeatMs = 1_000

/** The options of the pool for polls, from those of the pool of the same client. */
export function pollPoolOptions<R extends PendingRequest>(options: ConnectionPoolOptions<R>): ConnectionPoolOptions<R> {
  const pool = {
    ...options.pool,
    connectionsPerServer: pollConnectionsMax,
    // Who polls has one poll at a time for each partition.
    queueRequestsMax: Number.MAX_SAFE_INTEGER,
    queueBytesMax: Number.MAX_SAFE_INTEGER,
  }
  const { inFlightMax } = pool
  return { ...options, pool, crowdedAt: Math.ceil(inFlightMax / 2), abandonedMax: Math.floor(inFlightMax / 16) }
}

/** How long a poll may wait that wants to wait for `maxWaitMs`, when `partitions` are watched. One server may be all there is. */
export function pollWaitMs(maxWaitMs: number, partitions: number, inFlightMax: number): number {
  return partitions > pollConnectionsMax * inFlightMax ? Math.min(maxWaitMs, sharedSeatMs) : maxWaitMs
}

/** The figures of a client, from those of its pools, which have the same servers. */
export function sumFigures(requests: ClientFigures, polls: ClientFigures): ClientFigures {
  const sum = (name: keyof Omit<ClientFigures, 'servers'>): number => requests[name] + polls[name]
  return {
    requests: sum('requests'),
    answered: sum('answered'),
    failed: sum('failed'),
    retries: sum('retries'),
    open: sum('open'),
    queued: sum('queued'),
    queuedBytes: sum('queuedBytes'),
    servers: requests.servers.map((one, index) => sumServer(one, polls.servers[index]!)),
  }
}

function sumServer(one: PooledServerFigures, other: PooledServerFigures): PooledServerFigures {
  const connections = one.connections + other.connections
  // A pool that nobody uses does not notice that its server is back.
  const failures = connections > 0 ? Math.min(one.failures, other.failures) : Math.max(one.failures, other.failures)
  const isOneLater = (one.lastError?.atMs ?? 0) > (other.lastError?.atMs ?? 0)
  return {
    server: one.server,
    connections,
    inFlight: one.inFlight + other.inFlight,
    failures,
    lastError: isOneLater ? one.lastError : other.lastError,
  }
}
