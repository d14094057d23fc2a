/**
 * The conversation between the listener of `accept: 'handoff'` and the acceptor of a shard. The acceptor dials: it sends
 * one end of a new channel to the listener's thread. Every incarnation of an acceptor dials anew, so a restart on either
 * side needs no one's help.
 *
 * ```
 * acceptor                         listener
 *    | -- HandoffDial (port) ------>  |   by postMessageToThread, or directly on the same thread
 *    | <-- bound ------------------   |
 *    | <-- socket * ---------------   |   in turn with the other shards, few ahead of what was taken (handoff-window.ts)
 *    | -- room * ------------------>  |   it took some, and the listener has more
 *    | -- stop -------------------->  |   the acceptor drains
 *    | <-- stopped ----------------   |   no socket follows; the channel is closed
 *    | <-- ended ------------------   |   or: the listener drains; no socket follows
 * ```
 * Lost on a crash: sockets that were posted to a shard that died before it took them; their peers see a reset.
 */
import type { Socket } from 'node:net'
import type { MessagePort } from 'node:worker_threads'

/** What a shard that asks for sockets brings along. */
export interface HandoffDialled {
  readonly port: MessagePort
  /** The shard's thread. */
  readonly threadId: number
  /** Of `createHandoffWindow`. */
  readonly window: SharedArrayBuffer
}

/** A shard asks for its share of the connections of `listener`. */
export interface HandoffDial {
  readonly starfishHandoff: HandoffDialled & { readonly listener: string; readonly shard: number }
}

/** From the listener to an acceptor. */
export type HandoffMessage =
  | { readonly type: 'bound'; readonly port: number }
  | { readonly type: 'socket'; readonly socket: Socket }
  | { readonly type: 'stopped' }
  | { readonly type: 'ended' }

/** From an acceptor to the listener. */
export type HandoffWord = { readonly type: 'room' } | { readonly type: 'stop' }

/** True for a {@link HandoffDial} among what other code sends between threads. */
export function isHandoffDial(value: unknown): value is HandoffDial {
  return typeof value === 'object' && value !== null && 'starfishHandoff' in value
}
