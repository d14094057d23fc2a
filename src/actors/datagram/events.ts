/** The commands a datagram actor takes and the facts its socket reports. Datagrams are counted, not reported. */
import type { Request } from '../runtime/requests.ts'

/** Begins to drain: answers what it has in hand, refuses what still comes, and waits for its shutdown. */
export interface DatagramDrain {
  readonly type: 'datagram.drain'
}

/** The supervisor's polite request to end; drains first. */
export interface ActorShutdown {
  readonly type: 'actor.shutdown'
}

/** It has its socket. */
export interface DatagramBound {
  readonly type: 'datagram.bound'
}

/** It could not bind; `error` is a StarfishError. */
export interface DatagramBindFailed {
  readonly type: 'datagram.bindFailed'
  readonly error: unknown
}

/** It cannot serve, whatever its socket does: its protocol cannot be built. */
export interface DatagramFailed {
  readonly type: 'datagram.failed'
  readonly error: unknown
}

/** Its socket is broken. */
export interface DatagramUnbound {
  readonly type: 'datagram.unbound'
  readonly error: unknown
}

/** While draining: the last request has been answered, and nothing more is coming. */
export interface DatagramDrained {
  readonly type: 'datagram.drained'
}

/** Answered, as soon as it has its socket. */
export type DatagramWhenBound = Request<{ readonly type: 'datagram.whenBound' }, boolean>

/** Answered, once told to drain, when nothing is in hand any more. */
export type DatagramWhenDrained = Request<{ readonly type: 'datagram.whenDrained' }, boolean>

/** Every event of the chart. */
export type DatagramEvent =
  | DatagramDrain
  | ActorShutdown
  | DatagramWhenBound
  | DatagramWhenDrained
  | DatagramBound
  | DatagramBindFailed
  | DatagramFailed
  | DatagramUnbound
  | DatagramDrained
