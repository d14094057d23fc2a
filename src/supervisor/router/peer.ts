/**
 * What a router knows of each other thread, and the bounds of what it holds back for one.
 */
import type { MessagePort } from 'node:worker_threads'
import { decodeError, type encodeError } from '../../messages/error-codec.ts'
import { StarfishError } from '../../messages/errors.ts'
import type { Envelope, Refusal, ReplyOutcome } from '../../messages/thread/envelope.ts'
import type { ExitReason } from '../../messages/thread/exit.ts'
import type { EdgeAccount, ShardEvent } from '../../messages/thread/fact.ts'
import { type KernelMessage, kernelAddress } from '../../messages/thread/kernel-message.ts'
import { simplifyKernelMessage } from '../../messages/thread/kernel-message-codec.ts'
import type { Outcome } from '../kernel/asks.ts'
import type { Edge } from './edge/edge-contract.ts'
import type { EdgeReport } from './edge/report.ts'

/** Bounds of what a router holds back. */
export interface RouterLimits {
  /** Normal messages posted to a thread that it has not read yet. */
  readonly window: number
  /** Messages that wait for credit, for a thread that is being replaced, or for an address to be found; each. */
  readonly waitingMax: number
  /** Fates that are listed one by one when a thread dies. */
  readonly reportMax: number
  /** Addresses whose place is remembered. */
  readonly locationsMax: number
  /** How long after the close of its edge the main thread may take to learn that a worker has ended, ms. */
  readonly explainedWithinMs: number
}

/** The limits that hold unless a test sets others. */
export const routerLimits: RouterLimits = {
  window: 4_096,
  waitingMax: 100_000,
  reportMax: 1_000,
  locationsMax: 100_000,
  explainedWithinMs: 2_000,
}

/** The edge to another thread, as the main thread sets it up. */
export interface EdgeEnds {
  readonly port: MessagePort
  readonly outbound: SharedArrayBuffer
  readonly inbound: SharedArrayBuffer
}

/** Another thread, as a router sees it. */
export interface Peer {
  readonly shard: number
  incarnation: number
  edge: Edge | undefined
  /** What the requests that go over this edge keep of it. */
  route: Route | undefined
  /** What its closed edge told, until the main thread says why the thread ended. */
  report: EdgeReport | undefined
  lostReason: ExitReason | undefined
  /** What its black box held. */
  lastEvents: readonly ShardEvent[]
  /** Messages for the thread while it is not up. */
  waiting: Envelope[]
  /** Opens the edge to the next worker, once this one's has closed. */
  next: { readonly incarnation: number; readonly ends: EdgeEnds } | undefined
  /** Those who wait until its kernel has taken what it was told. */
  readonly syncs: Map<number, () => void>
  /** The last incarnation known to be lost, perhaps before its edge was opened. */
  lostUpTo: number
  /** The thread is about to be replaced: messages to its actors wait for the next. */
  draining: boolean
  /** Messages that it handed back while it was draining, for the next one. */
  returned: Envelope[]
}

/** Over which edge a request went. */
export interface Route {
  readonly edge: Edge
  readonly peer: Peer
  readonly incarnation: number
}

/** The route of a request that has been posted. */
export function routeOf(envelope: Envelope): Route | undefined {
  return envelope.route as Route | undefined
}

/** What this thread knows of an actor of another thread that it watches. */
export interface Watched {
  readonly shard: number
  incarnation: number
  definition: string
}

/** A thread to which no edge was opened yet. */
export function createPeer(shard: number): Peer {
  return {
    shard,
    incarnation: 0,
    edge: undefined,
    route: undefined,
    report: undefined,
    lostReason: undefined,
    lastEvents: [],
    waiting: [],
    next: undefined,
    syncs: new Map(),
    lostUpTo: 0,
    draining: false,
    returned: [],
  }
}

/** True for what an actor was sent that had stopped before it took it, and will be there again with the next worker. */
export function isForNextWorker(envelope: Envelope, reason: Refusal): boolean {
  const hasStopped = reason === 'ACTOR_DIED' || reason === 'NO_SUCH_ACTOR'
  return hasStopped && envelope.requestId === 0 && envelope.toIncarnation === 0
}

const simplified = new WeakSet<Envelope>()

/** Makes a kernel's message that cannot be copied plainer, once; false for one that cannot be helped. */
export function simplify(envelope: Envelope): boolean {
  if (envelope.to !== kernelAddress || simplified.has(envelope)) return false
  simplified.add(envelope)
  const event = simplifyKernelMessage(envelope.event as KernelMessage)
  if (event !== undefined) Object.assign(envelope, { event })
  return event !== undefined
}

/** The account of an edge out of its report. */
export function accountOf({ sent, handled, inHand, unprocessed, lost, refused }: EdgeReport): EdgeAccount {
  return { sent, handled, inHand, unprocessed, lost, refused }
}

/** What came of a request, out of what crossed the edge. */
export function outcomeOf(outcome: ReplyOutcome): Outcome {
  switch (outcome.status) {
    case 'ok':
      return { ok: true, value: outcome.value }
    case 'failed':
      return { ok: false, error: decodeError(outcome.error as ReturnType<typeof encodeError>) }
    case 'notClonable':
      return {
        ok: false,
        error: new StarfishError('NOT_CLONABLE', `the reply cannot be copied to another thread: ${outcome.reason}`, {
          handled: 'unknown',
        }),
      }
  }
}
