/**
 * Connections to servers, and who gets which request. Knows no protocol: a {@link Wire} brings links and a greeting.
 *
 * ```
 *   OpenRequests ── send ──> round robin over servers that have a connection up
 *        ^                      └─ of its connections the one with the fewest in flight
 *        │                             └─ none has room: the request waits, more is dialed
 *        └── pump: a connection came up, answered, or its output left
 * ```
 * A server whose connection failed is tried again after a pause that grows, by one connection at a time, with a greeting
 * instead of a request. Connections that let a request wait in vain, or told it that there is no room, are passed over while
 * there are others. Where every server speaks another protocol, from its first connection on, requests do not wait for
 * their deadline.
 */
import { createClockTimers } from '../../actors/runtime/chart-timers.ts'
import type { Clock, Random } from '../../actors/runtime/clock.ts'
import type { StarfishError } from '../../messages/errors.ts'
import { serverName } from './client-options.ts'
import type { FailureRecord } from './failure-record.ts'
import type { ServerAddress, Wire } from './link.ts'
import { type Carrier, OpenRequests, type RequestFigures } from './open-requests.ts'
import type { PendingRequest } from './pending-request.ts'
import { leastLoaded, placeToDial } from './pool-decisions.ts'
import type { FilledPoolOptions } from './pool-options.ts'
import type { PooledServer, PoolPlane } from './pool-plane.ts'
import { expirePooled, PooledConnection } from './pooled-connection.ts'
import type { RetryPolicy } from './retry-policy.ts'
import { SizeDoubts } from './size-doubts.ts'

/** What a pool is made of. */
export interface ConnectionPoolOptions<R extends PendingRequest> {
  readonly servers: readonly ServerAddress[]
  readonly pool: FilledPoolOptions
  readonly retry: RetryPolicy
  readonly wire: Wire<R>
  readonly clock: Clock
  readonly random: Random
  /** Requests in flight on the connection that has the fewest, from which on another one is dialed. Default 1. */
  readonly crowdedAt?: number
  /** A connection that owes more answers than these that nobody waits for, and more than are waited for, is given up. Default: none is. */
  readonly abandonedMax?: number
}

/** A server as its client sees it. */
export interface PooledServerFigures {
  /** `host:port`. */
  readonly server: string
  /** Connections that are up. */
  readonly connections: number
  /** Requests that were sent and are not answered; the greeting of a connection is none. */
  readonly inFlight: number
  /** Failures in a row; 0 for a server that is well. */
  readonly failures: number
  /** The last connection that did not come up, or was lost; undefined while there was none. It stays when the server is well again. */
  readonly lastError: FailureRecord | undefined
}

/** What a client has done and holds. */
export interface ClientFigures extends RequestFigures {
  readonly servers: readonly PooledServerFigures[]
}

/** So many greetings in a row that are answered in another protocol are no accident. */
const strangeAnswersMax = 3

/** The pool. */
export class ConnectionPool<R extends PendingRequest> implements Carrier<R> {
  readonly requests: OpenRequests<R>
  readonly #servers: readonly PooledServer<R>[]
  readonly #crowdedAt: number
  #next = 0
  #links = 0
  #released: (() => void) | undefined
  #closed: Promise<void> | undefined

