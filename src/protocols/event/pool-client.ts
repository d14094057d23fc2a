/** The commands of one shard that run in the task pool. */
import type { ProtocolEnvironment } from '../../actors/serving/protocol.ts'
import type { TaskCancel, TaskOutcome, TaskRun } from '../../actors/task-pool/events.ts'
import { decodeError } from '../../messages/error-codec.ts'
import { isStarfishError } from '../../messages/errors.ts'
import { type EventStatus, eventStatus } from '../../messages/event/status.ts'
import type { CommandRequest } from './commands.ts'
import type { CommandFailures } from './event-failure.ts'
import type { PoolRequest } from './pool-tasks.ts'
import type { RunningCommand } from './running-command.ts'

/** The status for a task that was not done, by what became of it. */
const statusOf: Record<Exclude<TaskOutcome['type'], 'done' | 'failed' | 'expired' | 'lost'>, EventStatus> = {
  refused: eventStatus.overloaded,
  cancelled: eventStatus.timeout,
}

/** Has commands run in the pool that lives at an address. */
export class PoolClient {
  readonly #actor: ProtocolEnvironment['actor']
  readonly #address: string
  readonly #failures: CommandFailures
  /** Tasks in hand there whose senders have not proven their address. */
  unprovenTasks = 0
  #lastNumber = 0

  constructor(actor: ProtocolEnvironment['actor'], address: string, failures: CommandFailures) {
    this.#actor = actor
    this.#address = address
    this.#failures = failures
  }

  /** Has a request that was put off answered by its handler in the pool; one that may be anybody's waits behind others. */
  async run({ body, ...payload }: CommandRequest, running: RunningCommand, isUnproven: boolean): Promise<void> {
    const { address: owner, incarnation: ownerIncarnation } = this.#actor
    const { timeoutMs } = running
    const name = { owner, ownerIncarnation, number: ++this.#lastNumber }
    const content = { payload: payload satisfies PoolRequest, bytes: body }
    const task: TaskRun = { type: 'task.run', ...name, isBackground: isUnproven, timeoutMs, ...content }
    running.onAbandoned = () => this.#actor.send(this.#address, { type: 'task.cancel', ...name } satisfies TaskCancel)
    if (isUnproven) this.unprovenTasks++
    try {
      this.#settle(running, (await this.#actor.ask(this.#address, task, { timeoutMs })) as TaskOutcome)
    } catch (error) {
      if (isStarfishError(error, 'ASK_TIMEOUT')) running.timeOut()
      else running.fail(statusOfAsk(error))
    } finally {
      if (isUnproven) this.unprovenTasks--
    }
  }

  #settle(running: RunningCommand, outcome: TaskOutcome): void {
    if (outcome.type === 'done') running.answer(outcome.bytes)
    else if (outcome.type === 'expired') running.timeOut()
    else if (outcome.type === 'lost') this.#fail(running, new Error('a worker of the task pool ended under it'))
    else if (outcome.type !== 'failed') running.fail(statusOf[outcome.type])
    else this.#fail(running, decodeError(outcome.error))
  }

  #fail(running: RunningCommand, error: unknown): void {
    if (running.isAwaited) running.fail(this.#failures.statusOf(running.command, error))
  }
}

/** A pool that never had the task in hand is one without room; what it may have begun has failed. */
function statusOfAsk(error: unknown): EventStatus {
  return isStarfishError(error) && error.handled === 'no' ? eventStatus.overloaded : eventStatus.handlerFailed
}
