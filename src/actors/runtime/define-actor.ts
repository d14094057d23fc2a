/**
 * Definitions: what an actor is, as a value that a worker can load again by module and export name.
 */
import type { AnyStateMachine, EventFromLogic, InputFrom } from 'xstate'
import type { EventCodec } from '../../messages/thread/event-codec.ts'
import type { ActorEvent, ActorRuntime } from './actor-runtime.ts'
import { checkDefinitionOptions } from './definition-options.ts'
import type { MailboxOptions } from './mailbox-options.ts'

declare const eventsOf: unique symbol
declare const inputOf: unique symbol

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

/** Names a definition across threads. */
export type DefinitionRef = Pick<ActorDefinition, 'moduleUrl' | 'exportName'>

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
 * module exports the result: shards load it by both. `spawn` checks that they lead back to this very value. Throws
 * BAD_CONFIG for options that cannot be used.
 *
 * @example export const counter = defineActor(import.meta.url, 'counter', { machine: counterMachine })
 */
export function defineActor<M extends AnyStateMachine>(
  moduleUrl: string,
  exportName: string,
  options: ActorOptions<M>,
): ActorDefinition<EventFromLogic<M>, InputFrom<M>> {
  checkDefinitionOptions(moduleUrl, exportName, options)
  return { kind: 'actor', moduleUrl, exportName, options: options as unknown as ActorOptions<AnyStateMachine> }
}
