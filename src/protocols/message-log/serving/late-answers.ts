/** Answers that come when work is done elsewhere, or that say that it was not done in time. */
import type { Clock } from '../../../actors/runtime/clock.ts'
import { Deadline, Deadlines } from '../../../actors/runtime/deadlines.ts'
import type { LateAnswer } from './log-call.ts'
import { type LogFailures, timedOut } from './log-failure.ts'

class TimedAnswer extends Deadline {
  readonly late: LateAnswer

  constructor(late: LateAnswer) {
    super()
    this.late = late
  }
}

/** The late answers of a shard. */
export class LateAnswers {
  readonly #failures: LogFailures
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #deadlines: Deadlines<TimedAnswer>

  /** `timeoutMs` is the time that work has. */
  constructor(failures: LogFailures, clock: Clock, timeoutMs: number) {
    this.#failures = failures
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#deadlines = new Deadlines(clock, true, ({ late }) => {
      const { errorCode, text } = timedOut(timeoutMs)
      late.fail(errorCode, text)
    })
  }

  /** Answers with what `answerOf` makes of the result. */
  async await<T>(late: LateAnswer, result: Promise<T>, answerOf: (value: T) => unknown): Promise<void> {
    const timed = new TimedAnswer(late)
    this.#deadlines.set(timed, this.#timeoutMs, this.#clock.now())
    try {
      late.answer(answerOf(await result))
    } catch (error) {
      this.fail(late, error)
    } finally {
      this.#deadlines.clear(timed)
    }
  }

  /** Answers what an error is answered with. */
  fail(late: LateAnswer, error: unknown): void {
    const { errorCode, text } = this.#failures.answerTo(error)
    late.fail(errorCode, text)
  }
}
