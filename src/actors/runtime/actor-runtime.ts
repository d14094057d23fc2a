/**
 * All that the I/O of an actor may touch: what `provide(runtime)` of a definition is handed.
 */
import type { NamedCodec } from '../../messages/thread/event-codec.ts'
import type { ActorExit, ExitReason } from '../../messages/thread/exit.ts'
import type { Clock, Random } from './clock.ts'
import type { HostReports, HostTable } from './hosted-actors.ts'

/** The part of a pino logger that actors use; the first argument may be an object of fields. */
export interface ActorLogger {
  trace(fields: object | string, message?: string): void
  debug(fields: object | string, message?: string): void
  info(fields: object | string, message?: string): void
  warn(fields: object | string, message?: string): void
  error(fields: object | string, message?: string): void
}

/** An event as every actor takes it. What takes any event is generic (`E extends ActorEvent`), so that it may have fields. */
export interface ActorEvent {
  readonly type: string
}

/** The ends that an actor can choose for itself. */
export type OwnExit = Extract<ExitReason, { type: 'normal' | 'shutdown' }>

/** Options of an ask. */
export interface AskOptions {
  /** Deadline, milliseconds from now. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** The surroundings of one incarnation of an actor. */
export interface ActorRuntime {
  readonly address: string
  readonly incarnation: number
  /** Index of the shard, -1 on the main thread. */
  readonly shard: number
  readonly clock: Clock
  readonly random: Random
  readonly log: ActorLogger
  /** Puts an event of this actor's own I/O (a socket, a file, a timer) into its mailbox; ignored once it has ended. */
  feed<E extends ActorEvent>(event: E): void
  /** Ends the actor as if an action had thrown `error`. */
  fail(error: unknown): void
  /** Ends the actor with a reason of its own that is no failure, as OTP's `exit(normal)` and `exit({shutdown, Term})` do. */
  exit(reason: OwnExit): void
  /** Sends to another address. Throws BAD_CONFIG for what is no address or no event; what cannot be delivered becomes a dead letter. */
  send<E extends ActorEvent>(to: string, event: E, codec?: NamedCodec): void
  /** Asks another address; rejects with a StarfishError that says whether the request was handled. */
  ask<E extends ActorEvent>(to: string, event: E, options: AskOptions, codec?: NamedCodec): Promise<unknown>
  /** Is told once when that actor ends; the function that is returned takes the watch back. */
  watch(address: string, listener: (exit: ActorExit) => void): () => void
  /** Shows the records that this actor runs as actors of their own; until it ends. */
  host(table: HostTable): HostReports
  /** Runs when the actor ends, whatever the cause (save the death of its thread); may be asynchronous. Last added runs first. */
  onStop(cleanup: () => void | Promise<void>): void
}
