/**
 * The commands of an event server, as their author declares them: a module's export, which every shard and every worker of
 * the task pool loads for itself.
 */
import type { ActorEvent, ActorLogger, AskOptions } from '../../actors/runtime/actor-runtime.ts'
import type { AnyActorDefinition } from '../../actors/runtime/define-actor.ts'
import { type DefinitionKind, hasKind } from '../../actors/runtime/import-definition.ts'
import type { TypedAddress } from '../../actors/runtime/typed-address.ts'
import { eventCommand } from '../../messages/event/status.ts'
import { createFaults, type Faults, show } from '../../messages/option-faults.ts'
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
  /**
   * Sends an event to an actor, in the name of the server's. Throws BAD_CONFIG for what is no address or no event; what
   * cannot be delivered becomes a dead letter.
   */
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
 * name under which that module, which is not the program's entry, exports the result. `BAD_CONFIG` names all
 * that cannot be.
 *
 * @example
 * export const commands = defineCommands(import.meta.url, 'commands', {
 *   0x10: { handle: ({ body }) => body.toReversed() },
 *   0x11: { run: 'pool', handle: ({ body }) => scryptSync(body, 'salt', 32) },
 * })
 */
export function defineCommands(moduleUrl: string, exportName: string, table: CommandTable): CommandsDefinition {
  const faults = createFaults()
  faults.name('moduleUrl', moduleUrl)
  faults.name('exportName', exportName)
  if (typeof table !== 'object' || table === null) faults.add('table', `is ${show(table)}, not commands by number`)
  else for (const [number, command] of Object.entries(table)) checkCommand(number, command, faults)
  faults.throwIfAny('BAD_CONFIG', 'defineCommands')
  return { kind: 'commands', moduleUrl, exportName, table }
}

function checkCommand(number: string, command: unknown, faults: Faults): void {
  checkCommandNumber(number, faults)
  if (!faults.options(`command ${number}`, command, ['run', 'handle'])) return
  const within = faults.within(`command ${number}`)
  const { run = 'shard', handle } = command as Partial<Command>
  within.oneOf('run', run, ['shard', 'pool'])
  if (typeof handle !== 'function') within.add('handle', `is ${show(handle)}, no function`)
}

const builtIn = new Map<string, string>(Object.entries(eventCommand).map(([name, number]) => [String(number), name]))

/** Adds a fault for a number that no command of a user can have. */
export function checkCommandNumber(number: string, faults: Faults): void {
  const name = builtIn.get(number)
  if (name !== undefined) faults.add(`command ${number}`, `is ${name}: commands are 2 to 65535`)
  else if (!isU16(number)) faults.add(`command ${number}`, 'is not a whole number from 2 to 65535')
}

/** As an object has it for a key: 0x10 is written 16. */
function isU16(text: string): boolean {
  const number = Number(text)
  return String(number) === text && Number.isInteger(number) && number >= 0 && number <= 0xffff
}
