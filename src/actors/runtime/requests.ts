/**
 * Requests: events that are answered. The type of the answer travels with the event as a phantom, so the event union
 * of a chart declares everything that may be said to it.
 */
import type { ActorEvent } from './actor-runtime.ts'

declare const replyOf: unique symbol

/** Declares that the event `E` is a request which is answered by an `R`. Costs nothing at run time. */
export type Request<E extends ActorEvent, R> = E & { readonly [replyOf]?: (reply: R) => R }

type AnyRequest = { readonly type: string; readonly [replyOf]?: unknown }

/** The members of an event union that are requests: what may be asked. */
export type RequestsOf<E> = E extends AnyRequest ? (typeof replyOf extends keyof E ? E : never) : never

/** The members of an event union that are not requests: what may be sent. A request sent would lose its reply. */
export type CommandsOf<E> = E extends AnyRequest ? (typeof replyOf extends keyof E ? never : E) : never

/** The request of type `T` without its phantom: what a caller writes down. */
export type RequestFields<E, T extends string> = Omit<Extract<RequestsOf<E>, { readonly type: T }>, typeof replyOf>

/** What the request of type `T` is answered with. */
export type ReplyOf<E, T extends string> =
  Extract<RequestsOf<E>, { readonly type: T }> extends { readonly [replyOf]?: (reply: infer R) => unknown } ? R : never
