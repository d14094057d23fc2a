/**
 * The vocabulary: a fault is a value that says what is done to whom. It can be written down, drawn and repeated.
 */
import type { Addressed } from '../supervisor/actor-ref.ts'

/** Whom a verb hits: an actor, by its address or a reference to it, or a shard, by its index. */
export type Target = Addressed | { readonly shard: number }

/** Whom a fault hits: the actor of the address `target`, or a shard. */
export type Victim =
  | { readonly target: string; readonly shard?: undefined }
  | { readonly shard: number; readonly target?: undefined }

/**
 * How something crashes. `throw`: an error that nobody catches; `reject`: a promise rejected that nobody listens to; both
 * cost an actor only itself. `exit`: `process.exit`; `outOfMemory`: its heap fills up; both cost an actor its shard.
 */
export type CrashHow = 'throw' | 'reject' | 'exit' | 'outOfMemory'

/** Ends an actor, or a shard's worker, without asking it. */
export type KillFault = { readonly kind: 'kill' } & Victim

/** Makes code of the victim fail, on its own thread. */
export type CrashFault = { readonly kind: 'crash'; readonly how: CrashHow } & Victim

/** Keeps the shard, or that of the actor, in a busy loop for `forMs` milliseconds; the watchdog may end it before. */
export type StallFault = { readonly kind: 'stall'; readonly forMs: number } & Victim

/**
 * Holds the victim still until it is resumed. A paused shard sleeps in its thread: the watchdog ends it as `paused` when
 * that takes too long. A paused actor takes nothing out of its mailbox, control lane included, while timers and promises of
 * its own go on; the pause is that of one incarnation and ends with it.
 */
export type PauseFault = { readonly kind: 'pause' } & Victim

interface Between {
  /** Address of the sender; null for what no actor sends, such as the sends and asks of references. */
  readonly from: string | null
  /** Address of the receiver. */
  readonly to: string
}

/**
 * Loses events and requests on their way from one address to another: `count` of them, or each with the probability
 * `ratio` (0 to 1), or all. Each becomes a dead letter of the fate `lost`; a request runs into its deadline. Replies, and what
 * the kernel itself says on the control lane, come through.
 */
export interface DropFault extends Between {
  readonly kind: 'drop'
  readonly count?: number
  readonly ratio?: number
  /** Of the dice for `ratio`; the same seed loses the same messages. 1 by default. */
  readonly seed?: number
}

/** Holds each event and request from one address to another back for `delayMs` milliseconds; they stay in order. */
export interface DelayFault extends Between {
  readonly kind: 'delay'
  readonly delayMs: number
}

/** A fault between two addresses. */
export type TrafficFault = DropFault | DelayFault

/** A fault. Drops, delays and pauses last until they are released; the others happen once. */
export type Fault = KillFault | CrashFault | StallFault | PauseFault | TrafficFault
