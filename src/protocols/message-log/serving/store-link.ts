/** The way from a shard to the owner of the store. */
import type { Clock } from '../../../actors/runtime/clock.ts'
import { eventCodecsOf } from '../../../actors/runtime/event-codecs.ts'
import type { ReplyOf, RequestFields, RequestsOf } from '../../../actors/runtime/requests.ts'
import type { ProtocolEnvironment } from '../../../actors/serving/protocol.ts'
import { isStarfishError } from '../../../messages/errors.ts'
import type { StoreEvent } from '../owner/events.ts'
import { logStore } from '../owner/log-store.ts'

/** Types of what the owner can be asked. */
type StoreRequestType = RequestsOf<StoreEvent>['type']

type StoreRequest<T extends StoreRequestType> = { readonly type: T } & RequestFields<StoreEvent, T>

type StoreReply<T extends StoreRequestType> = ReplyOf<StoreEvent, T>

/** True when the owner, or its shard, ended before it had looked at a request: the next one may be asked the same. */
export function isUntaken(error: unknown): boolean {
  return isOwnerLost(error) && error.handled === 'no'
}

/** True when the owner, or its shard, ended before it answered. */
export function isOwnerLost(error: unknown): error is Error & { readonly handled?: unknown } {
  return isStarfishError(error, 'ACTOR_DIED') || isStarfishError(error, 'SHARD_DIED')
}

/** Asks the owner of one store, whatever its incarnation. */
export class StoreLink {
  readonly #actor: ProtocolEnvironment['actor']
  readonly #address: string
  readonly #clock: Clock
  readonly #codecs = eventCodecsOf(logStore)

  constructor(actor: ProtocolEnvironment['actor'], address: string, clock: Clock) {
    this.#actor = actor
    this.#address = address
    this.#clock = clock
  }

  /** Asks once. Rejects with what the engine refuses it with, or with how the ask ended. */
  async askOnce<T extends StoreRequestType>(request: StoreRequest<T>, timeoutMs: number): Promise<StoreReply<T>> {
    return (await this.#askOnce(request, timeoutMs)) as StoreReply<T>
  }

  /** Asks, and asks the next incarnation if this one ends before it has looked at the request, all in `timeoutMs`. */
  async ask<T extends StoreRequestType>(request: StoreRequest<T>, timeoutMs: number): Promise<StoreReply<T>> {
    const dueMs = this.#clock.now() + timeoutMs
    for (;;) {
      try {
        return (await this.#askOnce(request, Math.max(1, dueMs - this.#clock.now()))) as StoreReply<T>
      } catch (error) {
        if (!isUntaken(error) || this.#clock.now() >= dueMs) throw error
      }
    }
  }

  /** Whole milliseconds: asks of a length share a timer, and what is left of a deadline would be of any length. */
  #askOnce(request: { readonly type: string }, timeoutMs: number): Promise<unknown> {
    const options = { timeoutMs: Math.ceil(timeoutMs) }
    return this.#actor.ask(this.#address, request, options, this.#codecs?.get(request.type))
  }
}
