/** The connections of an acceptor as actors: `events/s0/c7` can be listed, looked at, told to close and killed. */
import type { ActorEvent } from '../runtime/actor-runtime.ts'
import type { HostedState, HostTable } from '../runtime/hosted-actors.ts'
import type { FrameDescription } from '../serving/protocol.ts'
import { destroyConnection, drainConnection } from './io.ts'
import type { ConnectionPlane } from './plane.ts'
import type { Connection } from './record.ts'

/** Told to a connection: answer what was received, refuse what still comes, end. */
export interface ConnectionClose extends ActorEvent {
  readonly type: 'connection.close'
}

/** What is known of a connection: what `inspect()` of its ref answers as context. */
export interface ConnectionDetails {
  readonly peerAddress: string
  readonly peerPort: number
  readonly openForMs: number
  /** Since the last byte came. */
  readonly silentForMs: number
  readonly bytesRead: number
  readonly bytesWritten: number
  /** The frame that has not come whole: how much of it has, of how much; 0 and 0 between two frames. */
  readonly frameBytesHave: number
  readonly frameBytesNeeded: number
  /**
   * The request in hand, by the fields of its header (session and command, with the event protocol): the oldest that waits
   * for its handler, else the one whose body is coming; undefined when there is none.
   */
  readonly request: FrameDescription | undefined
  /** Requests that wait for their handler. */
  readonly requestsInFlight: number
  /** Answers that wait for the peer, or for an older answer. */
  readonly outputBytesWaiting: number
  /** `overloaded`: it drains; `refusing`: it is over a limit. */
  readonly mode: 'serving' | 'overloaded' | 'refusing'
}

/** The table of a plane's connections. */
export function hostTableOf(plane: ConnectionPlane): HostTable {
  const find = (id: string): Connection | undefined =>
    /^c[1-9]\d*$/.test(id) ? plane.table.get(Number(id.slice(1))) : undefined
  return {
    definition: 'connection',
    moduleUrl: import.meta.url,
    get size() {
      return plane.table.size
    },
    *ids() {
      for (const connection of plane.table.values()) yield connection.id
    },
    look(id) {
      const connection = find(id)
      return connection === undefined ? undefined : stateOf(plane, connection)
    },
    tell(id, event) {
      const connection = find(id)
      if (connection === undefined || event.type !== 'connection.close') return false
      drainConnection(connection)
      return true
    },
    kill(id) {
      const connection = find(id)
      if (connection === undefined) return false
      destroyConnection(connection)
      return true
    },
  }
}

function stateOf(plane: ConnectionPlane, connection: Connection): HostedState {
  const { chart, socket, partial, requestHeader } = connection
  const nowMs = plane.nowMs()
  const context: ConnectionDetails = {
    peerAddress: connection.peerAddress,
    peerPort: socket.remotePort ?? 0,
    openForMs: nowMs - connection.openedAtMs,
    silentForMs: nowMs - connection.activeAtMs,
    bytesRead: socket.bytesRead,
    bytesWritten: socket.bytesWritten,
    frameBytesHave: partial?.arrivedBytes ?? 0,
    frameBytesNeeded: partial?.needBytes ?? 0,
    request: requestHeader === undefined ? undefined : plane.protocol.describe(requestHeader, 0),
    requestsInFlight: connection.inFlight,
    outputBytesWaiting: connection.waitingOutputBytes,
    mode: connection.mode,
  }
  return { value: chart === undefined ? undefined : plane.chart.valueOf(chart), context }
}
