/**
 * The seam between an acceptor, which knows where sockets come from and how many there may be, and the connections, which
 * know what is done with one. Neither knows the other: a service puts them together.
 */
import type { Socket } from 'node:net'
import type { ServerLimits } from '../../messages/limits.ts'
import type { ActorRuntime } from '../runtime/actor-runtime.ts'
import type { FrameProtocol } from './protocol.ts'
import type { RefusalKind } from './refusals.ts'

/** The connections of one acceptor. */
export interface Connections<C> {
  /**
   * Takes a socket that nobody has read and whose address is counted in `addressBucket`; with {@link notCounted} it is
   * told that there is no room. With `secure`, {@link Connections.secure} must follow.
   */
  open(socket: Socket, addressBucket: number): C
  /** Goes on with the decrypted side of the socket once its handshake is done. */
  secure(connection: C, socket: Socket): void
  /** Asks all of them, and those that come later, to end in good order; settles when none is left. */
  drain(): Promise<void>
  /** Ends all of them at once. */
  destroy(): void
}

/** The bucket of a connection that is over a limit. */
export const notCounted = -1

/** Where connections are counted: for the whole server, whatever its shards. */
export interface ConnectionLedger {
  /** Takes `bytes` of the server's room for unfinished bodies; false when there is none left. */
  mayHold(bytes: number): boolean
  /** Sets by how much what this shard holds has changed. */
  held(changeBytes: number): void
  /** Adds to the requests of this shard. */
  countRequests(count: number): void
  /** Adds one to what this shard has refused. */
  countRefusal(kind: RefusalKind): void
  /** A connection that was opened with this bucket is over. */
  release(addressBucket: number): void
}

/** What connections are made of. */
export interface ConnectionsOptions {
  readonly runtime: ActorRuntime
  readonly protocol: FrameProtocol
  readonly limits: ServerLimits
  readonly ledger: ConnectionLedger
  /** Connections begin with a TLS handshake. */
  readonly secure: boolean
}

/** Makes the connections of an acceptor. */
export type CreateConnections<C> = (options: ConnectionsOptions) => Connections<C>
