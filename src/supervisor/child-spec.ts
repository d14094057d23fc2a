/**
 * What a supervisor is told of its children, and of itself: OTP's child specifications and supervisor flags, as data.
 *
 * The first half is what users write (every option may be left out), the second what the supervisor works with (every
 * option filled in). `spec-check.ts` turns one into the other, or says everything that is wrong with it at once.
 *
 * @see https://www.erlang.org/doc/apps/stdlib/supervisor.html
 */
import type { DefinitionRef } from '../actors/runtime/import-definition.ts'

/** When an ended child is started again: always, after a failure only, or never. */
export type Restart = 'permanent' | 'transient' | 'temporary'

/** How a child is ended: at once, asked and killed after that many ms, or asked and waited for without limit. */
export type Shutdown = 'brutal_kill' | 'infinity' | number

/** Which siblings share the fate of a child that failed: none, all, or those that were started after it. */
export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one'

/** Whether a supervisor ends by itself when one, or the last, of its significant children has ended. */
export type AutoShutdown = 'never' | 'any_significant' | 'all_significant'

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

/** The bound of an actor's mailbox and what happens beyond it. */
export interface MailboxOptions {
  /** Messages that may wait. */
  readonly messagesMax?: number
  /** What a message meets that finds the mailbox full. */
  readonly overflow?: 'reject' | 'drop_oldest' | 'drop_newest'
}

/** On which shard an actor lives. */
export type Placement = 'auto' | 'every' | 'main' | number | { readonly with: string }

interface ChildOptions {
  /** Names the child within its supervisor and makes up its address; not empty. */
  readonly id: string
  /** Default `permanent`. */
  readonly restart?: Restart
  /** Default 5,000 ms for an actor, `infinity` for a supervisor. */
  readonly shutdown?: Shutdown
  /** Whether its end may end its supervisor, see {@link AutoShutdown}; not for permanent children. Default false. */
  readonly significant?: boolean
  /** Without it a child is started again at once. */
  readonly backoff?: BackoffOptions
}

/** A child that is an actor. */
export interface ActorSpec extends ChildOptions {
  readonly definition: DefinitionRef
  readonly input?: unknown
  readonly shard?: Placement
  readonly mailbox?: MailboxOptions
  /** What a restarted actor begins with: its first state, or its last checkpoint. Default `fresh`. */
  readonly restore?: 'fresh' | 'snapshot'
  /** How long its start may take, ms, before it counts as failed. Default 10,000. */
  readonly initTimeoutMs?: number
}

/** A supervisor, as the child of another or at the top. */
export interface SupervisorSpec extends ChildOptions {
  /** Default `one_for_one`. */
  readonly strategy?: Strategy
  /** Restarts that are allowed within `periodMs`; one more and the supervisor gives up. Default 1. */
  readonly intensity?: number
  /** Default 5,000 ms. */
  readonly periodMs?: number
  /** Default `never`. */
  readonly autoShutdown?: AutoShutdown
  /** Started left to right, stopped right to left. */
  readonly children?: readonly ChildSpec[]
  /**
   * A dynamic supervisor starts empty, forgets every child that has ended for good, and stops all of them at once:
   * OTP's `simple_one_for_one`, Elixir's `DynamicSupervisor`. `one_for_one` only. Default false.
   */
  readonly dynamic?: boolean
  /** How many children it may have, running or not. Default 100,000. */
  readonly maxChildren?: number
  /**
   * Each child has the budget `intensity` in `periodMs` of its own; spending it ends that child and never the
   * supervisor, and no child waits for another. For dynamic supervisors. Default false.
   */
  readonly budgetPerChild?: boolean
}

/** What a supervisor can have as a child; a supervisor is told by having no `definition`. */
export type ChildSpec = ActorSpec | SupervisorSpec

/** {@link BackoffOptions}, filled in. */
export type Backoff = Required<BackoffOptions>

interface ResolvedChildOptions {
  readonly id: string
  readonly restart: Restart
  readonly shutdown: Shutdown
  readonly significant: boolean
  readonly backoff: Backoff | undefined
}

/** {@link ActorSpec}, filled in. */
export interface ResolvedActorSpec extends ResolvedChildOptions {
  readonly kind: 'actor'
  readonly definition: DefinitionRef
  readonly input: unknown
  readonly shard: Placement
  readonly mailbox: MailboxOptions
  readonly restore: 'fresh' | 'snapshot'
  readonly initTimeoutMs: number
}

/** {@link SupervisorSpec}, filled in. */
export interface ResolvedSupervisorSpec extends ResolvedChildOptions {
  readonly kind: 'supervisor'
  readonly strategy: Strategy
  readonly intensity: number
  readonly periodMs: number
  readonly autoShutdown: AutoShutdown
  readonly children: readonly ResolvedChildSpec[]
  readonly dynamic: boolean
  readonly maxChildren: number
  readonly budgetPerChild: boolean
}

/** {@link ChildSpec}, filled in; told apart by `kind`. */
export type ResolvedChildSpec = ResolvedActorSpec | ResolvedSupervisorSpec

/** A restart budget: at most `intensity` restarts within any `periodMs`. */
export interface Budget {
  readonly intensity: number
  readonly periodMs: number
}

/** What each top-level spawn may use; spending it ends that actor alone. */
export const spawnBudget: Budget = { intensity: 3, periodMs: 5_000 }

/** What the shards of a system may use together. */
export const shardBudget: Budget = { intensity: 30, periodMs: 10_000 }

/** The options of an actor as they are when left out. */
export const actorDefaults = {
  restart: 'permanent',
  shutdown: 5_000,
  significant: false,
  shard: 'auto',
  restore: 'fresh',
  initTimeoutMs: 10_000,
} as const

/** The options of a supervisor as they are when left out: OTP's own, and a bound on its table of children. */
export const supervisorDefaults = {
  restart: 'permanent',
  shutdown: 'infinity',
  significant: false,
  strategy: 'one_for_one',
  intensity: 1,
  periodMs: 5_000,
  autoShutdown: 'never',
  dynamic: false,
  maxChildren: 100_000,
  budgetPerChild: false,
} as const

/** The options of a backoff as they are when left out. */
export const backoffDefaults: Backoff = {
  initialMs: 100,
  maxMs: 30_000,
  factor: 2,
  jitter: 0.2,
  resetAfterMs: 10_000,
  heldMax: 1_000,
}
