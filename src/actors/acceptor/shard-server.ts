/**
 * The gate of one acceptor: who is let in, who is told to come back later, and where all are counted.
 */
import type { Socket } from 'node:net'
import type { ActorRuntime } from '../runtime/actor-runtime.ts'
import { type CreateConnections, notCounted } from '../serving/connections.ts'
import type { FrameProtocol } from '../serving/protocol.ts'
import type { AcceptorInput } from './config.ts'
import { openShardCounters } from './counters.ts'
import { createTlsGate } from './tls.ts'
import { admission } from './transitions.ts'

/** The serving side of an acceptor. */
export interface ShardServer {
  /** Takes a socket that nobody has read. */
  accept(socket: Socket): void
  /** Asks all connections to end; settles when none is left. */
  drain(): Promise<void>
  /** Ends all connections at once and gives back what they counted. */
  destroy(): void
}

/** Creates the serving side on this shard; nothing listens yet. `BAD_CONFIG` when its counters have no slot for the shard. */
export function createShardServer<C>(
  runtime: ActorRuntime,
  input: AcceptorInput,
  protocol: FrameProtocol,
  createConnections: CreateConnections<C>,
): ShardServer {
  const { limits, tls } = input
  const counters = openShardCounters(input.counters, Math.max(0, runtime.shard), limits)
  counters.reset()
  let refusals = 0
  let ended = false

  const connections = createConnections({
    runtime,
    protocol,
    limits,
    secure: tls !== undefined,
    ledger: {
      mayHold: counters.mayHold,
      held: counters.held,
      countRequests: counters.countRequests,
      countRefusal: counters.countRefusal,
      release(addressBucket) {
        if (addressBucket === notCounted) refusals--
        else if (!ended) counters.release(addressBucket)
      },
    },
  })
  const gate = tls === undefined ? undefined : createTlsGate(tls, connections.secure)

  return {
    accept(socket) {
      const address = socket.remoteAddress
      // Gone before it was looked at, or handed over after the end.
      if (address === undefined || ended) {
        socket.destroy()
        return
      }
      const addressBucket = counters.admit(address)
      const verdict = admission(addressBucket !== notCounted, refusals, limits)
      if (verdict !== 'serve') counters.refuse()
      if (verdict === 'drop') {
        counters.countRefusal('connectionsDropped')
        socket.resetAndDestroy()
        return
      }
      if (verdict === 'refuse') refusals++
      const connection = connections.open(socket, addressBucket)
      gate?.wrap(connection, socket)
    },
    drain: () => connections.drain(),
    destroy() {
      ended = true
      connections.destroy()
      counters.reset()
    },
  }
}
