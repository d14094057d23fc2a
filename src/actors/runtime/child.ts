/**
 * A child that is an actor: OTP's child specification, typed by the definition of the child. What supervisors take among
 * their `children`, and charts that start children of their own.
 *
 * @see https://www.erlang.org/doc/apps/stdlib/supervisor.html
 */
import type { AnyActorDefinition, DefinitionRef, InputOption } from './define-actor.ts'
import type { MailboxOptions } from './mailbox-options.ts'

/** When an ended child is started again: always, after a failure only, or never. */
export type Restart = 'permanent' | 'transient' | 'temporary'

/** How a child is ended: at once, asked and killed after that many ms, or asked and waited for without limit. */
export type Shutdown = 'brutal_kill' | 'infinity' | number

/** How long a child is left alone before it is started again. Wait n is `initialMs * factor^(n-1)`, at most `maxMs`. */
export interface BackoffOptions {
  /** The first wait, ms. Default 100. */
  readonly initialMs?: number
  /** The longest wait, ms. Default 30,000. */
  readonly maxMs?: number
  /** What each further wait is multiplied by; at least 1. Default 2. */
  readonly factor?: number
  /** Part of a wait that chance may take away, 0 to 1: 0.2 waits 80 to 100 percent. Default 0.2. */
  readonly jitter?: number
  /** A child that ran this long has recovered: its next wait is the first again. Default 10,000 ms. */
  readonly resetAfterMs?: number
  /** How many messages to it are held while it is away; the next one is refused. Default 1,000. */
  readonly heldMax?: number
}

/**
 * On which thread an actor lives: where there is room, on the main thread, on that shard, where another one lives, or alone on
 * a thread of its `own`, which starts and ends with it: one that blocks its thread belongs there.
 */
export type Placement = 'auto' | 'main' | 'own' | number | { readonly with: string }

/** Options of every child, actor or supervisor. */
export interface ChildOptions {
  /** Names the child within its supervisor: its address is the supervisor's, a slash and this. No slash, and no `$` first. */
  readonly id: string
  /** Default `permanent`. */
  readonly restart?: Restart
  /** Default 5,000 ms for an actor, `infinity` for a supervisor. */
  readonly shutdown?: Shutdown
  /** Whether its end may end its supervisor, see `autoShutdown`; not for permanent children. Default false. */
  readonly significant?: boolean
  /** Without it a child is started again at once. */
  readonly backoff?: BackoffOptions
}

/** Options of a child that is an actor. */
export interface ActorChildOptions extends ChildOptions {
  /** Default `auto`. A child whose supervisor lives on a shard lives there too. */
  readonly shard?: Placement
  readonly mailbox?: MailboxOptions
  /** What a restarted actor begins with: its first state, or its last checkpoint. Default `fresh`. */
  readonly restore?: 'fresh' | 'snapshot'
  /** How long its start may take, ms, before it counts as failed. Default 10,000. */
  readonly initTimeoutMs?: number
}

/** What is in the spec of an actor. */
export interface ActorFields extends ActorChildOptions {
  readonly definition: DefinitionRef
  readonly input?: unknown
}

declare const madeByChild: unique symbol

/** The spec of a child that is an actor. {@link child} makes it, which checks the input against the definition. */
export interface ActorSpec {
  readonly id: string
  readonly [madeByChild]: true
}

/**
 * Specifies a child: what it runs, and how it is supervised. For `children` and `startChild` of a supervisor, and for
 * the action `spawn` of a chart, whose children live on its shard. Its options are checked when it is started.
 *
 * @example child(probe, { id: 'n2', input: { peer: 'n2' }, restart: 'transient' })
 */
export function child<D extends AnyActorDefinition>(
  definition: D,
  options: ActorChildOptions & InputOption<D>,
): ActorSpec {
  const fields: ActorFields = { ...options, definition }
  return fields as ActorFields & ActorSpec
}
