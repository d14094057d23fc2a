/** An address with the types of a definition: what can be said to who lives there, checked when it is written. */
import type { NamedCodec } from '../../messages/thread/event-codec.ts'
import type { ActorEvent, AskOptions } from './actor-runtime.ts'
import type { AnyActorDefinition, EventsOf } from './define-actor.ts'
import { type EventCodecs, eventCodecsOf } from './event-codecs.ts'
import type { CommandsOf, ReplyOf, RequestFields, RequestsOf } from './requests.ts'

/** Who carries messages to addresses: an actor's runtime, a system. */
export interface AddressHost {
  send(to: string, event: ActorEvent, codec: NamedCodec | undefined): void
  ask(to: string, event: ActorEvent, options: AskOptions, codec: NamedCodec | undefined): Promise<unknown>
}

/** An actor of the definition `D`, valid over all its incarnations. */
export class TypedAddress<D extends AnyActorDefinition = AnyActorDefinition> {
  readonly address: string
  readonly definition: D
  readonly #host: AddressHost
  readonly #codecs: EventCodecs | undefined

  constructor(host: AddressHost, definition: D, address: string) {
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
    this.#host.send(this.address, event as ActorEvent, this.codecOf(event as ActorEvent))
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
    return this.#host.ask(this.address, event, options, this.codecOf(event)) as Promise<ReplyOf<EventsOf<D>, T>>
  }

  /** The binary form that the definition has for an event; undefined when it has none. */
  protected codecOf(event: ActorEvent): NamedCodec | undefined {
    return this.#codecs?.get(event?.type)
  }
}
