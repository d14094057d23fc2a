/**
 * How an incarnation of an actor ended: the taxonomy that supervisors decide by and watchers are told.
 */

/** Why an actor, a shard or a supervisor ended. `normal` and `shutdown` are the two that are not failures. */
export type ExitReason =
  /** Its chart reached a final state. */
  | { readonly type: 'normal'; readonly output?: unknown }
  /**
   * Its supervisor or `system.stop` asked it to end. `detail` names why, as OTP's `{shutdown, Term}` does; a supervisor
   * that gives up names the child whose end made it do so, and how that child ended.
   */
  | { readonly type: 'shutdown'; readonly detail?: string; readonly culprit?: ExitCulprit }
  /** An action, guard or invoked actor threw. */
  | { readonly type: 'threw'; readonly error: unknown }
  /** A promise that it started was rejected and nobody listened. */
  | { readonly type: 'unhandledRejection'; readonly error: unknown }
  /** Its worker called `process.exit(code)`. */
  | { readonly type: 'exited'; readonly code: number }
  /** Its worker ran out of heap, or reached the soft heap mark, which `detail` then tells with the figures. */
  | { readonly type: 'outOfMemory'; readonly detail?: string }
  /** Its worker did not turn its event loop for the watchdog's limit. */
  | { readonly type: 'stalled'; readonly diagnosis: 'spinning' | 'paused'; readonly forMs: number }
  /** It was ended without being asked: `system.kill`, a brutal kill, or a shutdown whose deadline passed. */
  | { readonly type: 'killed'; readonly detail?: string }
  /** It could not be started: its module, its `init` or its chart's entry failed. */
  | { readonly type: 'bootstrapFailed'; readonly error: unknown }
  /** Its `init` did not settle within its deadline. */
  | { readonly type: 'initTimedOut'; readonly afterMs: number }
  /** It was watched after it had ended and is no longer remembered, or never existed. */
  | { readonly type: 'noproc' }

/** The child that made its supervisor give up. */
export interface ExitCulprit {
  /** Its id in the supervisor. */
  readonly id: string
  /** Why it ended, or could not be started. */
  readonly reason: ExitReason
}

/** The event types of an exit: `normal | shutdown | threw | …`. */
export type ExitType = ExitReason['type']

/** One of the last events of an actor, as its black box kept it. */
export interface BlackBoxEntry {
  /** Position in the actor's life, from 0. */
  readonly sequence: number
  /** Event type. */
  readonly type: string
  /** When its handling began, ms since the epoch. */
  readonly atMs: number
  /** The event itself; missing when the thread died before it could be told. */
  readonly event?: unknown
}

/** The end of one incarnation; every watcher is told exactly once. */
export interface ActorExit {
  readonly address: string
  /** Export name of the definition, `supervisor` for a supervisor. */
  readonly definition: string
  /** Counts the starts of this address, from 1; 0 when it is not known (`noproc`). */
  readonly incarnation: number
  /** Index of the shard it lived on, -1 for the main thread. */
  readonly shard: number
  readonly reason: ExitReason
  /** When it ended, ms since the epoch. */
  readonly atMs: number
  /** Its last events, oldest first. */
  readonly lastEvents: readonly BlackBoxEntry[]
  /**
   * Set when it ended because its whole shard did. Exits that carry the same `incarnation` of the same shard are one
   * failure to a supervisor, not several.
   */
  readonly shardLoss?: { readonly shard: number; readonly incarnation: number }
}

/** True unless the reason is `normal` or `shutdown`: what makes a transient child restart. */
export function isAbnormal(reason: ExitReason): boolean {
  return reason.type !== 'normal' && reason.type !== 'shutdown'
}
