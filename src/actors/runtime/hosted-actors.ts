/**
 * Actors inside an actor. One that runs records by the ten thousand (an acceptor its connections) shows each of them to
 * the outside as an actor of its own, at `<host>/<id>`: it is listed, looked at, told, watched and killed by its address
 * like any other. Nothing is kept twice: the kernel asks the host's table when somebody asks the kernel.
 */
import type { ExitReason } from '../../messages/thread/exit.ts'
import type { ActorEvent } from './actor-runtime.ts'

/** What the kernel asks of a host. Ids are never used twice by one incarnation of the host. */
export interface HostTable {
  /** What its actors are instances of: the name of a definition. */
  readonly definition: string
  readonly moduleUrl: string
  /** How many there are. */
  readonly size: number
  ids(): Iterable<string>
  /** The state of one; undefined when there is none of that id. */
  look(id: string): HostedState | undefined
  /** Gives an event to one; false when it takes none of that type, or there is none of that id. */
  tell(id: string, event: ActorEvent): boolean
  /** Ends one without asking it; false when there is none of that id. */
  kill(id: string): boolean
}

/** One hosted actor, as tools see it. */
export interface HostedState {
  /** The state value of its chart. */
  readonly value: unknown
  /** What is known of it; clonable. */
  readonly context: unknown
}

/** What a host tells the kernel of its actors. Until somebody listens the methods do nothing. */
export interface HostReports {
  /** True while somebody wants to hear of transitions: look before a step, tell after it. */
  readonly wantsMoves: boolean
  started(id: string): void
  moved(id: string, from: unknown, to: unknown): void
  ended(id: string, reason: ExitReason): void
}
