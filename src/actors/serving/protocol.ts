/**
 * What makes a server of frames speak this protocol and no other: a value with a header size, a judgement on headers, a
 * handler of frames and the answers to faults. Connections, limits, back pressure, TLS and draining are the same for all.
 *
 * Who may do what, and when:
 * - `header` is called once for each frame, as soon as its header is whole and before a byte of its body is kept. It
 *   accepts (the body size), refuses one frame (`skipBody`, after writing the answer), or gives up on the connection
 *   (`STOP`; first `link.finish()` if an answer should still reach the peer before the end).
 * - `request` is called once for each accepted frame that is whole. The bytes are only valid during the call. It answers at
 *   once (`link.reserve`), or takes a token (`link.defer`) and settles it later from anywhere on the thread.
 * - `fault` is called when the connection, not the protocol, finds the fault; the protocol chooses the answer, or silence.
 */
import type { ServerLimits } from '../../messages/limits.ts'
import type { LargeBuffers } from '../../messages/wire/large-buffers.ts'
import type { ActorLogger, ActorRuntime } from '../runtime/actor-runtime.ts'
import type { Clock, Random } from '../runtime/clock.ts'
import type { RefusalKind } from './refusals.ts'

/** What a connection finds wrong: no room or draining; a body cut off or too slow; no memory for a body. */
export type Fault = 'overloaded' | 'timeout' | 'memory'

/** Who has put off an answer. */
export interface Waiter {
  /**
   * It waits for something to happen, not for work to be done: however long that is, it is not late, and it takes no place
   * among the requests in flight of its shard.
   */
  readonly isPatient?: boolean
  /** The connection is gone: nobody can be answered. Called at most once, and not after the answer. */
  abandoned(): void
  /** The connection ends in good order, once all is answered: one that waits for something to happen is to answer now. May be told again. */
  ending?(): void
}

/** A request whose header is made again when somebody looks: cheaper than a copy for each that nobody looks at. */
export interface HeaderSource {
  requestHeader(): Buffer
}

/** The way of an answer to its sender, whatever the transport. */
export interface ReplyPath {
  /** The peer's IP address; empty once a connection is gone. */
  readonly peerAddress: string
  /** True when anybody may have written that address. Missing where the transport proves it. */
  readonly isUnproven?: boolean
  /** Has the sender of the request in hand prove its address, in place of an answer. Missing where there is no need of it. */
  challenge?(): void
  /** Where {@link ReplyPath.reserve} made room last. Not to be kept: the next reservation may be elsewhere. */
  readonly target: Buffer
  /** Makes room for `bytes` of output in {@link ReplyPath.target} and returns their offset there. They must all be written before the caller returns. */
  reserve(bytes: number): number
  /**
   * Announces that a request of `requestBytes` is answered later. With `replyOrder: 'requests'` later answers wait for it.
   * `header` is a copy of its header, or who can make one, for those who look on; `waiter` is told if nobody can be answered any
   * more.
   */
  defer(requestBytes: number, header: Buffer | HeaderSource, waiter?: Waiter): number
  /** Answers a deferred request with a whole frame, once; false when nobody waits for it or the token was used. */
  settle(token: number, reply: Uint8Array): boolean
  /** Counts what the protocol refused. */
  countRefusal(kind: RefusalKind): void
}

/** One connection, as its protocol sees it. */
export interface Link extends ReplyPath {
  /** `c1`, `c2`…: never used twice by one acceptor. */
  readonly id: string
  /** As much output of the shard waits for slow readers as may: an answer that can be a short one should be. */
  readonly isOutputFull: boolean
  /**
   * As {@link ReplyPath.settle}, for an answer that is written in place: room for `bytes` in {@link ReplyPath.target}, which must
   * all be written before the caller returns; -1 when nobody waits for it or the token was used. With `replyOrder: 'ready'` only.
   */
  place(token: number, bytes: number): number
  /** Takes the last reservation, or place, of `bytes` back: it could not be written. With `replyOrder: 'ready'` only. */
  takeBack(bytes: number): void
  /** Ends the connection after what has been answered so far: nothing more is read, the answers are sent, then FIN. */
  finish(): void
}

/** A protocol of frames. One value serves all connections of an acceptor. */
export interface FrameProtocol {
  readonly kind: 'frames'
  readonly name: string
  readonly headerBytes: number
  /** `requests`: answers leave in the order of the requests; `ready`: as they come. */
  readonly replyOrder: 'requests' | 'ready'
  /** What becomes of a request while the shard has as much in flight as it may: answered "overloaded", or not read before there is room. */
  readonly whenFull: 'refuse' | 'wait'
  /** Where frames lie that come in several chunks, if the protocol keeps nothing of a request once its call has returned. */
  readonly bodies?: LargeBuffers
  /** Judges the header at `bytes[at]`: body bytes to wait for, `skipBody(bodyBytes)` or `STOP`. */
  header(link: Link, bytes: Buffer, at: number): number
  /** Takes the frame whose header is at `bytes[at]`. */
  request(link: Link, bytes: Buffer, at: number, bodyBytes: number): void
  /** What the header at `bytes[at]` says, for those who look at a connection. Clonable. */
  describe(bytes: Buffer, at: number): FrameDescription
  /** Answers a fault, or not. `bytes` is missing when no header was read. */
  fault(link: Link, fault: Fault, bytes: Buffer | undefined, at: number): void
}

/** The fields of a header that a person would ask for. */
export type FrameDescription = Readonly<Record<string, number | string>>

/** What a protocol may touch besides its connections. */
export interface ProtocolEnvironment {
  readonly clock: Clock
  readonly random: Random
  readonly log: ActorLogger
  readonly limits: ServerLimits
  /** The actor that the protocol runs in: what it sends and asks, it does in its name. */
  readonly actor: Pick<ActorRuntime, 'address' | 'incarnation' | 'shard' | 'send' | 'ask' | 'onStop'>
}

/** A protocol that shards can load: options are plain data, the module's URL travels. */
export interface ProtocolDefinition<TOptions, TProtocol = FrameProtocol> {
  readonly moduleUrl: string
  readonly exportName: string
  /** Builds the protocol on the shard; throws `BAD_CONFIG` for options it cannot use. */
  create(options: TOptions, environment: ProtocolEnvironment): TProtocol | Promise<TProtocol>
}

/** How a protocol is named to another thread. */
export interface ProtocolReference {
  readonly moduleUrl: string
  readonly exportName: string
  /** Clonable. */
  readonly options: unknown
}

/** Declares a protocol: `export const eventProtocol = defineProtocol(import.meta.url, 'eventProtocol', …)`. */
export function defineProtocol<TOptions, TProtocol = FrameProtocol>(
  moduleUrl: string,
  exportName: string,
  create: ProtocolDefinition<TOptions, TProtocol>['create'],
): ProtocolDefinition<TOptions, TProtocol> {
  return { moduleUrl, exportName, create }
}

/** The reference that makes a shard load `definition` with these options. */
export function protocolReference<TOptions>(
  definition: Pick<ProtocolDefinition<TOptions, unknown>, 'moduleUrl' | 'exportName'>,
  options: TOptions,
): ProtocolReference {
  return { moduleUrl: definition.moduleUrl, exportName: definition.exportName, options }
}