  constructor({ servers, pool, retry, wire, clock, random, ...limits }: ConnectionPoolOptions<R>) {
    const { crowdedAt = 1, abandonedMax = Number.POSITIVE_INFINITY } = limits
    this.#crowdedAt = crowdedAt
    const { queueRequestsMax, queueBytesMax, connectionsPerServer } = pool
    this.requests = new OpenRequests({ clock, random, retry, queueRequestsMax, queueBytesMax }, this)
    const plane: PoolPlane<R> = {
      options: pool,
      clock,
      random,
      wire,
      requests: this.requests,
      abandonedMax,
      timers: createClockTimers(clock, expirePooled),
      changed: connection => this.#changed(connection),
      linkOpened: () => {
        this.#links++
      },
      linkReleased: () => {
        this.#links--
        if (this.#links === 0) this.#released?.()
      },
    }
    this.#servers = servers.map(address => createServer(address, plane, connectionsPerServer))
  }

  send(request: R): boolean {
    const { course } = request
    const before = course?.carrier as PooledConnection<R> | undefined
    if (before !== undefined && before.inFlight > 0) {
      const isTaken = before.isUp && !before.isPaused && before.hasRoom(request.bytes)
      if (isTaken) before.send(request)
      return isTaken
    }
    const connection = this.#choose(request, true) ?? this.#choose(request, false)
    if (connection === undefined) {
      this.#dialAll()
      return false
    }
    if (course !== undefined) course.carrier = connection
    connection.send(request)
    return true
  }

  forget(request: R, isOverdue: boolean): void {
    ;(request.carrier as PooledConnection<R>).forget(request, isOverdue)
  }

  trouble(): StarfishError | undefined {
    if (this.#servers.some(({ connections }) => connections.some(({ isUp }) => isUp))) return undefined
    return this.#servers.find(({ trouble }) => trouble !== undefined)?.trouble
  }

  figures(): ClientFigures {
    return {
      ...this.requests.figures(),
      servers: this.#servers.map(({ name, connections, failures, lastError }) => ({
        server: name,
        connections: connections.filter(({ isUp }) => isUp).length,
        inFlight: connections.reduce((sum, { place, inFlight }) => sum + (place === 'trying' ? 0 : inFlight), 0),
        failures,
        lastError,
      })),
    }
  }

  /**
   * Takes no further request, lets those that are open come to their end for `timeoutMs`, and settles when no handle is
   * left. Requests that are still open then are rejected with CLIENT_CLOSED.
   */
  close(timeoutMs: number): Promise<void> {
    this.#closed ??= this.#close(timeoutMs)
    return this.#closed
  }

  async #close(timeoutMs: number): Promise<void> {
    await this.requests.close(timeoutMs)
    const released = new Promise<void>(resolve => {
      this.#released = resolve
    })
    for (const { connections } of this.#servers) {
      for (const connection of connections) {
        connection.isClosing = true
        // Nobody waits for what is still owed.
        connection.tell({ type: connection.inFlight === 0 ? 'connection.drain' : 'connection.destroy' })
      }
    }
    if (this.#links > 0) await released
  }

  #choose(request: R, isPicky: boolean): PooledConnection<R> | undefined {
    const servers = this.#servers
    for (let passed = 0; passed < servers.length; passed++) {
      const server = servers[this.#next]!
      this.#next = this.#next + 1 === servers.length ? 0 : this.#next + 1
      const connection = leastLoaded(server.connections, request.bytes, request.carrier, isPicky)
      if (server.mayDial && (connection === undefined || connection.inFlight >= this.#crowdedAt)) dial(server)
      if (connection !== undefined) return connection
    }
    return undefined
  }

  #dialAll(): void {
    for (const server of this.#servers) if (server.mayDial) dial(server)
  }

  #changed({ server, isClosing }: PooledConnection<R>): void {
    server.mayDial = !isClosing && placeToDial(server.connections) !== undefined
    if (this.#servers.every(({ strangeAnswers }) => strangeAnswers >= strangeAnswersMax)) {
      this.requests.rejectQueued(server.trouble!)
    }
    // Also when it is gone: what was to follow it may go another way now.
    if (!isClosing && this.requests.hasQueued) this.requests.pump()
  }
}

function createServer<R extends PendingRequest>(
  address: ServerAddress,
  plane: PoolPlane<R>,
  connectionsMax: number,
): PooledServer<R> {
  const server: PooledServer<R> = {
    address,
    name: serverName(address),
    connections: [],
    failures: 0,
    trouble: undefined,
    isKnown: false,
    strangeAnswers: 0,
    sizes: new SizeDoubts(),
    lastError: undefined,
    mayDial: true,
  }
  for (let n = 0; n < connectionsMax; n++) server.connections.push(new PooledConnection(server, plane))
  return server
}

function dial<R extends PendingRequest>(server: PooledServer<R>): void {
  placeToDial(server.connections)?.tell({ type: 'connection.dial' })
}
