/**
 * The life of a listener: bind, accept, drain. Two actors run this chart with I/O of their own: the acceptor, one on each
 * shard, and with `accept: 'handoff'` the listener on the main thread, which hands the sockets to the acceptors.
 *
 * Parent: the server's supervisor. Restart: permanent on its shard; its connections end with it.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> binding
 *   binding --> listening: acceptor.bound
 *   binding --> failed: acceptor.bindFailed, acceptor.unbound, bindTimeout
 *   binding --> draining: acceptor.drain, actor.shutdown
 *   listening --> rebinding: acceptor.unbound
 *   rebinding --> listening: acceptor.bound
 *   rebinding --> rebinding: rebindDelay
 *   listening --> draining: acceptor.drain, actor.shutdown
 *   rebinding --> draining: acceptor.drain, actor.shutdown
 *   draining --> drained: acceptor.drained, or drainTimeout and the rest destroyed
 *   drained --> closed: actor.shutdown, now or before
 *   closed --> [*]
 * ```
 */
import { assign, setup } from 'xstate'
import { StarfishError } from '../../messages/errors.ts'
import { postpone, reply } from '../runtime/runtime-actions.ts'
import type { AcceptorInput } from './config.ts'
import type { AcceptorEvent } from './events.ts'

/** The extended state of an acceptor. */
export interface AcceptorContext {
  readonly input: AcceptorInput
  /** The port it listens at, once known. */
  readonly port: number | undefined
  /** Why it failed. */
  readonly error: unknown
  /** It was asked to end. */
  readonly isEnding: boolean
}

const replies = reply<AcceptorEvent, AcceptorContext>()

/** Replaced by the I/O; without it (walks, pictures) nothing happens. */
function injected(): void {}

/** The chart; `acceptorIo` and `handoffListenerIo` provide its actions. */
export const acceptorMachine = setup({
  types: { context: {} as AcceptorContext, events: {} as AcceptorEvent, input: {} as AcceptorInput },
  actions: {
    /** Loads the protocol and listens, or announces the shard to the listener; reports `bound` or `bindFailed`. */
    bind: injected,
    /** Takes no further connection. */
    stopAccepting: injected,
    /** Asks every connection to end; reports `drained` when none is left. */
    drainConnections: injected,
    /** Ends every connection at once. */
    destroyConnections: injected,
    /** Ends the actor with `context.error`. */
    reportFailure: injected,
    tellPort: replies('acceptor.whenBound', ({ context }) => context.port ?? 0),
    /** Asked before it is known whether it can listen: the question waits. */
    postpone,
    keepPort: assign(({ event }) => (event.type === 'acceptor.bound' ? { port: event.port } : {})),
    keepError: assign(({ event }) => (event.type === 'acceptor.bindFailed' ? { error: event.error } : {})),
    tellDrained: replies('acceptor.whenDrained', () => true),
    keepEnding: assign({ isEnding: true }),
    keepNoListener: assign(({ context }) => ({ error: noListener(context.input) })),
    keepTimeout: assign(({ context }) => ({ error: bindTimedOut(context.input) })),
  },
  guards: {
    isEnding: ({ context }) => context.isEnding,
  },
  delays: {
    bindTimeout: ({ context }) => context.input.bindTimeoutMs,
    rebindDelay: ({ context }) => context.input.rebindDelayMs,
    drainTimeout: ({ context }) => context.input.limits.drainTimeoutMs,
  },
}).createMachine({
  id: 'acceptor',
  context: ({ input }) => ({ input, port: undefined, error: undefined, isEnding: false }),
  initial: 'binding',
  states: {
    binding: {
      entry: 'bind',
      on: {
        'acceptor.bound': { target: 'listening', actions: 'keepPort' },
        'acceptor.whenBound': { actions: 'postpone' },
        'acceptor.bindFailed': { target: 'failed', actions: 'keepError' },
        'acceptor.unbound': { target: 'failed', actions: 'keepNoListener' },
        'acceptor.drain': 'draining',
        'actor.shutdown': { target: 'draining', actions: 'keepEnding' },
      },
      after: { bindTimeout: { target: 'failed', actions: 'keepTimeout' } },
    },
    listening: {
      on: {
        'acceptor.whenBound': { actions: 'tellPort' },
        'acceptor.unbound': 'rebinding',
        'acceptor.drain': 'draining',
        'actor.shutdown': { target: 'draining', actions: 'keepEnding' },
        'acceptor.bindFailed': { target: 'failed', actions: 'keepError' },
      },
    },
    rebinding: {
      entry: 'bind',
      on: {
        'acceptor.whenBound': { actions: 'postpone' },
        'acceptor.bound': { target: 'listening', actions: 'keepPort' },
        'acceptor.drain': 'draining',
        'actor.shutdown': { target: 'draining', actions: 'keepEnding' },
      },
      after: { rebindDelay: { target: 'rebinding', reenter: true } },
    },
    draining: {
      entry: ['stopAccepting', 'drainConnections'],
      on: {
        'acceptor.drained': 'drained',
        'acceptor.whenDrained': { actions: 'postpone' },
        'actor.shutdown': { actions: 'keepEnding' },
      },
      after: { drainTimeout: { target: 'drained', actions: 'destroyConnections' } },
    },
    drained: {
      always: { guard: 'isEnding', target: 'closed' },
      on: { 'acceptor.whenDrained': { actions: 'tellDrained' }, 'actor.shutdown': 'closed' },
    },
    closed: { type: 'final' },
    failed: { entry: 'reportFailure' },
  },
})

function bindTimedOut(input: AcceptorInput): StarfishError {
  const { host, port, bindTimeoutMs } = input
  return new StarfishError('LISTEN_FAILED', `listening on ${host}:${port} took longer than ${bindTimeoutMs} ms`, {
    details: { host, port, reason: 'timeout', bindTimeoutMs },
  })
}

function noListener(input: AcceptorInput): StarfishError {
  const { host, port, handoff } = input
  return new StarfishError('LISTEN_FAILED', `nobody accepts for ${host}:${port}: no listener '${handoff.listener}'`, {
    details: { host, port, reason: 'noListener', ...handoff },
  })
}
