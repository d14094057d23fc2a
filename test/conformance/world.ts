/**
 * The world that the conformance cases act in: supervisors whose children follow a script. Each implementation of it
 * (the charts over a scripted host, the whole kernel on one thread) runs the same cases.
 *
 * Everything is asynchronous, time is virtual, and every verb returns once the world has come to rest: nothing more
 * happens until the case acts again or lets time pass. Ids are unique within a world, over all its supervisors.
 */

import type { ActorChildOptions, ActorSpec } from '../../src/actors/runtime/child.ts'
import type { ExitReason } from '../../src/messages/thread/exit.ts'
import type { ChildCounts, ChildEntry, StartedChild, SupervisorFact } from '../../src/supervisor/child-host.ts'
import type { ChildSpec, ResolvedChildSpec, SupervisorSpec } from '../../src/supervisor/child-spec.ts'

/** How a child ends by itself: its chart is done, it asks for its own shutdown, it throws, or somebody kills it. */
export type ScriptedExit = 'normal' | 'shutdown' | 'shutdown:detail' | 'abnormal' | 'killed'

/** What one start of a child does. */
export type ScriptedStart =
  /** It runs. */
  | 'run'
  /** It declines. */
  | 'ignore'
  /** Its start throws. */
  | 'fail'
  /** Its address turns out to be taken. */
  | 'addressTaken'
  /** Its start never settles. */
  | 'hang'
  /** Its start takes so long. */
  | { readonly runAfterMs: number }

/** What a running child does when it is asked to end. */
export type ScriptedShutdown =
  /** It ends with `shutdown`. */
  | 'obey'
  /** It goes on as if nothing had been said. */
  | 'refuse'
  /** It ends with `shutdown` so many ms later. */
  | { readonly afterMs: number }
  /** It ends with a reason of its own. */
  | { readonly exit: ScriptedExit }

/** What a child does, from its next start on. */
export interface Script {
  /** One entry a start; the last goes on for ever. Default `['run']`. */
  readonly starts?: readonly ScriptedStart[]
  /** Default `obey`. */
  readonly onShutdown?: ScriptedShutdown
}

/** What has happened, in order. */
export type WorldEvent =
  | { readonly type: 'up'; readonly id: string; readonly incarnation: number }
  | { readonly type: 'exit'; readonly id: string; readonly incarnation: number; readonly reason: ExitReason }

/** A supervisor of the world. Commands reject with the StarfishError they are answered with. */
export interface WorldSupervisor {
  startChild(spec: ChildSpec): Promise<StartedChild>
  terminateChild(id: string): Promise<void>
  restartChild(id: string): Promise<StartedChild>
  deleteChild(id: string): Promise<void>
  whichChildren(id?: string): Promise<readonly ChildEntry[]>
  countChildren(): Promise<ChildCounts>
  childSpec(id: string): Promise<ResolvedChildSpec>
  /** Asks it to end, as its parent would, and does not wait for it. */
  stop(): Promise<void>
  /** Ends it without asking. */
  kill(): Promise<void>
  /** Why it ended, once it has. */
  exit(): ExitReason | undefined
}

/** Supervisors, scripted children, and time. */
export interface ConformanceWorld {
  /** A scripted actor as a child spec. */
  actor(id: string, options?: Omit<ActorChildOptions, 'id'> & { readonly input?: unknown }): ActorSpec
  /** Says what a child does from its next start on. */
  script(id: string, script: Script): void
  /** Starts a supervisor; rejects with BAD_SPEC or START_FAILED. */
  supervise(spec: SupervisorSpec): Promise<WorldSupervisor>
  /** A nested supervisor that runs. */
  supervisor(id: string): WorldSupervisor
  /** The incarnation of a child that runs, or undefined. */
  running(id: string): number | undefined
  /** Ends running children by themselves, one right after the other: the first exit is not handled before the last. */
  exit(exits: Readonly<Record<string, ScriptedExit>>): Promise<void>
  /** Ends running children together, by the loss of the shard they are on; a world without shards has no such verb. */
  loseShard?(ids: readonly string[]): Promise<void>
  /** Sends a message to the address of a child. */
  send(id: string, message: string): Promise<void>
  /** The messages that the present incarnation of a child has received. */
  received(id: string): readonly string[]
  /** The messages to a child that will never be received. */
  deadLetters(id: string): readonly string[]
  /** Lets virtual time pass. */
  advance(ms: number): Promise<void>
  /** How many children are a crowd here: thousands, and hundreds where each start crosses threads. */
  readonly crowd: number
  /** All that happened so far. */
  readonly log: readonly WorldEvent[]
  /** All that supervisors told the outside so far. */
  readonly reports: readonly (SupervisorFact & { readonly supervisor: string })[]
  /** Takes the world down. */
  close(): Promise<void>
}

/** Makes a world for one case. */
export type WorldMaker = () => ConformanceWorld | Promise<ConformanceWorld>
