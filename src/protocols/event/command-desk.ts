/** Where the requests of one transport are handed to their commands, on one shard, and get an answer whatever happens. */
import type { Clock } from '../../actors/runtime/clock.ts'
import { importDefinition } from '../../actors/runtime/import-definition.ts'
import type { ProtocolEnvironment, ReplyPath } from '../../actors/serving/protocol.ts'
import { eventCommand, eventStatus } from '../../messages/event/status.ts'
import { createFaults } from '../../messages/option-faults.ts'
import { CommandRunner } from './command-runner.ts'
import type { AnswerRoom } from './command-scope.ts'
import { checkCommandNumber, commandsKind } from './commands.ts'
import type { EventDialect } from './dialect.ts'
import { type EventCall, EventCallCursor, type EventCommand, type EventTransport } from './event-call.ts'
import { CommandFailures, statusOfFailure } from './event-failure.ts'
import { type EventServiceOptions, resolveEventOptions } from './event-options.ts'
import { DialectFault } from './foreign-dialect.ts'

/** Command 0: the body comes back. */
export function echo(call: EventCall): void {
  call.answer(call.bytes, call.bodyStart, call.bodyEnd)
}

/** Command 1: the time of `clock`, u64 ms since the epoch. */
export function createPing(clock: Clock): EventCommand {
  const time = Buffer.alloc(8)
  return call => {
    time.writeBigUInt64BE(BigInt(Math.floor(clock.now())))
    call.answer(time)
  }
}

/** The commands of one transport, echo and ping among them. */
export class CommandDesk {
  readonly #dialect: EventDialect
  readonly #opensBodies: boolean
  readonly #handlers: Map<number, EventCommand>
  readonly #call: EventCallCursor
  readonly #failures: CommandFailures

  /** `BAD_CONFIG` for a command number that is taken or not a u16. */
  constructor(
    dialect: EventDialect,
    transport: EventTransport,
    { log, clock }: Pick<ProtocolEnvironment, 'log' | 'clock'>,
    commands: ReadonlyMap<number, EventCommand>,
  ) {
    this.#dialect = dialect
    this.#opensBodies = dialect.validateDecryptBody !== undefined
    this.#handlers = new Map<number, EventCommand>([
      [eventCommand.echo, echo],
      [eventCommand.ping, createPing(clock)],
    ])
    const faults = createFaults()
    for (const [number, command] of commands) {
      checkCommandNumber(String(number), faults)
      this.#handlers.set(number, command)
    }
    faults.throwIfAny('BAD_CONFIG', 'an event protocol')
    this.#call = new EventCallCursor(dialect, transport)
    this.#failures = new CommandFailures(log, clock)
  }

  knows(command: number): boolean {
    return this.#handlers.has(command)
  }

  /** Has the command of a whole request, which {@link CommandDesk.knows}, answer it on `path`, now or later. */
  serve(path: ReplyPath, bytes: Buffer, at: number, bodyBytes: number): void {
    this.#call.move(path, bytes, at, bodyBytes)
    if (!this.#opensBodies || this.#openBody()) this.#run(this.#dialect.command(bytes, at))
  }

  /** True when the body is fit for its command; else the request has been answered. */
  #openBody(): boolean {
    const call = this.#call
    try {
      call.open(this.#dialect.validateDecryptBody!(call.frame, call.sessionId))
      return true
    } catch (error) {
      const isFault = error instanceof DialectFault
      const status = isFault ? this.#failures.statusOf(call.command, error) : statusOfFailure(error)
      call.fail(status ?? eventStatus.decryptFailed)
      return false
    }
  }

  #run(command: number): void {
    const call = this.#call
    try {
      this.#handlers.get(command)!(call)
    } catch (error) {
      const status = this.#failures.statusOf(command, error)
      call.late?.fail(status)
      call.fail(status)
    }
    if (!call.answered) call.fail(eventStatus.handlerFailed)
  }
}

/**
 * Loads the commands of a server on its shard, ready to be run by number. An answer has the room that `room` says, that of
 * `replyBytesMax` when left out. `DEFINITION_NOT_FOUND`.
 */
export async function loadCommands(
  options: EventServiceOptions,
  environment: ProtocolEnvironment,
  room?: AnswerRoom,
): Promise<ReadonlyMap<number, EventCommand>> {
  if (options.commands === undefined) return new Map()
  const { table } = await importDefinition(options.commands, commandsKind)
  return new CommandRunner(resolveEventOptions(options), environment, room, options.pool).all(table)
}
