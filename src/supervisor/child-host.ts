/**
 * The seam between supervision and the kernel: what a supervisor asks of the thread that hosts its children, and what
 * it is told.
 *
 *      supervisor chart  -- start, shutdown, kill, hold, release -->  kernel
 *                        <-- child.started, child.ignored, child.startFailed, child.exited --
 *      supervisor handle -- supervisor.startChild, … (with a reply token) --> supervisor chart -- answer --> handle
 *
 * Every call returns at once and may be made while the supervisor handles an event: what the kernel has to say comes as
 * an event of its own through the supervisor's mailbox, never from inside the call.
 */
import type { StarfishError } from '../messages/errors.ts'
import type { ChildFact, ChildPlace } from '../messages/thread/child-fact.ts'
import type { ExitReason } from '../messages/thread/exit.ts'

import type { ChildSpec, ResolvedChildSpec } from './child-spec.ts'

/** Why a child is started: with its supervisor, by a command, or again. */
export type StartCause = 'boot' | 'startChild' | 'restartChild' | 'restart'

/** The start of one incarnation. */
export interface ChildStart {
  readonly id: string
  /** Take `input` from it now: that of a temporary child added by a command is dropped once the child runs. */
  readonly spec: ResolvedChildSpec
  /** `restart` is when a checkpoint may be restored: the child, or a sibling of its group, failed. */
  readonly cause: StartCause
  /** How many failures in a row led to this start; 0 when the child itself did not fail. */
  readonly attempt: number
}

/** What a supervisor asks of the kernel that hosts its children. */
export interface ChildHost {
  /**
   * Begins to start a child and returns its incarnation: the count of the starts of its address, which goes on over
   * restarts of the supervisor too. Answered by exactly one of `child.started`, `child.ignored` and
   * `child.startFailed`, within the child's `initTimeoutMs`; a nested supervisor has started when it calls `ready`.
   */
  start(child: ChildStart): number
  /** The address that a child of that id has. */
  addressOf(id: string): string
  /** Asks a started child to end (a nested supervisor is sent `supervisor.stop`). Answered by its one `child.exited`. */
  shutdown(id: string, incarnation: number): void
  /**
   * Ends a started child without asking. Answered by its one `child.exited` in bounded time, also when the thread
   * under it is stuck: the kernel then fences the incarnation off and reports it `killed`.
   */
  kill(id: string, incarnation: number): void
  /**
   * The child is coming back: messages to its address wait, at most `backoff.heldMax` (1,000 without one). They wait
   * from the end of its last incarnation on, for the kernel cannot know what its supervisor will decide.
   */
  hold(id: string): void
  /** What waited goes to the new incarnation, or becomes dead letters: the child will not come back by itself. */
  release(id: string, outcome: 'restarted' | 'ended'): void
  /** The supervisor has started all its children; its own start counts as done. Not called when that failed. */
  ready(): void
  /** Puts an event of the supervisor's own at the end of its mailbox; never refused. */
  post(event: SupervisorEvent): void
  /** Answers a command. Each reply token is answered exactly once. */
  answer(reply: ReplyToken, answer: Answer): void
  /** Tells whoever inspects the system what happened. */
  report(fact: SupervisorFact): void
}

/** Stands for the one who waits for the answer to a command; opaque to the supervisor. */
export type ReplyToken = unknown

/** The outcome of a command: its value, or why not. */
export type Answer = { readonly ok: unknown } | { readonly error: StarfishError }

/** What the handle of a supervisor may ask. */
export type SupervisorCommand =
  /** Adds a child behind the others and starts it. Answers {@link StartedChild}. */
  | { readonly type: 'supervisor.startChild'; readonly spec: ChildSpec; readonly reply: ReplyToken }
  /** Ends a child; its spec stays unless it is temporary or dynamic. Answers undefined. */
  | { readonly type: 'supervisor.terminateChild'; readonly id: string; readonly reply: ReplyToken }
  /** Starts a child that does not run. Answers {@link StartedChild}. */
  | { readonly type: 'supervisor.restartChild'; readonly id: string; readonly reply: ReplyToken }
  /** Forgets a child that does not run. Answers undefined. */
  | { readonly type: 'supervisor.deleteChild'; readonly id: string; readonly reply: ReplyToken }
  /** Answers {@link ChildEntry}[], in start order; one entry, or CHILD_NOT_FOUND, when an id is given. */
  | { readonly type: 'supervisor.whichChildren'; readonly id?: string; readonly reply: ReplyToken }
  /** Answers {@link ChildCounts}. */
  | { readonly type: 'supervisor.countChildren'; readonly reply: ReplyToken }
  /** Answers the {@link ResolvedChildSpec} of one child. */
  | { readonly type: 'supervisor.childSpec'; readonly id: string; readonly reply: ReplyToken }

