/** What is known of messages that were sent and not yet answered. */
import { storageFailed } from '../engine-errors.ts'
import type { JetstreamConnection } from './connection.ts'
import { disconnected, type PublishFault } from './jetstream-faults.ts'
import type { PublishAnswers } from './publish-answers.ts'

/** What became of a chain: all is stored; JetStream refused a message; nobody knows. */
export type ChainOutcome =
  | { readonly type: 'stored' }
  | { readonly type: 'refused'; readonly fault: PublishFault }
  | { readonly type: 'unknown'; readonly error: unknown }

/** What it needs of the connection. */
export type FlightConnection = Pick<JetstreamConnection, 'store' | 'requestTimeoutMs' | 'onLost'>

/** The answers to one chain, and how long it waits for them. */
export class ChainFlight {
  /** Messages, from the first on, that are known to be stored. */
  answered = 0
  outcome: ChainOutcome | undefined
  readonly #length: number
  readonly #answers: PublishAnswers
  readonly #expected = new Set<string>()
  readonly #timer: NodeJS.Timeout
  readonly #stop: () => void
  #wake: (() => void) | undefined

  constructor(length: number, connection: FlightConnection, answers: PublishAnswers) {
    const { store, requestTimeoutMs } = connection
    this.#length = length
    this.#answers = answers
    this.#timer = setTimeout(() => this.#settleUnknown(silent(store)), requestTimeoutMs)
    this.#stop = connection.onLost(() => this.#settleUnknown(disconnected(store, 'unknown')))
  }

  /** The subject on which the message at `index` is to be answered. */
  ask(index: number): string {
    const subject = this.#answers.expect(({ error }) => {
      this.#expected.delete(subject)
      this.#timer.refresh()
      if (error === undefined) this.answered = Math.max(this.answered, index + 1)
      if (error !== undefined) this.#settle({ type: 'refused', fault: error })
      else if (this.answered === this.#length) this.#settle({ type: 'stored' })
      this.#wake?.()
    })
    this.#expected.add(subject)
    return subject
  }

  /** Resolves when something more is known. */
  async changed(): Promise<void> {
    if (this.outcome !== undefined) return
    await new Promise<void>(resolve => {
      this.#wake = resolve
    })
  }

  /** No more is waited for. */
  end(): void {
    clearTimeout(this.#timer)
    this.#stop()
    for (const subject of this.#expected) this.#answers.forget(subject)
  }

  #settleUnknown(error: unknown): void {
    this.#settle({ type: 'unknown', error })
  }

  #settle(outcome: ChainOutcome): void {
    this.outcome ??= outcome
    this.#wake?.()
  }
}

function silent(store: string): Error {
  return storageFailed('io', store, 'JetStream did not answer in time', 'unknown')
}
