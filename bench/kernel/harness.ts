/** Workers, edges and statistics for the measurements of this folder. */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import type { ReplyOutcome } from '../../src/messages/thread/envelope.ts'
import { createCodecRegistry } from '../../src/supervisor/router/edge/codec-registry.ts'
import { createEdge } from '../../src/supervisor/router/edge/edge.ts'
import type { Edge } from '../../src/supervisor/router/edge/edge-contract.ts'
import { createEdgeMemory } from '../../src/supervisor/router/edge/edge-memory.ts'
import { sampleCodec } from './sample-codec.ts'

/** Messages that may be unread by the receiver, on the edge and on the bare port alike. */
export const windowMessages = 4_096

/** A worker at the other end of an edge. */
export interface EdgePeer {
  readonly worker: Worker
  readonly edge: Edge
  /** Messages it has handled, in steps of 256. */
  readonly handled: () => number
  onReply: (outcome: ReplyOutcome) => void
}

/** Starts a worker with `peer.ts` and opens the edge to it. */
export function startEdgePeer(binary = false): EdgePeer {
  const { port1, port2 } = new MessageChannel()
  const outbound = createEdgeMemory()
  const inbound = createEdgeMemory()
  const done = new SharedArrayBuffer(4)
  const worker = new Worker(new URL('./peer.ts', import.meta.url), {
    workerData: { port: port2, outbound: inbound, inbound: outbound, binary, done, window: windowMessages },
    transferList: [port2],
  })
  const codecs = createCodecRegistry()
  if (binary) codecs.add({ name: sampleCodec.type, codec: sampleCodec })
  const edge = createEdge({
    port: port1,
    outbound,
    inbound,
    window: windowMessages,
    outboxMax: windowMessages,
    reportMax: 0,
    codecs,
    deliver: () => 'NO_SUCH_ACTOR',
    onReply: (_, outcome) => peer.onReply(outcome),
    onRefused() {},
    onClose() {},
  })
  const view = new Int32Array(done)
  const peer: EdgePeer = { worker, edge, handled: () => Atomics.load(view, 0), onReply() {} }
  return peer
}

/** A worker at the other end of a bare port. */
export interface BarePeer {
  readonly worker: Worker
  readonly port: MessagePort
  readonly handled: () => number
}

/** Starts a worker with `bare-peer.ts`. */
export function startBarePeer(): BarePeer {
  const { port1, port2 } = new MessageChannel()
  const done = new SharedArrayBuffer(4)
  const worker = new Worker(new URL('./bare-peer.ts', import.meta.url), {
    workerData: { port: port2, done },
    transferList: [port2],
  })
  const view = new Int32Array(done)
  return { worker, port: port1, handled: () => Atomics.load(view, 0) }
}

/** The value below which the fraction `q` of the values lies. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!
}

/** Lets the event loop turn once. */
export function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
