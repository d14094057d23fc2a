/**
 * The life of a datagram actor: bind, serve, bind anew when the socket breaks, drain. It is stepped when that changes,
 * never for a datagram.
 *
 * Parent: the server's supervisor. Restart: permanent on its shard; requests in its hand end with it.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> opening
 *   state opening {
 *     [*] --> binding
 *     binding --> rebinding: datagram.bindFailed
 *     rebinding --> binding: rebindWait, longer each time
 *   }
 *   opening --> serving: datagram.bound
 *   opening --> failed: bindTimeout, datagram.failed
 *   serving --> opening: datagram.unbound
 *   opening --> draining: datagram.drain, actor.shutdown
 *   serving --> draining: datagram.drain, actor.shutdown
 *   draining --> drained: datagram.drained, drainTimeout
 *   drained --> closed: actor.shutdown, now or before
 *   closed --> [*]
 * ```
 */
import { assign, setup } from 'xstate'
import { StarfishError } from '../../messages/errors.ts'
import { postpone, reply } from '../runtime/runtime-actions.ts'
import type { DatagramInput } from './config.ts'
import type { DatagramEvent } from './events.ts'
import { abandonRequests, bind, drain, reportFailure } from './io.ts'
import { rebindWaitMs } from './transitions.ts'

/** The extended state of a datagram actor: nothing that must not be shown. */
export interface DatagramContext
  extends Pick<DatagramInput, 'host' | 'port' | 'reusePort' | 'bindTimeoutMs' | 'rebindDelayMs'> {
  readonly drainTimeoutMs: number
  /** Attempts to bind that have failed in a row. */
  readonly attempts: number
  /** Why the last one did, or why it failed. */
  readonly error: unknown
  /** It was asked to end. */
  readonly isEnding: boolean
}

const replies = reply<DatagramEvent, DatagramContext>()

/** The chart; its actions find the I/O of their actor, which `init` of the definition has made. */
export const datagramMachine = setup({
  types: { context: {} as DatagramContext, events: {} as DatagramEvent, input: {} as DatagramInput },
  actions: {
    bind,
    drain,
    abandonRequests,
    reportFailure,
    countAttempt: assign(({ context, event }) =>
      event.type === 'datagram.bindFailed' ? { attempts: context.attempts + 1, error: event.error } : {},
    ),
    keepError: assign(({ event }) =>
      event.type === 'datagram.failed' || event.type === 'datagram.unbound' ? { error: event.error } : {},
    ),
    keepTimeout: assign(({ context }) => ({ error: context.error ?? bindTimedOut(context) })),
    forgetAttempts: assign({ attempts: 0, error: undefined }),
    keepEnding: assign({ isEnding: true }),
    tellBound: replies('datagram.whenBound', () => true),
    tellDrained: replies('datagram.whenDrained', () => true),
    /** Asked before it is known: the question waits. */
    postpone,
  },
  guards: {
    isEnding: ({ context }) => context.isEnding,
  },
  delays: {
    bindTimeout: ({ context }) => context.bindTimeoutMs,
    rebindWait: ({ context }) => rebindWaitMs(context.rebindDelayMs, context.attempts),
    drainTimeout: ({ context }) => context.drainTimeoutMs,
  },
}).createMachine({
  id: 'datagram',
  context: ({ input }) => ({
    host: input.host,
    port: input.port,
    reusePort: input.reusePort,
    bindTimeoutMs: input.bindTimeoutMs,
    rebindDelayMs: input.rebindDelayMs,
    drainTimeoutMs: input.limits.drainTimeoutMs,
    attempts: 0,
    error: undefined,
    isEnding: false,
  }),
  initial: 'opening',
  states: {
    opening: {
      initial: 'binding',
      states: {
        binding: {
          entry: 'bind',
          on: { 'datagram.bindFailed': { target: 'rebinding', actions: 'countAttempt' } },
        },
        rebinding: { after: { rebindWait: 'binding' } },
      },
      on: {
        'datagram.bound': { target: 'serving', actions: 'forgetAttempts' },
        'datagram.failed': { target: 'failed', actions: 'keepError' },
        'datagram.whenBound': { actions: 'postpone' },
        'datagram.drain': 'draining',
        'actor.shutdown': { target: 'draining', actions: 'keepEnding' },
      },
      after: { bindTimeout: { target: 'failed', actions: 'keepTimeout' } },
    },
    serving: {
      on: {
        'datagram.unbound': { target: 'opening', actions: 'keepError' },
        'datagram.whenBound': { actions: 'tellBound' },
        'datagram.drain': 'draining',
        'actor.shutdown': { target: 'draining', actions: 'keepEnding' },
      },
    },
    draining: {
      entry: 'drain',
      on: {
        'datagram.drained': 'drained',
        'datagram.whenDrained': { actions: 'postpone' },
        'actor.shutdown': { actions: 'keepEnding' },
      },
      after: { drainTimeout: { target: 'drained', actions: 'abandonRequests' } },
    },
    drained: {
      always: { guard: 'isEnding', target: 'closed' },
      on: { 'datagram.whenDrained': { actions: 'tellDrained' }, 'actor.shutdown': 'closed' },
    },
    closed: { type: 'final' },
    failed: { entry: 'reportFailure' },
  },
})

function bindTimedOut({ host, port, bindTimeoutMs }: DatagramContext): StarfishError {
  const text = `binding to ${host}:${port} (UDP) took longer than ${bindTimeoutMs} ms`
  return new StarfishError('LISTEN_FAILED', text, {
    details: { host, port, transport: 'udp', reason: 'timeout', bindTimeoutMs },
  })
}
