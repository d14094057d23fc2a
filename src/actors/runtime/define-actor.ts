/**
 * Definitions: what an actor is, as a value that a worker can load again by module and export name.
 */
import type { AnyStateMachine, EventFromLogic, InputFrom } from 'xstate'
import { StarfishError } from '../../messages/errors.ts'
import type { EventCodec } from '../../messages/thread/event-codec.ts'
import type { ActorEvent, ActorRuntime } from './actor-runtime.ts'

declare const eventsOf: unique symbol
declare const inputOf: unique symbol

/** What a full mailbox does with one more message. */
export type Overflow = 'reject' | 'drop_oldest' | 'drop_newest'

/** Options of a mailbox. */
export interface MailboxOptions {
  /** Messages that wait, the one in hand not counted. 1,000 by default. */
  readonly capacity?: number
  /**
   * `reject` (the default) makes the newcomer a dead letter and fails its ask; `drop_oldest` and `drop_newest` do the
   * same to the message they name.
   */
  readonly overflow?: Overflow
}

/** What `defineActor` takes. */
export interface ActorOptions<M extends AnyStateMachine> {
  /** The chart. */
  readonly machine: M
  /**
   * The chart's I/O: implementations that are handed to `machine.provide` for each incarnation. Not with
   * `engine: 'compiled'`: generated code is shared, its actions reach their actor by `runtimeOf`.
   */
  readonly provide?: (runtime: ActorRuntime) => Parameters<M['provide']>[0]
  /** `live` (the default) runs the chart as an XState actor, `compiled` as generated code: ten times the speed, fewer features. */
  readonly engine?: 'live' | 'compiled'
  /**
   * Runs before the chart starts, as OTP's init. Answering `ignore` declines: the child stays defined without an actor.
   * Throwing is a `bootstrapFailed`, not settling in time an `initTimedOut`; the deadline is the child's `initTimeoutMs`.
   */
  readonly init?: (input: InputFrom<M>, runtime: ActorRuntime) => InitResult | Promise<InitResult>
  readonly mailbox?: MailboxOptions
  /**
   * For children that restart from a `snapshot`: a checkpoint is taken after the first event that ends so many
   * milliseconds or more after the last one. 1,000 by default; 0 takes one after each event.
   */
  readonly checkpointEveryMs?: number
  /** Events that are remembered for the black box. 16 by default. */
  readonly blackBoxEvents?: number
  /**
   * Binary forms of events, for actors that take millions a second from other shards. Used by senders that know the
   * definition: `system.ref`, `spawn`, and `message` in a chart; an address alone gets a structured clone.
   */
  readonly codecs?: readonly EventCodec[]
}

/** What `init` answers: nothing to start, `ignore` to decline. */
export type InitResult = 'ignore' | undefined

/**
 * An actor definition: create it with {@link defineActor} and export it under the name it carries.
 * `E` is the union of the events its chart takes, `I` its input.
 */
export interface ActorDefinition<E extends ActorEvent = ActorEvent, I = unknown> {
  readonly kind: 'actor'
  /** `import.meta.url` of the module that exports it. */
  readonly moduleUrl: string
  readonly exportName: string
  readonly options: ActorOptions<AnyStateMachine>
  readonly [eventsOf]?: (event: E) => E
  readonly [inputOf]?: (input: I) => I
}

/** Any definition, where its types do not matter. */
export type AnyActorDefinition = Pick<ActorDefinition, 'kind' | 'moduleUrl' | 'exportName' | 'options'>

/** The events of a definition. */
export type EventsOf<D> = D extends { readonly [eventsOf]?: (event: infer E) => unknown } ? E : never

/** The input of a definition. */
export type InputOf<D> = D extends { readonly [inputOf]?: (input: infer I) => unknown } ? I : never

/** `{ input }` where the chart declares one, nothing to give where it does not. */
export type InputOption<D> =
  unknown extends InputOf<D>
    ? { readonly input?: undefined }
    : undefined extends InputOf<D>
      ? { readonly input?: InputOf<D> }
      : { readonly input: InputOf<D> }

/**
 * Defines an actor. `moduleUrl` is the `import.meta.url` of the calling module and `exportName` the name under which that
 * module exports the result: shards load it by both. `spawn` checks that they lead back to this very value.
 *
 * @example export const counter = defineActor(import.meta.url, 'counter', { machine: counterMachine })
 */
export function defineActor<M extends AnyStateMachine>(
  moduleUrl: string,
  exportName: string,
  options: ActorOptions<M>,
): ActorDefinition<EventFromLogic<M>, InputFrom<M>> {
  if (options.engine === 'compiled' && options.provide !== undefined) {
    throw new StarfishError(
      'BAD_CONFIG',
      `${exportName}: a compiled chart takes no provide; use runtimeOf in its actions`,
      {
        details: { moduleUrl, exportName, option: 'provide' },
      },
    )
  }
  return { kind: 'actor', moduleUrl, exportName, options: options as unknown as ActorOptions<AnyStateMachine> }
}
