/**
 * The commands of an event server, as their author declares them: a module's export, which every shard and every worker of
 * the task pool loads for itself.
 */
import type { ActorEvent, ActorLogger, AskOptions } from '../../actors/runtime/actor-runtime.ts'
import type { AnyActorDefinition } from '../../actors/runtime/define-actor.ts'
import { type DefinitionKind, hasKind } from '../../actors/runtime/import-definition.ts'
import type { TypedAddress } from '../../actors/runtime/typed-address.ts'
import { StarfishError } from '../../messages/errors.ts'
import { eventCommand } from '../../messages/event/status.ts'
import type { EventTransport } from './event-call.ts'

/** One request. It is the handler's own: it may be kept, and changed, as long as it likes. */
export interface CommandRequest {
  readonly command: number
  /** What the client knows the request by; it comes back in the answer. */
  readonly sessionId: number
  /** The number of the server that the request is for. */
  readonly raidaId: number
  /** IP address of the client. Over UDP anybody can write any. */
  readonly peerAddress: string
  readonly transport: EventTransport
  /** In the clear, whatever the protocol does to bodies on their way. */
  readonly body: Uint8Array
}

/** What a handler can reach. Every member may be taken out of the object: `({ send, signal }) => …`. */
export interface CommandContext {
  /** Sends an event to an actor, in the name of the server's. Never throws: what cannot be delivered becomes a dead letter. */
  send<E extends ActorEvent>(to: string, event: E): void
  /** Asks an actor. Rejects with a StarfishError that says whether the request was handled. */
  ask<E extends ActorEvent>(to: string, event: E, options: AskOptions): Promise<unknown>
  /** An actor by its definition and address: what is sent and asked is checked by the compiler. */
  ref<D extends AnyActorDefinition>(definition: D, address: string): TypedAddress<D>
  readonly log: ActorLogger
  /**
   * Aborts when nobody waits for the result any more: `reason` is a StarfishError, ASK_TIMEOUT at the deadline,
   * ASK_ABORTED when the connection is gone. In the pool it never does: a worker that is late is ended as it is.
   */
  readonly signal: AbortSignal
}

/** The body of the answer; text goes out as UTF-8. */
export type CommandResult = Uint8Array | string | undefined

/** One command. */
export interface Command {
  /**
   * Where it runs. `shard` (the default): on the thread of the connection, for what is done in microseconds or waits for
   * others. `pool`: on a worker of the task pool, for what computes; the requests of a shard go on meanwhile.
   */
  readonly run?: 'shard' | 'pool'
  /**
   * Answers a request: what it returns, or resolves with, goes out with status ok. What it throws, or rejects with, is
   * answered `handlerFailed`; an error of `eventFailure` as that says. Over UDP one request may be handled twice.
   */
  handle(request: CommandRequest, context: CommandContext): CommandResult | Promise<CommandResult>
}

/** Commands by number, 2 to 65,535: 0 and 1 are echo and ping. */
export type CommandTable = Readonly<Record<number, Command>>

/** The commands of a server; see {@link defineCommands}. */
export interface CommandsDefinition {
  readonly kind: 'commands'
  /** `import.meta.url` of the module that exports it. */
  readonly moduleUrl: string
  readonly exportName: string
  readonly table: CommandTable
}

/** What is imported for a server's commands. */
export const commandsKind: DefinitionKind<CommandsDefinition> = {
  name: 'a definition of commands',
  is: (value): value is CommandsDefinition => hasKind(value, 'commands'),
}

/**
 * Defines the commands of an event server. `moduleUrl` is the `import.meta.url` of the calling module and `exportName` the
 * name under which that module, which is not the program's entry, exports the result. `BAD_CONFIG` names a command
 * that cannot be.
 *
 * @example
 * export const commands = defineCommands(import.meta.url, 'commands', {
 *   0x10: { handle: ({ body }) => body.toReversed() },
 *   0x11: { run: 'pool', handle: ({ body }) => scryptSync(body, 'salt', 32) },
 * })
 */
export function defineCommands(moduleUrl: string, exportName: string, table: CommandTable): CommandsDefinition {
  const builtIn = new Set<number>(Object.values(eventCommand))
  for (const [key, { run = 'shard', handle }] of Object.entries(table)) {
    checkCommandNumber(Number(key), builtIn)
    if (run !== 'shard' && run !== 'pool') throw badCommand(`command ${key}: run must be 'shard' or 'pool'`, run)
    if (typeof handle !== 'function') throw badCommand(`command ${key}: handle must be a function`, handle)
  }
  return { kind: 'commands', moduleUrl, exportName, table }
}

/** Answers a number that a command may have; `BAD_CONFIG` for one that is taken or no u16. */
export function checkCommandNumber(command: number, taken: { has(command: number): boolean }): number {
  if (Number.isInteger(command) && command >= 0 && command <= 0xffff && !taken.has(command)) return command
  throw badCommand(`command ${command} must be an integer from 0 to 65535 that is not taken`, command)
}

function badCommand(message: string, value: unknown): StarfishError {
  return new StarfishError('BAD_CONFIG', message, { details: { option: 'commands', value: String(value) } })
}
