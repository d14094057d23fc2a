/**
 * A reference to an actor: its address with the types of its definition. Plain to make, valid over all incarnations.
 */
import type { ActorEvent } from '../actors/runtime/actor-runtime.ts'
import type { AnyActorDefinition, EventsOf } from '../actors/runtime/define-actor.ts'
import type { CommandsOf } from '../actors/runtime/requests.ts'
import { type AddressHost, TypedAddress } from '../actors/runtime/typed-address.ts'
import { checkEvent } from '../messages/argument-check.ts'
import type { NamedCodec } from '../messages/thread/event-codec.ts'
import { checkDelay } from './argument-check.ts'
import type { ActorDetails } from './kernel/actor-summary.ts'

/** What a reference needs of its system. */
export interface RefHost extends AddressHost {
  sendAfter(to: string, event: ActorEvent, delayMs: number, codec: NamedCodec | undefined): () => void
  details(address: string): Promise<ActorDetails | undefined>
}

/** An actor of the definition `D`. */
export class ActorRef<D extends AnyActorDefinition = AnyActorDefinition> extends TypedAddress<D> {
  readonly #host: RefHost

  constructor(host: RefHost, definition: D, address: string) {
    super(host, definition, address)
    this.#host = host
  }

  /**
   * Sends a command after `delayMs` milliseconds, at most 24 days; the function returned takes it back. Throws OVERLOADED
   * when 100,000 of the system wait. What is not due when the system stops is not sent.
   */
  sendAfter(event: CommandsOf<EventsOf<D>>, delayMs: number): () => void {
    checkEvent('sendAfter', event)
    checkDelay('sendAfter', delayMs)
    return this.#host.sendAfter(this.address, event as ActorEvent, delayMs, this.codecOf(event))
  }

  /** All that can be seen of the actor now; undefined when there is none. */
  inspect(): Promise<ActorDetails | undefined> {
    return this.#host.details(this.address)
  }
}

/** An address, or what has one. */
export type Addressed = string | { readonly address: string }
