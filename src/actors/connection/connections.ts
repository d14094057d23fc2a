/** The connections of one acceptor, as it is handed them. */
import type { Connections, ConnectionsOptions } from '../serving/connections.ts'
import { connectionChart } from './chart.ts'
import { createConnectionTimers } from './connection-timers.ts'
import { hostTableOf } from './host-table.ts'
import {
  connectionHooks,
  destroyConnection,
  drainConnection,
  drainConnections,
  expireConnection,
  openConnection,
  secureConnection,
} from './io.ts'
import { ConnectionPlane } from './plane.ts'
import type { Connection } from './record.ts'

/** Connections that can be looked at. */
export interface ConnectionTable extends Connections<Connection> {
  /** Every connection that is not closed, by its number, oldest first. */
  readonly table: ReadonlyMap<number, Connection>
}

/** Makes the connections of an acceptor; there is none yet. */
export function createConnections(options: ConnectionsOptions): ConnectionTable {
  const { runtime, protocol, limits, ledger, secure } = options
  const { clock, log } = runtime
  const drained = Promise.withResolvers<void>()
  let draining = false
  let toldToDrain = false

  const plane = new ConnectionPlane({
    protocol,
    limits,
    clock,
    log,
    chart: connectionChart(),
    timers: createConnectionTimers(clock, (record, slot) => expireConnection(record as Connection, slot)),
    hooks: connectionHooks,
    secure,
    ledger: {
      mayHold: ledger.mayHold,
      held: ledger.held,
      countRequests: ledger.countRequests,
      countRefusal: ledger.countRefusal,
      release(addressBucket) {
        ledger.release(addressBucket)
        noticeEmpty()
      },
    },
  })

  plane.reports = runtime.host(hostTableOf(plane))

  function noticeEmpty(): void {
    if (toldToDrain && plane.table.size === 0) drained.resolve()
  }

  return {
    open(socket, addressBucket) {
      const connection = openConnection(plane, socket, addressBucket)
      if (draining) drainConnection(connection)
      return connection
    },
    secure: secureConnection,
    drain() {
      draining = true
      afterFullTurn(() => {
        toldToDrain = true
        drainConnections(plane)
        noticeEmpty()
      })
      return drained.promise
    },
    destroy() {
      for (const connection of plane.table.values()) destroyConnection(connection)
    },
    table: plane.table,
  }
}

/**
 * Calls `then` after the event loop has polled its sockets once more, so that what had arrived when the drain was asked
 * for is served, not refused.
 */
function afterFullTurn(then: () => void): void {
  setImmediate(() => setImmediate(then))
}
