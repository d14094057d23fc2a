/**
 * What a chart may do to the world around it, as named actions: reply, send, watch, spawn, postpone.
 *
 * An action finds its actor by the `system` that XState hands it (a compiled chart hands its scope): never by a module
 * variable, since an invoked promise or a timer may step the chart at any time.
 */
import type { NamedCodec } from '../../messages/thread/event-codec.ts'
import type { ActorEvent, ActorRuntime } from './actor-runtime.ts'
import type { ActorSpec } from './child.ts'
import type { AnyActorDefinition, EventsOf } from './define-actor.ts'
import { eventCodecsOf } from './event-codecs.ts'
import type { CommandsOf, ReplyOf, RequestsOf } from './requests.ts'

/** The right to answer one request later. Plain data: it may stay in a context and in a snapshot. */
export interface ReplyToken {
  readonly requestId: number
  /** Shard and incarnation of the asker. */
  readonly shard: number
  readonly shardIncarnation: number
}

/** What the kernel does for the actions of one actor. */
export interface ActorPort {
  reply(type: string, value: unknown): void
  takeReplyToken(): ReplyToken | undefined
  replyTo(token: ReplyToken, value: unknown): void
  replyErrorTo(token: ReplyToken, error: unknown): void
  send(message: Message): void
  sendAfter(delayMs: number, message: Message, id: string | undefined): void
  cancelSend(id: string): void
  watch(address: string): void
  unwatch(address: string): void
  spawn(child: ActorSpec): void
  stopChild(id: string): void
  join(group: string): void
  leave(group: string): void
  postpone(): void
}

interface Bound {
  readonly port: ActorPort
  readonly runtime: ActorRuntime
}

const bound = new WeakMap<object, Bound>()

/** Tells the actions which actor a `system` (or the scope of a compiled chart) stands for. For engines. */
export function bindActor(system: object, port: ActorPort, runtime: ActorRuntime): void {
  bound.set(system, { port, runtime })
}

/**
 * The runtime of the actor in whose name an action or guard runs; undefined outside a system. How the actions of a
 * compiled chart do I/O: its code is shared by all incarnations, so it takes no `provide`.
 */
export function runtimeOf(scope: { readonly system: unknown }): ActorRuntime | undefined {
  return bound.get(scope.system as object)?.runtime
}

/** What an action is handed, as far as the actions here look at it. */
export interface ActionScope<C, E> {
  readonly context: C
  readonly event: E
  readonly system: unknown
}

type Action<C, E> = (scope: ActionScope<C, E>) => void

function portOf(scope: { readonly system: unknown }): ActorPort | undefined {
  return bound.get(scope.system as object)?.port
}

/**
 * Replies to requests of the chart's events. `replies('probe.status', ({ context }) => …)` is an action that answers
 * the request in hand; the type of the request and of the answer are checked against the event union.
 * Outside a system (a chart tried alone) it does nothing.
 */
export function reply<E extends ActorEvent, C = unknown>() {
  return <T extends RequestsOf<E>['type']>(
    type: T,
    answer: (scope: ActionScope<C, Extract<E, { type: T }>>) => ReplyOf<E, T>,
  ): Action<C, E> =>
    scope =>
      portOf(scope)?.reply(type, answer(scope as unknown as ActionScope<C, Extract<E, { type: T }>>))
}

/** The token of the request in hand, to answer it later with {@link replyTo}; undefined when the event was sent, not asked. */
export function replyToken(scope: { readonly system: unknown }): ReplyToken | undefined {
  return portOf(scope)?.takeReplyToken()
}

/** An action that answers an earlier request, of which the chart kept the token. */
export function replyTo<E extends ActorEvent, C = unknown>() {
  return <T extends RequestsOf<E>['type']>(
    _type: T,
    choose: (scope: {
      readonly context: C
      readonly event: E
    }) => { readonly token: ReplyToken; readonly value: ReplyOf<E, T> } | undefined,
  ): Action<C, E> =>
    scope => {
      const chosen = choose(scope)
      if (chosen !== undefined) portOf(scope)?.replyTo(chosen.token, chosen.value)
    }
}

