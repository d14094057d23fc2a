/** What a pool and its connections share. */
import type { Clock, Random } from '../../actors/runtime/clock.ts'
import type { ChartTimers } from '../../actors/runtime/compiled-chart.ts'
import type { StarfishError } from '../../messages/errors.ts'
import type { FailureRecord } from './failure-record.ts'
import type { ServerAddress, Wire } from './link.ts'
import type { OpenRequests } from './open-requests.ts'
import type { PendingRequest } from './pending-request.ts'
import type { FilledPoolOptions } from './pool-options.ts'
import type { PooledConnection } from './pooled-connection.ts'
import type { SizeDoubts } from './size-doubts.ts'

/** What the connections of a pool have in common. */
export interface PoolPlane<R extends PendingRequest> {
  readonly options: FilledPoolOptions
  readonly clock: Clock
  readonly random: Random
  readonly wire: Wire<R>
  readonly requests: OpenRequests<R>
  /** Answers that a connection may owe and nobody waits for, if no more are waited for. */
  readonly abandonedMax: number
  readonly timers: ChartTimers
  /** The chart of a connection has stepped. */
  changed(connection: PooledConnection<R>): void
  linkOpened(): void
  linkReleased(): void
}

/** A server of the pool. */
export interface PooledServer<R extends PendingRequest> {
  readonly address: ServerAddress
  /** `host:port`, for people. */
  readonly name: string
  readonly connections: PooledConnection<R>[]
  /** Connections in a row that failed, or ended without having served. */
  failures: number
  /** Why the last attempt to connect came to nothing. */
  trouble: StarfishError | undefined
  /** Whether a greeting was ever answered. */
  isKnown: boolean
  /** Greetings in a row that were answered out of grammar, while none was understood. */
  strangeAnswers: number
  /** Requests that may be larger than it takes. */
  readonly sizes: SizeDoubts
  /** The last connection that did not come up, or was lost. */
  lastError: FailureRecord | undefined
  /** Whether another connection may be dialed now. */
  mayDial: boolean
}
