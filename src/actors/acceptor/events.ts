/** The commands an acceptor takes and the facts its sockets report. Connections are counted, not reported. */
import type { Request } from '../runtime/requests.ts'

/** Begins to drain: stops accepting, answers what was received, refuses what still comes, and waits for its shutdown. */
export interface AcceptorDrain {
  readonly type: 'acceptor.drain'
}

/** The supervisor's polite request to end; drains first. */
export interface ActorShutdown {
  readonly type: 'actor.shutdown'
}

/** It listens, or is handed sockets, at this port. */
export interface AcceptorBound {
  readonly type: 'acceptor.bound'
  readonly port: number
}

/** It could not listen; `error` is a StarfishError. */
export interface AcceptorBindFailed {
  readonly type: 'acceptor.bindFailed'
  readonly error: unknown
}

/** Handoff: the listener's thread is gone; the connections that were handed over live on. */
export interface AcceptorUnbound {
  readonly type: 'acceptor.unbound'
}

/** While draining: the last connection is over. */
export interface AcceptorDrained {
  readonly type: 'acceptor.drained'
}

/** Answered, as soon as it listens, with the port. */
export type AcceptorWhenBound = Request<{ readonly type: 'acceptor.whenBound' }, number>

/** Answered, once told to drain, when the last connection is over, or was destroyed at the deadline. */
export type AcceptorWhenDrained = Request<{ readonly type: 'acceptor.whenDrained' }, boolean>

/** What an acceptor may be told by others. */
export type AcceptorCommand = AcceptorDrain | ActorShutdown

/** Every event of the acceptor's chart. */
export type AcceptorEvent =
  | AcceptorCommand
  | AcceptorWhenBound
  | AcceptorWhenDrained
  | AcceptorBound
  | AcceptorBindFailed
  | AcceptorUnbound
  | AcceptorDrained
