/**
 * What a supervisor is told of its children, and of itself: OTP's child specifications and supervisor flags, as data.
 *
 * The first half is what users write (every option may be left out), the second what the supervisor works with (every
 * option filled in). `spec-check.ts` turns one into the other, or says everything that is wrong with it at once.
 *
 * @see https://www.erlang.org/doc/apps/stdlib/supervisor.html
 */
import type { ActorSpec, BackoffOptions, ChildOptions, Placement, Restart, Shutdown } from '../actors/runtime/child.ts'
import type { DefinitionRef } from '../actors/runtime/define-actor.ts'
import type { MailboxOptions } from '../actors/runtime/mailbox-options.ts'

/** Which siblings share the fate of a child that failed: none, all, or those that were started after it. */
export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one'

/** Whether a supervisor ends by itself when one, or the last, of its significant children has ended. */
export type AutoShutdown = 'never' | 'any_significant' | 'all_significant'

/** A supervisor, as the child of another or at the top. */
export interface SupervisorSpec extends ChildOptions {
  /** Never given: it is what tells an actor, which `child` specifies, from a supervisor. */
  readonly definition?: never
  /** Default `one_for_one`. */
  readonly strategy?: Strategy
  /** Restarts that are allowed within `periodMs`; one more and the supervisor gives up. Default 1. */
  readonly intensity?: number
  /** Default 5,000 ms. */
  readonly periodMs?: number
  /** Default `never`. */
  readonly autoShutdown?: AutoShutdown
  /**
   * On which thread it lives. `auto`, the default: on the shard that all its children want, on the main thread when they want
   * different ones, where there is room when none says. On `main` it may have children on any thread, on a shard only there.
   */
  readonly shard?: Placement
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

/** A supervisor at the top of a tree: it has no siblings, and without an id it is given one. */
export type TreeSpec = Omit<SupervisorSpec, 'id' | 'significant'> & { readonly id?: string }

/** What a supervisor can have as a child: an actor that `child` specifies, or another supervisor. */
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

/** The spec of an actor, filled in. */
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
  readonly shard: Placement
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
  shard: 'auto',
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
