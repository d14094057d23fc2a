/**
 * A reference to an actor: its address with the types of its definition. Plain to make, valid over all incarnations.
 */
import type { ActorEvent } from '../actors/runtime/actor-runtime.ts'
import type { AnyActorDefinition, EventsOf } from '../actors/runtime/define-actor.ts'
import { type EventCodecs, eventCodecsOf } from '../actors/runtime/event-codecs.ts'
import type { CommandsOf, ReplyOf, RequestFields, RequestsOf } from '../actors/runtime/requests.ts'
import type { NamedCodec } from '../messages/thread/event-codec.ts'
import { checkDelay, checkEvent } from './argument-check.ts'
import type { ActorDetails } from './kernel/actor-summary.ts'
import type { AskOptions } from './kernel/asks.ts'

/** What a reference needs of its system. */
export interface RefHost {
  send(to: string, event: ActorEvent, codec: NamedCodec | undefined): void
  sendAfter(to: string, event: ActorEvent, delayMs: number, codec: NamedCodec | undefined): () => void
  ask(to: string, event: ActorEvent, options: AskOptions, codec: NamedCodec | undefined): Promise<unknown>
  details(address: string): Promise<ActorDetails | undefined>
}

/** An actor of the definition `D`. */
export class ActorRef<D extends AnyActorDefinition = AnyActorDefinition> {
  readonly address: string
  readonly definition: D
  readonly #host: RefHost
  readonly #codecs: EventCodecs | undefined

  constructor(host: RefHost, definition: D, address: string) {
    this.#host = host
    this.definition = definition
    this.#codecs = eventCodecsOf(definition)
    this.address = address
  }

  /**
   * Sends a command. Never throws for what happens on the way: what cannot be delivered becomes a dead letter. A chart
   * whose present state takes no such event passes it over, as XState does; `postpone` in a `*` transition keeps it.
   */
  send(event: CommandsOf<EventsOf<D>>): void {
    checkEvent('send', event)
    this.#host.send(this.address, event as ActorEvent, this.#codecs?.get(event.type))
  }

  /** Sends a command after `delayMs` milliseconds, at most 24 days; the function returned takes it back. */
  sendAfter(event: CommandsOf<EventsOf<D>>, delayMs: number): () => void {
    checkEvent('sendAfter', event)
    checkDelay('sendAfter', delayMs)
    return this.#host.sendAfter(this.address, event as ActorEvent, delayMs, this.#codecs?.get(event.type))
  }

  /**
   * Sends a request; resolves with its reply. Settles always: rejects with a StarfishError whose `handled` says whether
   * the request may have been handled. ASK_TIMEOUT, ASK_ABORTED, ACTOR_DIED (details: address, incarnation, reason),
   * MAILBOX_FULL, NO_SUCH_ACTOR, NO_REPLY (also where the chart's present state takes no such request), NOT_CLONABLE,
   * OVERLOADED, SHUTTING_DOWN, BAD_CONFIG (no deadline); or with what the chart rejected it with.
   */
  ask<const T extends RequestsOf<EventsOf<D>>['type']>(
    event: { readonly type: T } & Omit<RequestFields<EventsOf<D>, T>, 'type'>,
    options: AskOptions,
  ): Promise<ReplyOf<EventsOf<D>, T>> {
    return this.#host.ask(this.address, event, options, this.#codecs?.get(event?.type)) as Promise<
      ReplyOf<EventsOf<D>, T>
    >
  }

  /** All that can be seen of the actor now; undefined when there is none. */
  inspect(): Promise<ActorDetails | undefined> {
    return this.#host.details(this.address)
  }
}

/** An address, or what has one. */
export type Addressed = string | { readonly address: string }
