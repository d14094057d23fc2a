/**
 * The contracts between a pooled connection, the bytes below it and the protocol they carry.
 *
 * ```
 *   PooledConnection ── send ──> Link (stream or datagrams) ──> socket
 *          ^                       │
 *          └── LinkOwner: opened, answered, failed, ended, released
 * ```
 * A link is used once: from its opening to its end. It never calls its owner before the call that caused it has returned.
 */
import type { StarfishError } from '../../messages/errors.ts'
import type { PendingRequest } from './pending-request.ts'

/** Where a server listens. */
export interface ServerAddress {
  readonly host: string
  readonly port: number
}

/** One connection to a server, as the pool uses it. */
export interface Link<R extends PendingRequest> {
  /** Requests that are owed an answer, those included that nobody waits for any more. */
  readonly inFlight: number
  /** Whether a request of that size may be sent without more being buffered than may be. */
  hasRoom(bytes: number): boolean
  send(request: R): void
  /** Nobody waits for that request any more. */
  forget(request: R): void
  /** Asks for a good end: what was sent is still answered. */
  end(): void
  /** Ends at once. Only `released` is told after it. */
  destroy(): void
  /** Once it has ended: hands out what was not answered, oldest first, and whether any of its bytes may have left. */
  drain(give: (request: R, wasWritten: boolean) => void): void
}

/** Who uses a link. */
export interface LinkOwner<R extends PendingRequest> {
  /** It can take requests. */
  opened(): void
  /** Something came from the server. */
  heard(): void
  answered<A>(request: PendingRequest<A> & R, answer: A): void
  failed(request: R, error: StarfishError): void
  /** A request cannot be sent as it is; the server knows nothing of it. */
  refused(request: R, error: StarfishError): void
  /** What had come at once has been handed on. */
  settled(): void
  /** It has room again. */
  emptied(): void
  /** It takes and answers nothing more. Told once, unless it was destroyed. */
  ended(why: LinkEnd): void
  /** Its handles are gone. Told once. */
  released(): void
}

/** How a link ended. */
export interface LinkEnd {
  readonly reason: string
  /** The server ended it in good order. */
  readonly isClean: boolean
  readonly cause?: unknown
  /** What the requests in flight failed with, if the server has said so; else it is not known whether they were handled. */
  readonly error?: StarfishError
}

/** What a protocol brings to the pool. */
export interface Wire<R extends PendingRequest> {
  /** The protocol, for people: `the event protocol`. */
  readonly protocol: string
  /** Opens a connection to a server; the link's `opened` or `ended` tells how it went. */
  dial(server: ServerAddress, owner: LinkOwner<R>): Link<R>
  /** A request that every server answers at once, whatever it is: sent first on each connection, to see that somebody is there. */
  greeting(): R
  /** A connection is for one request: the server ends it after its first answer. It is not greeted then. Default false. */
  readonly isOneShot?: boolean
  /** What became of requests that were in flight when their link ended: failed, or sent again whatever they are. */
  readonly onLoss: 'fail' | 'repeat'
}