/** An action that fails an earlier request, of which the chart kept the token. */
export function rejectTo<C, E extends ActorEvent>(
  choose: (scope: {
    readonly context: C
    readonly event: E
  }) => { readonly token: ReplyToken; readonly error: unknown } | undefined,
): Action<C, E> {
  return scope => {
    const chosen = choose(scope)
    if (chosen !== undefined) portOf(scope)?.replyErrorTo(chosen.token, chosen.error)
  }
}

/** A message to an address; `message` makes one that is checked against a definition. */
export interface Message {
  readonly to: string
  readonly event: ActorEvent
  /** The binary form of the event, where the definition has one. */
  readonly codec?: NamedCodec
}

/** A message whose event is one that actors of the definition take. */
export function message<D extends AnyActorDefinition>(
  definition: D,
  to: string,
  event: CommandsOf<EventsOf<D>> & ActorEvent,
): Message {
  const codec = eventCodecsOf(definition)?.get(event.type)
  return codec === undefined ? { to, event } : { to, event, codec }
}

/** An action that sends a message to another actor. What cannot be delivered becomes a dead letter. */
export function send<C, E extends ActorEvent>(
  choose: (scope: { readonly context: C; readonly event: E }) => Message | readonly Message[] | undefined,
): Action<C, E> {
  return scope => {
    const port = portOf(scope)
    const chosen = choose(scope)
    if (port === undefined || chosen === undefined) return
    if (!('to' in chosen)) for (const one of chosen) port.send(one)
    else port.send(chosen)
  }
}

/** An action that sends a message after a delay; `id` lets {@link cancelSend} call it back. Ends with the actor. */
export function sendAfter<C, E extends ActorEvent>(
  choose: (scope: {
    readonly context: C
    readonly event: E
  }) => (Message & { readonly delayMs: number; readonly id?: string }) | undefined,
): Action<C, E> {
  return scope => {
    const chosen = choose(scope)
    if (chosen !== undefined) portOf(scope)?.sendAfter(chosen.delayMs, chosen, chosen.id)
  }
}

/** An action that forgets a delayed send of this actor. */
export function cancelSend<C, E extends ActorEvent>(
  choose: (scope: { readonly context: C; readonly event: E }) => string,
): Action<C, E> {
  return scope => portOf(scope)?.cancelSend(choose(scope))
}

type ChooseText<C, E> = string | ((scope: { readonly context: C; readonly event: E }) => string)

function textOf<C, E>(choose: ChooseText<C, E>, scope: ActionScope<C, E>): string {
  return typeof choose === 'string' ? choose : choose(scope)
}

/**
 * An action that watches an address: its end comes as one `actor.exited` event with the `ActorExit`. The watch is set before
 * whatever this actor sends to it afterwards.
 */
export function watch<C, E extends ActorEvent>(choose: ChooseText<C, E>): Action<C, E> {
  return scope => portOf(scope)?.watch(textOf(choose, scope))
}

/** An action that stops watching an address. */
export function unwatch<C, E extends ActorEvent>(choose: ChooseText<C, E>): Action<C, E> {
  return scope => portOf(scope)?.unwatch(textOf(choose, scope))
}

/**
 * An action that starts a child of this actor, made by `child`: on its shard, with a restart budget of its own (3 in
 * 5 s). It ends with this actor. A spec that is not valid throws; a child that cannot be started is logged, and told to
 * whoever watches it.
 */
export function spawn<C, E extends ActorEvent>(
  choose: (scope: { readonly context: C; readonly event: E }) => ActorSpec,
): Action<C, E> {
  return scope => portOf(scope)?.spawn(choose(scope))
}

/** An action that stops a child which this actor started. */
export function stop<C, E extends ActorEvent>(choose: ChooseText<C, E>): Action<C, E> {
  return scope => portOf(scope)?.stopChild(textOf(choose, scope))
}

/** An action that joins this actor to a named group. */
export function join<C, E extends ActorEvent>(choose: ChooseText<C, E>): Action<C, E> {
  return scope => portOf(scope)?.join(textOf(choose, scope))
}

/** An action that leaves a named group. */
export function leave<C, E extends ActorEvent>(choose: ChooseText<C, E>): Action<C, E> {
  return scope => portOf(scope)?.leave(textOf(choose, scope))
}

/** An action that puts the event in hand aside until the chart's state changes, as gen_statem's postpone. */
export function postpone(scope: { readonly system: unknown }): void {
  portOf(scope)?.postpone()
}