/** Events that a supervisor sends to itself, through the end of its mailbox. */
export type SupervisorTick =
  /** A start failed: try again, after whatever arrived meanwhile. */
  | { readonly type: 'supervisor.tryAgain'; readonly id: string; readonly incarnation: number }
  /** The wait of a child that backs off is over. */
  | { readonly type: 'supervisor.backoffElapsed'; readonly id: string; readonly incarnation: number }
  /** Take the next event that had to wait. */
  | { readonly type: 'supervisor.next' }

/** Everything a supervisor takes. */
export type SupervisorEvent =
  | ChildFact
  | SupervisorCommand
  | SupervisorTick
  /** From its parent or the system: stop the children right to left and end with `reason`, by default `shutdown`. */
  | { readonly type: 'supervisor.stop'; readonly reason?: ExitReason }

/** The answer to startChild and restartChild. */
export interface StartedChild {
  readonly id: string
  /** Undefined when the start declined (`ignore`). */
  readonly actor: { readonly incarnation: number; readonly place: ChildPlace } | undefined
}

/** One child as whichChildren shows it. */
export interface ChildEntry {
  readonly id: string
  readonly kind: 'actor' | 'supervisor'
  /** `restarting` between a failure and the next start, `undefined` when it is defined without an actor. */
  readonly state: 'running' | 'restarting' | 'undefined'
  /** Of a running child. */
  readonly actor?: { readonly incarnation: number; readonly place: ChildPlace }
}

/** The answer to countChildren. */
export interface ChildCounts {
  /** Children that are defined, running or not. */
  readonly specs: number
  /** Those that run. */
  readonly active: number
  /** Those that are supervisors, running or not. */
  readonly supervisors: number
  /** Those that are actors, running or not. */
  readonly workers: number
}

/** What a supervisor tells the outside. */
export type SupervisorFact =
  | {
      readonly type: 'child.started'
      readonly id: string
      readonly incarnation: number
      readonly cause: StartCause
      readonly attempt: number
    }
  /** A child ended by itself; `outcome` says what follows. Not told of ends that were to be expected. */
  | {
      readonly type: 'child.terminated'
      readonly id: string
      readonly incarnation: number
      readonly reason: ExitReason
      readonly outcome: 'restart' | 'end'
    }
  | {
      readonly type: 'child.startFailed'
      readonly id: string
      readonly incarnation: number
      readonly reason: ExitReason
      readonly cause: StartCause
    }
  | { readonly type: 'child.backingOff'; readonly id: string; readonly failures: number; readonly delayMs: number }
  /** A child that was told to end ended with another reason than that. */
  | {
      readonly type: 'child.shutdownError'
      readonly id: string
      readonly incarnation: number
      readonly reason: ExitReason
    }
  /** A child with a budget of its own has spent it. */
  | { readonly type: 'child.gaveUp'; readonly id: string; readonly reason: ExitReason }
  /** The supervisor ends by itself, with this reason. */
  | { readonly type: 'supervisor.gaveUp'; readonly reason: ExitReason }

const commandTypes: Readonly<Record<SupervisorCommand['type'], true>> = {
  'supervisor.startChild': true,
  'supervisor.terminateChild': true,
  'supervisor.restartChild': true,
  'supervisor.deleteChild': true,
  'supervisor.whichChildren': true,
  'supervisor.countChildren': true,
  'supervisor.childSpec': true,
}

/** Whether anybody may say that to a supervisor. What it is told of its children is the kernels' to say. */
export function isCommand(type: string): boolean {
  return Object.hasOwn(commandTypes, type)
}
