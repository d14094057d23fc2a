/**
 * The slot of a shard: what stays when its workers come and go.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { ExitReason } from '../../messages/thread/exit.ts'
import { createEdgeMemory } from '../router/edge/edge-memory.ts'
import type { ControlPlane } from './control-call.ts'
import type { Resident } from './shard-control.ts'
import type { HostedWorker } from './worker-host.ts'

/** A slot. */
export interface Slot {
  readonly index: number
  incarnation: number
  worker: HostedWorker | undefined
  control: ControlPlane | undefined
  /** Settles when the slot has a worker that serves; replaced by a new promise when it is lost. */
  up: PromiseWithResolvers<ControlPlane>
  readonly residents: Map<string, Resident>
  /** Settles when those that came back with the last worker have started. */
  residentsUp: Promise<void>
  /** Of the worker that serves. */
  blackBox: SharedArrayBuffer | undefined
  /** Why its last worker ended. */
  lostReason: ExitReason | undefined
}

/** A slot that never had a worker. */
export function createSlot(index: number): Slot {
  return {
    index,
    incarnation: 0,
    worker: undefined,
    control: undefined,
    up: Promise.withResolvers<ControlPlane>(),
    residents: new Map(),
    residentsUp: Promise.resolve(),
    blackBox: undefined,
    lostReason: undefined,
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
