/**
 * The life of one child, as its supervisor sees it: OTP's child record with its `pid`, and the clocks that belong to a
 * single child (the shutdown deadline and the backoff).
 *
 * Parent: the supervisor, which alone feeds it. There is one instance for each child of a system, so the chart stays
 * within what the chart compiler takes. Actions change the child's record in place.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> absent
 *   absent --> starting: start
 *   absent --> restarting: await
 *   starting --> running: started
 *   starting --> absent: ignored, startFailed
 *   running --> down: exited
 *   running --> stopping: shutdown [deadline]
 *   running --> stoppingPatiently: shutdown [infinity]
 *   running --> killing: shutdown [brutal_kill]
 *   stopping --> killing: after shutdownMs
 *   stopping --> absent: exited
 *   stoppingPatiently --> absent: exited
 *   killing --> absent: exited
 *   down --> restarting: await
 *   down --> backingOff: backOff
 *   down --> absent: forget
 *   restarting --> starting: start
 *   restarting --> backingOff: backOff
 *   restarting --> absent: forget
 *   backingOff --> restarting: after backoffMs
 *   backingOff --> starting: start
 *   backingOff --> absent: forget
 * ```
 */
import { setup } from 'xstate'
import type { ChildPlace } from '../messages/thread/child-fact.ts'
import type { ActorExit, ExitReason } from '../messages/thread/exit.ts'
import type { ChildHost, StartCause } from './child-host.ts'
import type { ResolvedChildSpec } from './child-spec.ts'

/** What is known of a child. */
export interface ChildRecord {
  readonly id: string
  readonly spec: ResolvedChildSpec
  readonly host: ChildHost
  /** Of the last start; 0 before the first. */
  incarnation: number
  /** Why it was, or is to be, started. */
  cause: StartCause
  /** Failures in a row. */
  failures: number
  /** When it last came up, ms since the epoch. */
  startedAtMs: number
  /** Where it runs, or last ran. */
  place: ChildPlace | undefined
  /** How it ended, while its supervisor has not dealt with that yet. */
  exit: ActorExit | undefined
  /** Why it has to be started again, between a failure and the next start. */
  failure: ExitReason | undefined
  /** The wait that `backOff` begins. */
  delayMs: number
}

/** The context of a child's chart: its record, which the chart and its supervisor share. */
export interface ChildContext {
  readonly child: ChildRecord
}

/** What its supervisor tells a child's chart. */
export type ChildEvent =
  | { readonly type: 'child.start'; readonly cause: StartCause }
  | { readonly type: 'child.started'; readonly place: ChildPlace; readonly atMs: number }
  | { readonly type: 'child.ignored' }
  | { readonly type: 'child.startFailed' }
  | { readonly type: 'child.exited'; readonly exit: ActorExit }
  /** End it, in the way of its spec. */
  | { readonly type: 'child.shutdown' }
  /** It failed and its restart is decided. */
  | { readonly type: 'child.await'; readonly failure: ExitReason }
  /** It failed and its restart is decided, after a wait. */
  | { readonly type: 'child.backOff'; readonly failure: ExitReason; readonly delayMs: number }
  /** Its end has been dealt with, or it shall not come back. */
  | { readonly type: 'child.forget' }

/** The states of the chart. */
export type ChildState =
  | 'absent'
  | 'starting'
  | 'running'
  | 'down'
  | 'stopping'
  | 'stoppingPatiently'
  | 'killing'
  | 'restarting'
  | 'backingOff'

/** The chart of a child. */
export const childMachine = setup({
  types: {
    context: {} as ChildContext,
    events: {} as ChildEvent,
    input: {} as ChildRecord,
  },
  guards: {
    isBrutal: ({ context: { child } }) => child.spec.shutdown === 'brutal_kill',
    isPatient: ({ context: { child } }) => child.spec.shutdown === 'infinity',
  },
  delays: {
    shutdownMs: ({ context: { child } }) => child.spec.shutdown as number,
    backoffMs: ({ context: { child } }) => child.delayMs,
  },
  actions: {
    askStart: ({ context: { child }, event }) => {
      if (event.type === 'child.start') child.cause = event.cause
      const { id, spec, cause, failures } = child
      child.incarnation = child.host.start({ id, spec, cause, attempt: failures })
    },
    noteStarted: ({ context: { child }, event }) => {
      if (event.type !== 'child.started') return
      child.place = event.place
      child.startedAtMs = event.atMs
      child.failure = undefined
    },
    noteExit: ({ context: { child }, event }) => {
      if (event.type === 'child.exited') child.exit = event.exit
    },
    noteFailure: ({ context: { child }, event }) => {
      if (event.type === 'child.await' || event.type === 'child.backOff') child.failure = event.failure
      child.exit = undefined
    },
    noteDelay: ({ context: { child }, event }) => {
      if (event.type === 'child.backOff') child.delayMs = event.delayMs
    },
    clearFailure: ({ context: { child } }) => {
      child.exit = undefined
      child.failure = undefined
    },
    askShutdown: ({ context: { child } }) => child.host.shutdown(child.id, child.incarnation),
    askKill: ({ context: { child } }) => child.host.kill(child.id, child.incarnation),
    tellDue: ({ context: { child } }) =>
      child.host.post({ type: 'supervisor.backoffElapsed', id: child.id, incarnation: child.incarnation }),
  },
}).createMachine({
  id: 'child',
  context: ({ input }) => ({ child: input }),
  initial: 'absent',
  states: {
    absent: {
      on: { 'child.start': 'starting', 'child.await': { target: 'restarting', actions: 'noteFailure' } },
    },
    starting: {
      entry: 'askStart',
      on: {
        'child.started': { target: 'running', actions: 'noteStarted' },
        'child.ignored': { target: 'absent', actions: 'clearFailure' },
        'child.startFailed': 'absent',
      },
    },
    running: {
      on: {
        'child.exited': { target: 'down', actions: 'noteExit' },
        'child.shutdown': [
          { guard: 'isBrutal', target: 'killing' },
          { guard: 'isPatient', target: 'stoppingPatiently' },
          { target: 'stopping' },
        ],
      },
    },
    /** It has ended and its supervisor has yet to deal with that: OTP's EXIT message in the mailbox. */
    down: {
      on: {
        'child.await': { target: 'restarting', actions: 'noteFailure' },
        'child.backOff': { target: 'backingOff', actions: ['noteFailure', 'noteDelay'] },
        'child.forget': { target: 'absent', actions: 'clearFailure' },
      },
    },
    stopping: {
      entry: 'askShutdown',
      after: { shutdownMs: 'killing' },
      on: { 'child.exited': { target: 'absent', actions: 'clearFailure' } },
    },
    stoppingPatiently: {
      entry: 'askShutdown',
      on: { 'child.exited': { target: 'absent', actions: 'clearFailure' } },
    },
    killing: {
      entry: 'askKill',
      on: { 'child.exited': { target: 'absent', actions: 'clearFailure' } },
    },
    restarting: {
      on: {
        'child.start': 'starting',
        'child.backOff': { target: 'backingOff', actions: ['noteFailure', 'noteDelay'] },
        'child.forget': { target: 'absent', actions: 'clearFailure' },
      },
    },
    backingOff: {
      after: { backoffMs: { target: 'restarting', actions: 'tellDue' } },
      on: {
        'child.start': 'starting',
        'child.forget': { target: 'absent', actions: 'clearFailure' },
      },
    },
  },
})
