/** A request of a client, from the call to its end: one record, whatever number of attempts it takes. */

import { Deadline } from '../../actors/runtime/deadlines.ts'
import type { Handled, StarfishError } from '../../messages/errors.ts'

/** Where a request is. It is in exactly one place at a time. */
export type RequestStage =
  /** Waits for a connection that has room. */
  | 'queued'
  /** A connection has it; it may be on the wire. */
  | 'sent'
  /** Waits for the end of the pause before its next attempt. */
  | 'pausing'
  /** Its promise is settled. */
  | 'over'

/** How a request is tried. */
export interface PendingOptions {
  readonly timeoutMs: number
  /** Handling it twice does no harm. */
  readonly isIdempotent: boolean
  /** The client tries it again by its retry policy; else whoever asked decides. Default true. */
  readonly isRetried?: boolean
}

/** What keeps requests in their order: they go by one carrier as long as that owes answers. */
export interface Course {
  carrier: object | undefined
}

/** The base of every protocol's request; `A` is its answer. */
export abstract class PendingRequest<A = unknown> extends Deadline {
  /** What it takes on the wire, header included; queues and buffers are bounded by it. */
  readonly bytes: number
  readonly timeoutMs: number
  readonly isIdempotent: boolean
  readonly isRetried: boolean
  stage: RequestStage = 'queued'
  /** Attempts that were begun. */
  attempts = 0
  /** Whether an attempt that failed may have been handled. */
  handled: Handled = 'no'
  /** What the last attempt that ended failed with. */
  lastFailure: StarfishError | undefined = undefined
  /** Who has it while it is sent, and who had it last. */
  carrier: object | undefined = undefined
  /** Requests of one course do not overtake each other. */
  course: Course | undefined = undefined
  /** For the carrier: how much it had heard when it took the request. */
  heardBefore = 0
  forgetSignal: (() => void) | undefined = undefined
  readonly #resolve: (answer: never) => void
  readonly #reject: (error: unknown) => void

  constructor(bytes: number, options: PendingOptions, resolve: (answer: A) => void, reject: (error: unknown) => void) {
    super()
    this.bytes = bytes
    this.timeoutMs = options.timeoutMs
    this.isIdempotent = options.isIdempotent
    this.isRetried = options.isRetried ?? true
    this.#resolve = resolve
    this.#reject = reject
  }

  /** What it asks for, in words: `command 16`. */
  abstract describe(): string

  /** What may be wrong with it if the connection that it was sent by ends: the end of a sentence. */
  get doubt(): string {
    return ''
  }

  /** Settles its promise. */
  resolve(answer: A): void {
    ;(this.#resolve as (answer: A) => void)(answer)
  }

  /** Settles its promise. */
  reject(error: unknown): void {
    this.#reject(error)
  }
}
