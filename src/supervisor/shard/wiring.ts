/**
 * The edges of a new worker: one to the main thread and one to each shard that is up, all opened together.
 */
import type { MessagePort } from 'node:worker_threads'
import { transfer } from 'comlink'
import { encodeExitReason } from '../../messages/thread/exit-codec.ts'
import type { PeerEnds } from './shard-control.ts'
import { createEnds, type Ends, type Slot } from './slot.ts'

/** The edges of a worker, not opened yet. */
export interface Wiring {
  /** The worker's ends. */
  readonly peers: readonly PeerEnds[]
  /** What of them is moved to the worker. */
  readonly ports: readonly MessagePort[]
  /** The main thread's end. */
  readonly main: Ends
  /** Has the other shards open their ends; not waited for: one that is dying will not. */
  connectOthers(): void
}

/** Makes the edges of the worker that a slot is about to get. */
export function wire(slot: Slot, slots: readonly Slot[], mainIncarnation: number): Wiring {
  const { near: main, far } = createEnds()
  const peers: PeerEnds[] = [{ shard: -1, incarnation: mainIncarnation, ...far }]
  const others: { slot: Slot; ends: PeerEnds }[] = []
  const lost = slot.lostReason === undefined ? {} : { lost: encodeExitReason(slot.lostReason) }
  for (const other of slots) {
    if (other === slot || other.control === undefined) continue
    const { near, far } = createEnds()
    peers.push({ shard: other.index, incarnation: other.incarnation, ...far })
    others.push({ slot: other, ends: { shard: slot.index, incarnation: slot.incarnation, ...near, ...lost } })
  }
  return {
    peers,
    ports: peers.map(({ port }) => port),
    main,
    connectOthers() {
      for (const { slot: other, ends } of others) {
        void other.control?.call('connect', [transfer(ends, [ends.port])]).catch(() => {})
      }
    },
  }
}
