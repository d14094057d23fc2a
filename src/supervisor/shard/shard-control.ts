/**
 * The control plane of a shard: what the main thread calls over Comlink. Every answer is an {@link Answered}, since
 * Comlink itself loses the fields of errors.
 */
import type { MessagePort } from 'node:worker_threads'
import type { DefinitionRef } from '../../actors/runtime/define-actor.ts'
import type { EncodedError } from '../../messages/error-codec.ts'
import type { EncodedExitReason } from '../../messages/thread/exit-codec.ts'
import type { FactFilter } from '../../messages/thread/fact.ts'
import type { Checkpoint } from '../../messages/thread/kernel-message.ts'
import type { ResolvedActorSpec, ResolvedSupervisorSpec } from '../child-spec.ts'
import type { ActorDetails, ActorSummary, TreeQuery } from '../kernel/actor-summary.ts'
import type { RemoteStart } from '../kernel/child-start.ts'
import type { DeadLetterReport } from '../kernel/dead-letters.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { StartCounts } from '../start-counts.ts'
import type { ShardContext } from './worker-host.ts'

/** The result of a control call. */
export type Answered<T> = { readonly value: T } | { readonly error: EncodedError }

/** The edge to another thread. */
export interface PeerEnds {
  readonly shard: number
  readonly incarnation: number
  readonly port: MessagePort
  readonly outbound: SharedArrayBuffer
  readonly inbound: SharedArrayBuffer
  /** Why the thread's last worker ended, if it had one: the edge may open before that is told in the usual way. */
  readonly lost?: EncodedExitReason
}

/** A top-level actor or tree that lives on a shard. */
export interface Resident {
  readonly spec: ResolvedActorSpec | ResolvedSupervisorSpec
  /** Tells it from earlier residents of the same address. */
  readonly generation: number
  /** The last known incarnations, its own and of those below it; the next ones count on from there. */
  readonly incarnations: StartCounts
  /** Of the actor itself and of those below it. */
  readonly checkpoints?: readonly (readonly [address: string, checkpoint: Checkpoint])[]
}

/** What turns a loaded, empty worker into a shard. */
export interface Activation {
  readonly shard: number
  readonly incarnation: number
  readonly seed: number
  readonly peers: readonly PeerEnds[]
  readonly groups: readonly (readonly [group: string, members: readonly string[]])[]
  readonly filters: readonly FactFilter[]
  readonly deadLettersMax: number
  /** Where the last events are noted. */
  readonly blackBox: SharedArrayBuffer
  /** Addresses that will be started soon: what comes for them waits. */
  readonly expected: readonly string[]
}

/** The calls. */
export interface ShardControl {
  /** Loads definitions before they are needed; one that cannot be had is passed over. For a worker that stands by. */
  preload(definitions: readonly DefinitionRef[]): Promise<Answered<true>>
  /** Runs through the life of a shard once. For a worker that stands by. */
  rehearse(): Promise<Answered<true>>
  activate(activation: Activation): Answered<true>
  connect(peer: PeerEnds): Answered<true>
  /** Starts a new top-level actor or tree under the shard's own supervisor. Answers `ignored` when it declined. */
  startResident(resident: Resident): Promise<Answered<'started' | 'ignored'>>
  /** Starts those again that an earlier worker had; answers when each has started or was told as ended for good. */
  startResidents(residents: readonly Resident[]): Promise<Answered<true>>
  stopResident(address: string): Promise<Answered<true>>
  startChild(request: RemoteStart): Answered<true>
  shutdownChild(address: string, incarnation: number): Answered<true>
  /** Answers once its supervisor knows; see `killActor`. */
  killChild(address: string, incarnation: number): Promise<Answered<boolean>>
  removeChild(address: string, supervisor: string): Answered<true>
  /** Stops every actor, right to left, each by its own shutdown. */
  stop(): Promise<Answered<true>>
  tree(query: TreeQuery): Answered<readonly ActorSummary[]>
  details(address: string): Answered<ActorDetails | undefined>
  deadLetters(): Answered<DeadLetterReport>
  setFilters(filters: readonly FactFilter[]): Answered<true>
  /** Hands an order to the fault injector, a module that exports `inflict`, see {@link Inflict}. */
  chaos(moduleUrl: string, order: unknown): Promise<Answered<unknown>>
}

/** A thread as a fault injector finds it. */
export interface ThreadInside {
  readonly kernel: Kernel
  /** The worker around the kernel; the main thread has none. */
  readonly context: ShardContext | undefined
}

/** What the module of a fault injector exports under the name `inflict`; its answer has to be clonable. */
export type Inflict = (inside: ThreadInside, order: unknown) => unknown
