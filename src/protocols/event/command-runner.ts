/** Runs the commands of a server on one shard: handlers here, or in the task pool, and all of them to an answer in time. */
import { Deadlines } from '../../actors/runtime/deadlines.ts'
import type { ProtocolEnvironment } from '../../actors/serving/protocol.ts'
import { type AnswerRoom, bodyOfResult, type CommandReach, createCommandReach, requestOf } from './command-scope.ts'
import type { Command, CommandTable } from './commands.ts'
import type { EventCommand } from './event-call.ts'
import { CommandFailures } from './event-failure.ts'
import type { FilledEventOptions, PoolShare } from './event-options.ts'
import { PoolClient } from './pool-client.ts'
import { type CommandTiming, RunningCommand } from './running-command.ts'

/** Runs commands of `table` on this shard. */
export class CommandRunner {
  readonly #raidaId: number
  readonly #room: AnswerRoom
  readonly #reach: CommandReach
  readonly #failures: CommandFailures
  readonly #timing: CommandTiming
  readonly #pool: PoolClient
  readonly #unprovenTasksMax: number

  /** `room` is that of an answer; `pool` the task pool, not needed where no command runs there. */
  constructor(
    options: FilledEventOptions,
    { actor, clock, log }: ProtocolEnvironment,
    room: AnswerRoom = { bytesMax: options.replyBytesMax, option: 'replyBytesMax' },
    pool: PoolShare = { address: '', unprovenTasksMax: 0 },
  ) {
    const deadlines = new Deadlines<RunningCommand>(clock, true, running => running.expire())
    const timeoutMs = options.commandTimeoutMs
    this.#raidaId = options.raidaId
    this.#room = room
    this.#reach = createCommandReach(actor, log)
    this.#failures = new CommandFailures(log, clock)
    this.#pool = new PoolClient(actor, pool.address, this.#failures)
    this.#unprovenTasksMax = pool.unprovenTasksMax
    this.#timing = {
      timeoutMs,
      begin: running => deadlines.set(running, timeoutMs, clock.now()),
      end: running => deadlines.clear(running),
      late: ({ command }) => this.#failures.late(command, timeoutMs),
    }
  }

  /** The commands of `table`, by number. */
  all(table: CommandTable): ReadonlyMap<number, EventCommand> {
    const entries = Object.entries(table).map(
      ([key, command]) => [Number(key), this.#command(Number(key), command)] as const,
    )
    return new Map(entries)
  }

  #command(number: number, { run, handle }: Command): EventCommand {
    return run === 'pool' ? this.#inPool(number) : this.#onShard(number, handle)
  }

  #onShard(number: number, handle: Command['handle']): EventCommand {
    return call => {
      const running = this.#begin(number)
      const result = handle(requestOf(call, this.#raidaId), running)
      if (isPromise(result)) {
        running.putOff(call)
        this.#await(running, result)
      } else {
        call.answer(bodyOfResult(result, this.#room))
      }
    }
  }

  #inPool(number: number): EventCommand {
    return call => {
      const { isUnproven } = call
      if (isUnproven && this.#pool.unprovenTasks >= this.#unprovenTasksMax) {
        call.challenge()
        return
      }
      const running = this.#begin(number)
      running.putOff(call)
      void this.#pool.run(requestOf(call, this.#raidaId), running, isUnproven)
    }
  }

  #begin(number: number): RunningCommand {
    return new RunningCommand(number, this.#reach, this.#timing)
  }

  #await(running: RunningCommand, result: PromiseLike<unknown>): void {
    result.then(
      value => this.#settle(running, value),
      error => this.#fail(running, error),
    )
  }

  #settle(running: RunningCommand, value: unknown): void {
    if (!running.isAwaited) return
    try {
      running.answer(bodyOfResult(value, this.#room))
    } catch (error) {
      this.#fail(running, error)
    }
  }

  #fail(running: RunningCommand, error: unknown): void {
    if (running.isAwaited) running.fail(this.#failures.statusOf(running.command, error))
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
