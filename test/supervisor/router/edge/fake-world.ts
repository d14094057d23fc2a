/**
 * Two ends of an edge on one thread, over a port whose deliveries the test makes by hand, and a mailbox at each end.
 */
import {
  createEnvelope,
  type Envelope,
  type Refusal,
  type ReplyOutcome,
} from '../../../../src/messages/thread/envelope.ts'
import type { EventCodec, NamedCodec } from '../../../../src/messages/thread/event-codec.ts'
import { type CodecRegistry, createCodecRegistry } from '../../../../src/supervisor/router/edge/codec-registry.ts'
import { createEdge } from '../../../../src/supervisor/router/edge/edge.ts'
import type { Edge, EdgePort } from '../../../../src/supervisor/router/edge/edge-contract.ts'
import { createEdgeMemory } from '../../../../src/supervisor/router/edge/edge-memory.ts'
import type { EdgeReport } from '../../../../src/supervisor/router/edge/report.ts'

/** What a thread can write, and the other cannot read. */
export const unreadable = '\u{1f480}'

/** One end of a pair of ports: clones on post, as a real one does, and delivers when told. */
export class FakePort implements EdgePort {
  peer!: FakePort
  /** What the other side posted and this one has not been given. */
  readonly queue: unknown[] = []
  /** How often something was posted here. */
  posts = 0
  closed = false
  readonly #listeners: Record<string, (value: unknown) => void> = {}

  on(event: 'message' | 'messageerror' | 'close', listener: (value: unknown) => void): this {
    this.#listeners[event] = listener
    return this
  }

  postMessage(value: unknown, transfer: ArrayBuffer[] = []): void {
    const copy = structuredClone(value, { transfer })
    this.posts++
    if (!this.closed && !this.peer.closed) this.peer.queue.push(copy)
  }

  close(): void {
    this.closed = true
  }

  /** Gives the oldest message to its listener; false when there is none. */
  step(): boolean {
    if (this.queue.length === 0 || this.closed) return false
    const value = this.queue.shift()
    if (JSON.stringify(value).includes(unreadable)) this.#listeners.messageerror!(new RangeError('too deep'))
    else this.#listeners.message!(value)
    return true
  }

  /** Everything still queued, then the close event: what the survivor of a death sees. */
  end(): void {
    while (this.step());
    this.closed = true
    this.#listeners.close!(undefined)
  }
}

/** One end: an edge, its mailbox, and all that it was told. */
export interface End {
  readonly edge: Edge
  readonly port: FakePort
  readonly codecs: CodecRegistry
  readonly mailbox: Envelope[]
  readonly replies: { readonly requestId: number; readonly outcome: ReplyOutcome }[]
  readonly refusals: { readonly message: Envelope; readonly reason: Refusal; readonly cause: unknown }[]
  readonly reports: EdgeReport[]
  /** It has closed by itself. */
  isBroken: boolean
  /** What the mailbox answers. */
  verdict: (message: Envelope) => 'admitted' | Refusal
  /** Runs the flush that is due; false when none is. */
  tick(): boolean
}

/** Limits of both directions. */
export interface WorldLimits {
  readonly window?: number
  readonly outboxMax?: number
  readonly slots?: number
  readonly reportMax?: number
  readonly simplify?: (message: Envelope) => boolean
}

/** A pair of ends. */
export function createWorld(limits: WorldLimits = {}): { readonly a: End; readonly b: End } {
  const portA = new FakePort()
  const portB = new FakePort()
  portA.peer = portB
  portB.peer = portA
  const toB = createEdgeMemory(limits.slots ?? 64)
  const toA = createEdgeMemory(limits.slots ?? 64)
  return { a: createEnd(portA, toB, toA, limits), b: createEnd(portB, toA, toB, limits) }
}

function createEnd(port: FakePort, outbound: SharedArrayBuffer, inbound: SharedArrayBuffer, limits: WorldLimits): End {
  let due: (() => void) | undefined
  const codecs = createCodecRegistry()
  const end: Omit<End, 'edge'> = {
    port,
    codecs,
    mailbox: [],
    replies: [],
    refusals: [],
    reports: [],
    isBroken: false,
    verdict: () => 'admitted',
    tick() {
      const flush = due
      due = undefined
      flush?.()
      return flush !== undefined
    },
  }
  const edge = createEdge({
    port,
    outbound,
    inbound,
    window: limits.window ?? 16,
    outboxMax: limits.outboxMax ?? 64,
    reportMax: limits.reportMax ?? 100,
    codecs,
    deliver: message => {
      const verdict = end.verdict(message)
      if (verdict === 'admitted') end.mailbox.push(message)
      return verdict
    },
    onReply: (requestId, outcome) => void end.replies.push({ requestId, outcome }),
    onRefused: (message, reason, cause) => void end.refusals.push({ message, reason, cause }),
    onClose: (report, isBroken) => {
      end.reports.push(report)
      end.isBroken = isBroken
    },
    ...(limits.simplify === undefined ? {} : { simplify: limits.simplify }),
    schedule: flush => {
      due = flush
    },
  })
  const { post } = edge
  edge.post = message => post.call(edge, withCodec(codecs, message))
  return Object.assign(end, { edge })
}

/** A codec under the name of its event type. */
export function named(codec: EventCodec): NamedCodec {
  return { name: codec.type, codec }
}

/** Gives a message the codec that is named like its event type, as a typed reference would. */
function withCodec(codecs: CodecRegistry, message: Envelope): Envelope {
  const codec = codecs.at(codecs.names.indexOf(message.event.type) + 1)
  if (codec !== undefined) Object.assign(message, { codec: named(codec) })
  return message
}

/** Runs flushes and deliveries on both sides until nothing is due. */
export function settle(...ends: readonly End[]): void {
  for (let busy = true; busy; ) {
    busy = false
    for (const end of ends) {
      if (end.tick()) busy = true
      while (end.port.step()) busy = true
    }
  }
}

/** Handles the oldest message of a mailbox; undefined when it is empty or the sender has revoked it. */
export function handleOne(end: End): Envelope | undefined {
  const message = end.mailbox.shift()
  if (message === undefined || !message.receipts.start(message.token)) return undefined
  message.receipts.finish(message.token)
  return message
}

/** A numbered event of an actor `from` to an actor `to`. */
export function numbered(
  number: number,
  rest: { lane?: 'control' | 'normal'; requestId?: number; to?: string; from?: string; type?: string } = {},
): Envelope {
  const { to = 'receiver', from = 'sender', type = 'test.numbered', ...others } = rest
  return createEnvelope({ to, from, event: { type, number } as { type: string }, ...others })
}

/** The numbers of numbered messages. */
export function numbers(messages: readonly Envelope[]): number[] {
  return messages.map(message => (message.event as unknown as { number: number }).number)
}
