/**
 * The facts that `system.inspect` streams: everything a tool can know of a running system.
 */
import type { ActorExit, ExitReason } from './exit.ts'

interface FactOf<K extends string> {
  readonly kind: K
  /** Whom it is about; for a shard `shard/<index>`. */
  readonly address: string
  /** When, ms since the epoch of the system's clock. */
  readonly atMs: number
  /** Shard on which it happened, -1 for the main thread. */
  readonly shard: number
}

/** A fact about a running system. */
export type Fact =
  /** An incarnation started. */
  | (FactOf<'spawned'> & {
      readonly definition: string
      readonly incarnation: number
      readonly restored?: RestoredFrom
    })
  /** An actor takes an event. */
  | (FactOf<'event'> & {
      readonly incarnation: number
      readonly type: string
      readonly from: string | null
      readonly sequence: number
      readonly asked: boolean
    })
  /** Its state value changed. */
  | (FactOf<'transition'> & { readonly incarnation: number; readonly from: unknown; readonly to: unknown })
  /** A named action of its chart ran. */
  | (FactOf<'action'> & { readonly incarnation: number; readonly action: string })
  /** An incarnation ended. */
  | (FactOf<'exit'> & { readonly exit: ActorExit })
  /** A supervisor restarts it, after `delayMs`. */
  | (FactOf<'restart'> & { readonly supervisor: string; readonly delayMs: number })
  | (FactOf<'deadLetter'> & { readonly letter: DeadLetter })
  /** A watch was set or cleared, or an edge between two threads opened or closed. */
  | (FactOf<'link'> & {
      readonly peer: string
      readonly link: 'watch' | 'edge'
      readonly up: boolean
      /** Of an edge that closed: what became of all that this side had sent over it. */
      readonly account?: EdgeAccount
    })
  /** A shard changed: `zombie` is one whose thread does not end although it was told to. */
  | (FactOf<'shard'> & {
      readonly incarnation: number
      readonly state: 'starting' | 'up' | 'lost' | 'starved' | 'zombie' | 'stopped'
      readonly reason?: ExitReason
      /** Of one that is lost: what its actors did last, oldest first. */
      readonly lastEvents?: readonly ShardEvent[]
    })
  /** So many facts were thrown away because the reader was too slow. */
  | (FactOf<'dropped'> & { readonly count: number })

/** What became of the messages of one direction: `sent = handled + inHand + unprocessed + lost + refused`, each counted. */
export interface EdgeAccount {
  readonly sent: number
  readonly handled: number
  readonly inHand: number
  readonly unprocessed: number
  readonly lost: number
  readonly refused: number
}

/** One of the last events of a shard, as its black box kept it. */
export interface ShardEvent {
  readonly address: string
  readonly incarnation: number
  /** Event type. */
  readonly type: string
  /** Position in the actor's life, from 0. */
  readonly sequence: number
  /** When its handling began, ms since the epoch. */
  readonly atMs: number
}

/** The kind of a fact. */
export type FactKind = Fact['kind']

/** The kinds of facts. */
export const factKinds = Object.keys({
  spawned: true,
  event: true,
  transition: true,
  action: true,
  exit: true,
  restart: true,
  deadLetter: true,
  link: true,
  shard: true,
  dropped: true,
} satisfies Record<FactKind, true>) as readonly FactKind[]

/** From what an incarnation was restored. */
export interface RestoredFrom {
  /** Age of the checkpoint when it was restored, milliseconds. */
  readonly ageMs: number
}

/** Which facts are wanted; all that is not named is not looked at. */
export interface FactFilter {
  /** Kinds; all by default. */
  readonly kinds?: readonly FactKind[]
  /** That address and all below it, as in a query of the tree; every address by default. */
  readonly under?: string
}

/** A message that reached nobody, or was lost with whom it had reached. */
export interface DeadLetter {
  readonly to: string
  readonly from: string | null
  readonly type: string
  readonly atMs: number
  /**
   * How far it came. `unprocessed`: it waited in a mailbox; `inHand`: it was being handled; `lost`: it was on its way;
   * `refused`: the mailbox was full, or nobody has that address; `expired`: its deadline passed first.
   */
  readonly fate: 'unprocessed' | 'inHand' | 'lost' | 'refused' | 'expired'
  /** In words. */
  readonly reason: string
}
