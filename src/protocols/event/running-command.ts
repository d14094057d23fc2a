/**
 * A request that is answered later: until its handler is done, its deadline, or the end of its connection.
 *
 * ```
 * put off -> answered          the handler's result
 *         -> answered 7        deadline; `signal` aborts, what the handler answers later is thrown away
 *         -> abandoned         connection gone; `signal` aborts
 * ```
 */
import { Deadline } from '../../actors/runtime/deadlines.ts'
import type { Waiter } from '../../actors/serving/protocol.ts'
import { StarfishError } from '../../messages/errors.ts'
import { type EventStatus, eventStatus } from '../../messages/event/status.ts'
import type { CommandReach } from './command-scope.ts'
import type { CommandContext } from './commands.ts'
import type { EventCall, LateAnswer } from './event-call.ts'

/** What the running commands of a shard have in common. */
export interface CommandTiming {
  readonly timeoutMs: number
  /** Has `expire` of the command called in `timeoutMs`. */
  begin(running: RunningCommand): void
  /** Takes that back. */
  end(running: RunningCommand): void
  /** It was not done in time. */
  late(running: RunningCommand): void
}

/** One request in the hands of its handler, and the context of that. */
export class RunningCommand extends Deadline implements CommandContext, Waiter {
  readonly command: number
  /** Called when the connection is gone before the answer. */
  onAbandoned: (() => void) | undefined
  readonly #reach: CommandReach
  readonly #timing: CommandTiming
  #late: LateAnswer | undefined
  #controller: AbortController | undefined
  /** Why nobody waits any more. */
  #ended: StarfishError | undefined

  constructor(command: number, reach: CommandReach, timing: CommandTiming) {
    super()
    this.command = command
    this.#reach = reach
    this.#timing = timing
  }

  get send(): CommandReach['send'] {
    return this.#reach.send
  }

  get ask(): CommandReach['ask'] {
    return this.#reach.ask
  }

  get ref(): CommandReach['ref'] {
    return this.#reach.ref
  }

  get log(): CommandReach['log'] {
    return this.#reach.log
  }

  /** Made when it is first looked at: most handlers never do. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#ended !== undefined) this.#controller.abort(this.#ended)
    }
    return this.#controller.signal
  }

  /** Puts the answer off; from here on the time runs. */
  putOff(call: EventCall): void {
    this.#late = call.later(this)
    this.#timing.begin(this)
  }

  /** Answers with status ok; false when nobody waits any more. */
  answer(body: Uint8Array): boolean {
    return this.#take()?.answer(body) ?? false
  }

  /** Answers another status; false when nobody waits any more. */
  fail(status: EventStatus): boolean {
    return this.#take()?.fail(status) ?? false
  }

  /** Answers that it was not done in time. */
  timeOut(): void {
    if (this.fail(eventStatus.timeout)) this.#timing.late(this)
  }

  /** How long it may take, ms. */
  get timeoutMs(): number {
    return this.#timing.timeoutMs
  }

  /** True while somebody waits for the answer. */
  get isAwaited(): boolean {
    return this.#late !== undefined
  }

  /** The deadline has passed. */
  expire(): void {
    const { command } = this
    const { timeoutMs } = this.#timing
    this.timeOut()
    const text = `command ${command} was not done within ${timeoutMs} ms`
    this.#abort(new StarfishError('ASK_TIMEOUT', text, { details: { command, timeoutMs } }))
  }

  abandoned(): void {
    if (this.#take() === undefined) return
    this.onAbandoned?.()
    const { command } = this
    const text = `the connection that asked for command ${command} is gone`
    this.#abort(new StarfishError('ASK_ABORTED', text, { details: { command } }))
  }

  #take(): LateAnswer | undefined {
    const late = this.#late
    if (late === undefined) return undefined
    this.#late = undefined
    this.#timing.end(this)
    return late
  }

  #abort(reason: StarfishError): void {
    this.#ended = reason
    this.#controller?.abort(reason)
  }
}
