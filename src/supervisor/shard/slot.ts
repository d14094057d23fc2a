/**
 * The slot of a shard: what stays when its workers come and go.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { ExitReason } from '../../messages/thread/exit.ts'
import { createEdgeMemory } from '../router/edge/edge-memory.ts'
import type { ControlPlane } from './control-call.ts'
import type { Resident } from './shard-control.ts'
import type { HostedWorker } from './worker-host.ts'

/** As `PromiseWithResolvers`, which not every compiler of those who import these types knows. */
export interface Upcoming {
  readonly promise: Promise<ControlPlane>
  resolve(control: ControlPlane): void
  reject(error: unknown): void
}

/** A slot. */
export interface Slot {
  readonly index: number
  /** Whether it is to have a worker: those of the system always, one of an actor's own as long as that has its place. */
  isOpen: boolean
  incarnation: number
  worker: HostedWorker | undefined
  control: ControlPlane | undefined
  /** Settles when the slot has a worker that serves, however many are lost on their way up; see {@link renewUp}. */
  up: Upcoming
  /** True from the moment `up` is resolved until that worker is lost. */
  isUp: boolean
  readonly residents: Map<string, Resident>
  /** Settles when those that came back with the last worker have started. */
  residentsUp: Promise<void>
  /** Settles when its worker has been replaced on demand; undefined while nobody does that. */
  replacing: Promise<void> | undefined
  /** Of the worker that serves. */
  blackBox: SharedArrayBuffer | undefined
  /** Why its last worker ended. */
  lostReason: ExitReason | undefined
}

/** A slot that never had a worker. */
export function createSlot(index: number): Slot {
  return {
    index,
    isOpen: true,
    incarnation: 0,
    worker: undefined,
    control: undefined,
    up: createUp(),
    isUp: false,
    residents: new Map(),
    residentsUp: Promise.resolve(),
    replacing: undefined,
    blackBox: undefined,
    lostReason: undefined,
  }
}

/** The worker that served is lost: who comes from now on waits for the next one. */
export function renewUp(slot: Slot): void {
  slot.up = createUp()
  slot.isUp = false
}

function createUp(): Upcoming {
  const up = Promise.withResolvers<ControlPlane>()
  // It may be that nobody waits.
  up.promise.catch(() => {})
  return up
}

/** The control plane of a slot once it is up; undefined when it is closed first, and with it all that lives there. */
export async function upUnlessClosed(slot: Slot): Promise<ControlPlane | undefined> {
  try {
    return await slot.up.promise
  } catch (error) {
    if (slot.isOpen) throw error
    return undefined
  }
}

/** One end of an edge that is about to be opened. */
export interface Ends {
  readonly port: MessagePort
  readonly outbound: SharedArrayBuffer
  readonly inbound: SharedArrayBuffer
}

/** Both ends of a new edge. */
export function createEnds(): { readonly near: Ends; readonly far: Ends } {
  const { port1, port2 } = new MessageChannel()
  const there = createEdgeMemory()
  const back = createEdgeMemory()
  return {
    near: { port: port1, outbound: there, inbound: back },
    far: { port: port2, outbound: back, inbound: there },
  }
}
