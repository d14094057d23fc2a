/**
 * The life of one place in a connection pool: it holds one connection at a time, or none, or waits until it may try again.
 *
 * Parent: the pool, which alone feeds it. A pool has a few of these for each server; the data plane never steps them.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> idle
 *   idle --> connecting: connection.dial
 *   state connecting {
 *     [*] --> dialing
 *     dialing --> greeting: link.opened
 *   }
 *   connecting --> up: greeting.answered
 *   connecting --> resting: link.ended, greeting.refused, connectTimeout
 *   up --> resting: link.ended, silent too long
 *   state up {
 *     [*] --> watched
 *     watched --> paused: server.overloaded
 *     paused --> watched: server.served, overloadPause
 *   }
 *   up --> draining: idle too long, connection.drain
 *   draining --> idle: link.ended, drainTimeout
 *   draining --> closed: the same, when closing
 *   resting --> backingOff: the server failed, and nobody else tries it
 *   resting --> idle: else
 *   backingOff --> connecting: after backoff
 *   idle --> closed: connection.drain
 *   connecting --> closed: connection.drain
 *   backingOff --> closed: connection.drain
 *   closed --> [*]
 * ```
 * Any state ends in `closed` by `connection.destroy`. A connection is up when its server has answered a greeting: one that
 * was accepted by a backlog and by nobody else, or only to be refused, never gets a request. One that is told that there is no
 * room gets none for a while: a server that drains a connection closes it once it is silent, and so owes no answer then.
 */
import { setup } from 'xstate'

/** What the pool, the link and the timers tell a connection. */
export type PooledConnectionEvent =
  | { readonly type: 'connection.dial' }
  /** End in good order, for good. */
  | { readonly type: 'connection.drain' }
  /** End at once, for good. */
  | { readonly type: 'connection.destroy' }
  | { readonly type: 'link.opened' }
  | { readonly type: 'link.ended' }
  | { readonly type: 'greeting.answered' }
  | { readonly type: 'greeting.refused' }
  /** A request was answered that there is no room for it. */
  | { readonly type: 'server.overloaded' }
  /** A request was answered in any other way. */
  | { readonly type: 'server.served' }

/** The record that the chart runs on; guards and delays ask it. */
export interface ConnectionFacts {
  readonly connectTimeoutMs: number
  readonly drainTimeoutMs: number
  readonly overloadPauseMs: number
  /** Until it has to be looked at whether the connection is silent or idle; above 0. */
  watchLeftMs(): number
  /** The wait that the last failure asks for. */
  backoffMs(): number
  /** Nothing has come for too long, though something is owed. */
  readonly isSilent: boolean
  /** Nothing was asked for too long. */
  readonly isIdle: boolean
  readonly isClosing: boolean
  /** The server failed, and no other of its connections tries whether it is back. */
  readonly mustBackOff: boolean
}

/** XState copies what a chart begins with; the record must not be, so the chart holds it by reference. */
export interface PooledConnectionContext<F extends ConnectionFacts = ConnectionFacts> {
  readonly connection: F
}

/** Replaced by the I/O; without it (walks, pictures) nothing happens. */
function injected(): void {}

/** The chart; its I/O is provided by `pooled-connection.ts`. */
export const pooledConnectionMachine = setup({
  types: {
    context: {} as PooledConnectionContext,
    events: {} as PooledConnectionEvent,
    input: {} as ConnectionFacts,
  },
  actions: {
    openLink: injected,
    greet: injected,
    /** The connection takes requests. */
    admit: injected,
    /** It takes none any more. */
    retire: injected,
    /** It takes none for a while. */
    pause: injected,
    resume: injected,
    /** Asks the server for a good end. */
    endLink: injected,
    destroyLink: injected,
    /** Counts what happened against the server, or not. */
    judge: injected,
    blameConnectTimeout: injected,
    blameSilence: injected,
  },
  guards: {
    isSilent: ({ context: { connection } }) => connection.isSilent,
    isIdle: ({ context: { connection } }) => connection.isIdle,
    isClosing: ({ context: { connection } }) => connection.isClosing,
    mustBackOff: ({ context: { connection } }) => connection.mustBackOff,
  },
  delays: {
    connectTimeout: ({ context: { connection } }) => connection.connectTimeoutMs,
    drainTimeout: ({ context: { connection } }) => connection.drainTimeoutMs,
    overloadPause: ({ context: { connection } }) => connection.overloadPauseMs,
    watchLeft: ({ context: { connection } }) => connection.watchLeftMs(),
    backoff: ({ context: { connection } }) => connection.backoffMs(),
  },
}).createMachine({
  id: 'pooledConnection',
  context: ({ input }) => ({ connection: input }),
  initial: 'idle',
  on: { 'connection.destroy': { target: '.closed', actions: 'destroyLink' } },
  states: {
    idle: {
      on: { 'connection.dial': 'connecting', 'connection.drain': 'closed' },
    },
    connecting: {
      initial: 'dialing',
      on: {
        'link.ended': 'resting',
        'connection.drain': { target: 'closed', actions: 'destroyLink' },
      },
      after: { connectTimeout: { target: 'resting', actions: 'blameConnectTimeout' } },
      states: {
        dialing: {
          entry: 'openLink',
          on: { 'link.opened': 'greeting' },
        },
        greeting: {
          entry: 'greet',
          on: { 'greeting.answered': '#pooledConnection.up', 'greeting.refused': '#pooledConnection.resting' },
        },
      },
    },
    up: {
      initial: 'watched',
      entry: 'admit',
      exit: 'retire',
      on: { 'link.ended': 'resting', 'connection.drain': 'draining' },
      states: {
        watched: {
          on: { 'server.overloaded': 'paused' },
          after: {
            watchLeft: [
              { guard: 'isSilent', target: '#pooledConnection.resting', actions: 'blameSilence' },
              { guard: 'isIdle', target: '#pooledConnection.draining' },
              { target: 'watched', reenter: true },
            ],
          },
        },
        paused: {
          entry: 'pause',
          exit: 'resume',
          on: { 'server.served': 'watched' },
          after: { overloadPause: 'watched' },
        },
      },
    },
    draining: {
      entry: 'endLink',
      exit: 'destroyLink',
      on: { 'link.ended': [{ guard: 'isClosing', target: 'closed' }, { target: 'idle' }] },
      after: { drainTimeout: [{ guard: 'isClosing', target: 'closed' }, { target: 'idle' }] },
    },
    resting: {
      entry: ['judge', 'destroyLink'],
      always: [{ guard: 'mustBackOff', target: 'backingOff' }, { target: 'idle' }],
    },
    backingOff: {
      on: { 'connection.drain': 'closed' },
      after: { backoff: 'connecting' },
    },
    closed: { type: 'final' },
  },
})
