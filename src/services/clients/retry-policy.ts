/**
 * Whether a request that failed is tried again, and when. Every client decides by this, and by nothing else.
 *
 * ```
 *   attempt failed
 *     ├─ the error will not go away            give up: notRetryable
 *     ├─ it may have been handled, and twice
 *     │  would be wrong                        give up: mayBeHandled
 *     ├─ too many retries as it is             give up: budget
 *     ├─ the deadline comes before the pause
 *     │  is over                               give up: deadline
 *     └─ else                                  pause, try again
 * ```
 *
 * Pauses grow exponentially with full jitter: any length up to the grown one is as likely (Exponential Backoff And Jitter,
 * AWS Architecture Blog, 2015). A budget keeps retries a fraction of requests, so that a server in trouble gets little more
 * load than it has, not a multiple of it (Finagle's RetryBudget; gRPC A6).
 */
import type { Random } from '../../actors/runtime/clock.ts'
import type { StarfishError } from '../../messages/errors.ts'
import type { Faults } from '../../messages/option-faults.ts'
import { backoffMs } from '../../supervisor/backoff.ts'
import { fillNumbers, type NumberRange, waitRange } from './client-options.ts'

/** How a client retries. */
export interface RetryOptions {
  /** The longest pause before the first retry, ms. Default 10. */
  readonly initialMs?: number
  /** The longest pause before any retry, ms. Default 1,000. */
  readonly maxMs?: number
  /** What the longest pause is multiplied by from one retry to the next. Default 2. */
  readonly factor?: number
  /** Retries that one request earns: 0.2 allows one for five requests. Default 0.2. */
  readonly ratio?: number
  /** Retries that one second earns, however few requests there are. Default 10. */
  readonly perSecond?: number
  /** Retries that can be saved up for a bad moment; a client begins with so many. Default 500. */
  readonly savedMax?: number
}

/** {@link RetryOptions}, filled in. */
export type RetryPolicy = Required<RetryOptions>

/** The policy of a client that was told nothing else. */
export const retryDefaults: RetryPolicy = {
  initialMs: 10,
  maxMs: 1_000,
  factor: 2,
  ratio: 0.2,
  perSecond: 10,
  savedMax: 500,
}

const ranges: Readonly<Record<keyof RetryPolicy, NumberRange>> = {
  initialMs: waitRange,
  maxMs: waitRange,
  factor: { least: 1, most: 1_000, isFraction: true },
  ratio: { least: 0, most: 1, isFraction: true },
  perSecond: { least: 0, most: 1_000_000, isFraction: true },
  savedMax: { least: 0, most: 1_000_000 },
}

/** Fills options and checks them. */
export function resolveRetryPolicy(options: RetryOptions | undefined, faults: Faults): RetryPolicy {
  return fillNumbers('retry', options, { defaults: retryDefaults, ranges }, faults)
}

/** A request that failed, as far as the decision goes. */
export interface FailedAttempt {
  /** 1 for the first. */
  readonly attempt: number
  readonly error: Pick<StarfishError, 'retryable' | 'handled'>
  /** Handling it twice does no harm. */
  readonly isIdempotent: boolean
  /** Milliseconds to its deadline. */
  readonly leftMs: number
  /** Whether the budget has a retry to spend. */
  readonly inBudget: boolean
}

/** Why a request is not tried again. */
export type GiveUp = 'notRetryable' | 'mayBeHandled' | 'budget' | 'deadline'

/** Milliseconds until the next attempt, or why there is none. */
export type RetryDecision = number | GiveUp

/** Decides on a request that failed. `random` is asked only when there is to be another attempt. */
export function decideRetry(failed: FailedAttempt, policy: RetryPolicy, random: Random): RetryDecision {
  const { error, isIdempotent, leftMs, inBudget, attempt } = failed
  if (!error.retryable) return 'notRetryable'
  if (error.handled !== 'no' && !isIdempotent) return 'mayBeHandled'
  if (!inBudget) return 'budget'
  const afterMs = backoffMs({ ...policy, jitter: 1 }, attempt, random())
  return afterMs < leftMs ? afterMs : 'deadline'
}

/** A token bucket: requests and time earn retries, retries spend them. Begins full. */
export class RetryBudget {
  readonly #policy: RetryPolicy
  #saved: number
  #atMs: number

  constructor(policy: RetryPolicy, nowMs: number) {
    this.#policy = policy
    this.#saved = policy.savedMax
    this.#atMs = nowMs
  }

  /** A request is made. */
  earn(): void {
    this.#saved = Math.min(this.#policy.savedMax, this.#saved + this.#policy.ratio)
  }

  /** Retries that may be made at `nowMs`. */
  left(nowMs: number): number {
    const earned = (this.#policy.perSecond * Math.max(0, nowMs - this.#atMs)) / 1_000
    this.#atMs = Math.max(this.#atMs, nowMs)
    this.#saved = Math.min(this.#policy.savedMax, this.#saved + earned)
    return Math.floor(this.#saved)
  }

  /** A retry is made. */
  spend(): void {
    this.#saved -= 1
  }
}
