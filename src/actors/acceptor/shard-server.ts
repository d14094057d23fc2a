/**
 * The connections of one acceptor: who is let in, who is told to come back later, and how all of them end.
 */
import type { Socket } from 'node:net'
import { connectionChart } from '../connection/chart.ts'
import { createConnectionTimers } from '../connection/connection-timers.ts'
import {
  connectionHooks,
  destroyConnection,
  drainConnection,
  drainConnections,
  expireConnection,
  openConnection,
  secureConnection,
} from '../connection/io.ts'
import { ConnectionPlane } from '../connection/plane.ts'
import type { FrameProtocol } from '../connection/protocol.ts'
import type { Connection } from '../connection/record.ts'
import type { ActorRuntime } from '../runtime/actor-runtime.ts'
import type { AcceptorInput } from './config.ts'
import { openShardCounters } from './counters.ts'
import { createTlsGate } from './tls.ts'
import { admission } from './transitions.ts'

/** The serving side of an acceptor. */
export interface ShardServer {
  /** Takes a socket that nobody has read. */
  accept(socket: Socket): void
  /** Asks all connections to end; `onDrained` is called once, when none is left. */
  drain(onDrained: () => void): void
  /** Ends all connections at once and gives back what they counted. */
  destroy(): void
  readonly connections: ReadonlySet<Connection>
}

/** Creates the serving side on this shard; nothing listens yet. `BAD_CONFIG` when its counters have no slot for the shard. */
export function createShardServer(runtime: ActorRuntime, input: AcceptorInput, protocol: FrameProtocol): ShardServer {
  const { limits } = input
  const counters = openShardCounters(input.counters, Math.max(0, runtime.shard), limits)
  counters.reset()
  let refusals = 0
  let draining = false
  let ended = false
  let onEmpty: (() => void) | undefined

  const plane = new ConnectionPlane({
    protocol,
    limits,
    clock: runtime.clock,
    log: runtime.log,
    chart: connectionChart(),
    timers: createConnectionTimers(runtime.clock, (record, slot) => expireConnection(record as Connection, slot)),
    hooks: connectionHooks,
    secure: input.tls !== undefined,
    ledger: {
      mayHold: counters.mayHold,
      held: counters.held,
      countRequests: counters.countRequests,
      release(connection) {
        if (connection.mode === 'refusing') refusals--
        else if (!ended) counters.release(connection.addressBucket)
        tellWhenEmpty()
      },
    },
  })
  const gate = input.tls === undefined ? undefined : createTlsGate(input.tls, secureConnection)

  function tellWhenEmpty(): void {
    if (plane.table.size > 0 || onEmpty === undefined) return
    const tell = onEmpty
    onEmpty = undefined
    tell()
  }

  function accept(socket: Socket): void {
    const address = socket.remoteAddress
    // Gone before it was looked at, or handed over after the end.
    if (address === undefined || ended) {
      socket.destroy()
      return
    }
    const bucket = counters.admit(address)
    const verdict = admission(bucket >= 0, refusals, limits)
    if (verdict !== 'serve') counters.refuse()
    if (verdict === 'drop') {
      socket.resetAndDestroy()
      return
    }
    if (verdict === 'refuse') refusals++
    const connection = openConnection(plane, socket, verdict === 'refuse' ? 'refusing' : 'serving', bucket)
    gate?.wrap(connection, socket)
    if (draining) drainConnection(connection)
  }

  return {
    accept,
    drain(onDrained) {
      draining = true
      afterFullTurn(() => {
        onEmpty = onDrained
        drainConnections(plane)
        tellWhenEmpty()
      })
    },
    destroy() {
      ended = true
      for (const connection of plane.table) destroyConnection(connection)
      counters.reset()
    },
    connections: plane.table,
  }
}

/**
 * Calls `then` after the event loop has polled its sockets once more, so that what had arrived when the drain was asked
 * for is served, not refused.
 */
function afterFullTurn(then: () => void): void {
  setImmediate(() => setImmediate(then))
}
