/**
 * What a thread knows of an address that lives on it, over all incarnations.
 */
import type { TimerHandle } from '../../actors/runtime/clock.ts'
import type { AnyActorDefinition } from '../../actors/runtime/define-actor.ts'
import type { Envelope } from '../../messages/thread/envelope.ts'
import { Fifo } from '../fifo.ts'
import type { ActorCell } from './cell.ts'
import type { ChildStart } from './child-start.ts'

/** The supervisor of an actor, to which its starts and exits are told. */
export interface Owner {
  /** Address of the supervisor; it may live on another thread. */
  readonly supervisor: string
  readonly childId: string
}

/** An address of this thread. */
export class ActorEntry {
  readonly address: string
  definition: AnyActorDefinition
  readonly owner: Owner
  readonly isSupervisor: boolean
  incarnation = 0
  /** `vacant`: its supervisor has yet to decide whether it restarts; messages are held. */
  state: 'starting' | 'up' | 'vacant' = 'starting'
  /** The living incarnation. */
  cell: ActorCell | undefined
  /** The start whose module is being loaded. */
  loading: ChildStart | undefined
  /** Ends that start when the module takes longer than a start may. */
  loadTimer: TimerHandle
  /** The incarnation whose `init` runs. */
  starting: ActorCell | undefined
  /** Messages that came while no incarnation was there. */
  readonly held = new Fifo<Envelope>()
  heldMax = 1_000
  /** Addresses of the children its chart started. */
  readonly children = new Set<string>()

  constructor(address: string, definition: AnyActorDefinition, owner: Owner, isSupervisor: boolean) {
    this.address = address
    this.definition = definition
    this.owner = owner
    this.isSupervisor = isSupervisor
  }
}
