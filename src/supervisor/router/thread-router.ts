/**
 * The way of a message to another thread: where does the address live, and is there an edge to that thread?
 *
 *   post ─> location known? ─ no ─> ask the main thread; wait (bounded, in order)
 *              │ yes
 *              v
 *           peer up? ─ no ─> wait for the replacement (bounded, in order); goes first when it is up
 *              │ yes
 *              v
 *           edge.post ─> batch of this tick
 */

import type { ReplyToken } from '../../actors/runtime/runtime-actions.ts'
import { encodeError } from '../../messages/error-codec.ts'
import type { Handled } from '../../messages/errors.ts'
import { createEnvelope, type Envelope } from '../../messages/thread/envelope.ts'
import type { ExitReason } from '../../messages/thread/exit.ts'
import type { ShardEvent } from '../../messages/thread/fact.ts'
import { type KernelMessage, kernelAddress } from '../../messages/thread/kernel-message.ts'
import { encodeKernelMessage } from '../../messages/thread/kernel-message-codec.ts'
import type { Outcome } from '../kernel/asks.ts'
import { incarnationOf, lastEventsOf } from '../kernel/black-box.ts'
import type { Kernel, Router } from '../kernel/kernel.ts'
import { soon } from '../soon.ts'
import { createEdge } from './edge/edge.ts'
import type { EdgePort, EdgeStats } from './edge/edge-contract.ts'
import type { EdgeReport } from './edge/report.ts'
import { type Located, Locations, type Resolve } from './locations.ts'
import { settleAccount } from './loss.ts'
import {
  accountOf,
  createPeer,
  type EdgeEnds,
  isForNextWorker,
  outcomeOf,
  type Peer,
  type RouterLimits,
  routeOf,
  routerLimits,
  simplify,
  type Watched,
} from './peer.ts'

/** How long the port of a thread that has gone may take to close by itself, ms. */
const closeTimeoutMs = 250

/** The router of one thread. */
export class ThreadRouter implements Router {
  readonly #kernel: Kernel
  readonly #limits: RouterLimits
  readonly #peers = new Map<number, Peer>()
  /** The one that was looked up last. */
  #lastPeer: Peer | undefined
  readonly #locations: Locations
  #syncs = 0
  readonly #watched = new Map<string, Watched>()
  /** Why nothing reaches other threads any more. */
  #over: 'SHUTTING_DOWN' | 'SHARD_DIED' | undefined
  /** Called when an edge that was open has closed, with the exact account of this side's messages. */
  onReport: (shard: number, incarnation: number, report: EdgeReport) => void = () => {}
  /** Called on the main thread of a worker that lives without an edge: it has to be replaced. */
  onBroken: (shard: number, incarnation: number) => void = () => {}
  /** The thread that may remember the last end of an address which nobody has; undefined when none does. */
  formerOf: (address: string) => number | undefined = () => undefined

  constructor(kernel: Kernel, resolve: Resolve, limits: RouterLimits = routerLimits) {
    this.#kernel = kernel
    this.#limits = limits
    const ask = (address: string): void =>
      this.postToKernel(-1, { type: 'kernel.resolve', address, shard: kernel.shard })
    this.#locations = new Locations(resolve, ask, limits.locationsMax)
  }

  post(envelope: Envelope): void {
    const known = this.#locations.get(envelope.to)
    if (known !== undefined) this.#postTo(known, envelope)
    else if (this.#locations.waiting >= this.#limits.waitingMax) this.#kernel.refuse(envelope, 'OVERLOADED')
    else this.#locations.find(envelope.to, shard => this.#postLocated(shard, envelope))
  }

  postToKernel(shard: number, event: KernelMessage): void {
    this.#postTo(shard, createEnvelope({ to: kernelAddress, event: encodeKernelMessage(event), lane: 'control' }))
  }

  watch(address: string, on: boolean): void {
    if (!on) {
      const watched = this.#watched.get(address)
      this.#watched.delete(address)
      if (watched === undefined) return
      this.postToKernel(watched.shard, { type: 'kernel.unwatch', address, shard: this.#kernel.shard })
      return
    }
    this.#locations.find(address, located => {
      // Taken back while its place was asked for.
      if (!this.#kernel.watches.has(address)) return
      const shard = located ?? this.formerOf(address) ?? null
      if (shard === null || shard === this.#kernel.shard || this.#over !== undefined) {
        // Not while the call that watches is under way: whoever made it may still take it back.
        soon(() => this.#kernel.tellNoproc(address))
        return
      }
      this.#watched.set(address, { shard, incarnation: 0, definition: '' })
      this.postToKernel(shard, { type: 'kernel.watch', address, shard: this.#kernel.shard })
    })
  }

  /** The kernel of a watched actor says which incarnation it is that is watched. */
  noteWatched(address: string, incarnation: number, definition: string): void {
    const watched = this.#watched.get(address)
    if (watched !== undefined) Object.assign(watched, { incarnation, definition })
  }

  watchEnded(address: string): void {
    this.#watched.delete(address)
  }

  reply(token: ReplyToken, outcome: Outcome, atOnce: boolean): void {
    const peer = this.#peers.get(token.shard)
    if (peer?.incarnation !== token.shardIncarnation) return
    peer.edge?.reply(
      token.requestId,
      outcome.ok ? { status: 'ok', value: outcome.value } : { status: 'failed', error: encodeError(outcome.error) },
      atOnce,
    )
  }

  giveUp(envelope: Envelope): Handled {
    return routeOf(envelope)?.edge.revoke(envelope) ?? 'no'
  }

  /** The main thread says where an address lives. */
  located(address: string, shard: Located): void {
    this.#locations.located(address, shard)
  }

  /** Forgets where an address, and those below it, live. */
  forget(address: string): void {
    this.#locations.forget(address)
  }

  /**
   * Opens the edge to a thread; what waited for it goes first. The edge to an earlier worker of that shard is let to
   * its end before: all that a dying thread posted still arrives. `lost` is why that one ended, for a thread that may
   * hear of it later by the other way.
   */
  connect(shard: number, incarnation: number, ends: EdgeEnds, lost?: ExitReason): void {
    const peer = this.#peerOf(shard)
    if (incarnation <= peer.lostUpTo) {
      ends.port.close()
      return
    }
    if (peer.incarnation < incarnation && lost !== undefined) this.lost(shard, peer.incarnation, lost)
    peer.next?.ends.port.close()
    peer.next = { incarnation, ends }
    if (peer.edge === undefined) this.#openNext(peer)
    else this.#closeSoon(peer)
  }

  /**
   * Settles when the kernel of a thread has taken all that it was told, watches among it, or is gone: for those who are
   * about to call it by its control plane, which is another way and could overtake.
   */
  sync(shard: number): Promise<void> {
    const peer = this.#peerOf(shard)
    if (peer.edge === undefined || peer.lostReason !== undefined) return Promise.resolve()
    const call = ++this.#syncs
    return new Promise(resolve => {
      peer.syncs.set(call, resolve)
      this.postToKernel(shard, { type: 'kernel.sync', call, shard: this.#kernel.shard })
    })
  }

  /** A kernel answers to {@link sync}. */
  synced(call: number): void {
    for (const { syncs } of this.#peers.values()) {
      syncs.get(call)?.()
      syncs.delete(call)
    }
  }

  /** The thread is about to be replaced: what is sent to its actors from now on waits for the next one. */
  drain(shard: number): void {
    this.#peerOf(shard).draining = true
  }

  /** The main thread says that a thread is gone, and why; and what its actors did last, as far as that is known. */
  lost(shard: number, incarnation: number, reason: ExitReason, lastEvents: readonly ShardEvent[] = []): void {
    const peer = this.#peerOf(shard)
    // The invitation to its edge comes by another way, and may come later: then it is too late.
    peer.lostUpTo = Math.max(peer.lostUpTo, incarnation)
    if (peer.next !== undefined && peer.next.incarnation <= incarnation) {
      peer.next.ends.port.close()
      peer.next = undefined
    }
    if (peer.incarnation !== incarnation || peer.lostReason !== undefined) return
    peer.lostReason = reason
    peer.lastEvents = lastEvents
    if (peer.edge === undefined) this.#settleLoss(peer)
    else this.#closeSoon(peer)
  }

  /** Where the counts of the edge to a thread stand; undefined while there is none. */
  stats(shard: number): EdgeStats | undefined {
    return this.#peers.get(shard)?.edge?.stats()
  }

  /**
   * Closes all edges for good: what waits for another thread, or comes for it yet, is refused, and who watches there hears
   * of no actor.
   */
  close(why: 'SHUTTING_DOWN' | 'SHARD_DIED' = 'SHUTTING_DOWN'): void {
    this.#over ??= why
    for (const peer of this.#peers.values()) {
      peer.edge?.close()
      this.#refuseWaiting(peer)
    }
    for (const address of this.#watched.keys()) this.#kernel.tellNoproc(address)
  }

  #refuseWaiting(peer: Peer): void {
    if (this.#over === undefined) return
    for (const envelope of peer.waiting.splice(0)) this.#kernel.refuse(envelope, this.#over)
  }

  #open(peer: Peer, incarnation: number, ends: EdgeEnds): void {
    const { shard } = peer
    peer.incarnation = incarnation
    peer.lostReason = undefined
    peer.lastEvents = []
    peer.draining = false
    const edge = createEdge({
      port: ends.port as unknown as EdgePort,
      outbound: ends.outbound,
      inbound: ends.inbound,
      window: this.#limits.window,
      outboxMax: this.#limits.waitingMax,
      reportMax: this.#limits.reportMax,
      codecs: this.#kernel.codecs,
      // What a batch brings is handled, and answered, in one go.
      reading: this.#kernel.turns,
      schedule: flush => this.#kernel.turns.afterTurns(flush),
      origin: { shard, incarnation },
      deliver: (envelope, names, to) => this.#kernel.deliver(envelope, names.targets, to),
      onReply: (requestId, outcome) => this.#kernel.asks.settle(requestId, outcomeOf(outcome)),
      onRefused: (envelope, reason, cause) => {
        if (peer.draining && isForNextWorker(envelope, reason)) peer.returned.push(envelope)
        else this.#kernel.refuse(envelope, reason, cause)
      },
      simplify,
      onClose: (report, isBroken) => {
        peer.edge = undefined
        peer.report = report
        for (const resolve of peer.syncs.values()) resolve()
        peer.syncs.clear()
        this.onReport(shard, incarnation, report)
        if (peer.lostReason !== undefined || peer.next !== undefined || this.#over !== undefined) this.#settleLoss(peer)
        else this.#noteClose(peer, isBroken)
        this.#openNext(peer)
      },
    })
    peer.edge = edge
    peer.route = { edge, peer, incarnation }
    this.#tellLink(peer, true)
    const waiting = peer.waiting
    peer.waiting = []
    for (const envelope of waiting) if (!this.#kernel.asks.isOver(envelope)) this.#postTo(shard, envelope)
  }

  /**
   * An edge has closed, and nobody has said that its worker ends: either that is yet to come, or the worker lives on
   * without it. Whoever closed it knows; the main thread, if it was the other one, waits to be told.
   */
  #noteClose(peer: Peer, isBroken: boolean): void {
    const { shard, incarnation, report } = peer
    if (this.#kernel.shard >= 0) {
      if (isBroken && shard >= 0) this.postToKernel(-1, { type: 'kernel.edgeBroken', shard, incarnation })
    } else if (isBroken) {
      this.onBroken(shard, incarnation)
    } else {
      const look = () => {
        if (peer.report === report && this.#over === undefined) this.onBroken(shard, incarnation)
      }
      setTimeout(look, this.#limits.explainedWithinMs).unref()
    }
  }

  #openNext(peer: Peer): void {
    const { next } = peer
    peer.next = undefined
    if (next === undefined) return
    if (this.#over !== undefined) next.ends.port.close()
    else this.#open(peer, next.incarnation, next.ends)
  }

  /** A port closes by itself when its thread has gone; that of a stuck thread has to be closed from here. */
  #closeSoon(peer: Peer): void {
    const { edge } = peer
    const timer = setTimeout(() => edge?.close(), closeTimeoutMs)
    timer.unref()
  }

  #tellLink(peer: Peer, up: boolean, report?: EdgeReport): void {
    if (!this.#kernel.facts.wants('link')) return
    const address = `shard/${this.#kernel.shard}`
    const account = report === undefined ? {} : { account: accountOf(report) }
    this.#kernel.facts.add({ kind: 'link', address, peer: `shard/${peer.shard}`, link: 'edge', up, ...account })
  }

  #postLocated(shard: Located, envelope: Envelope): void {
    if (shard === null || shard === this.#kernel.shard) this.#kernel.refuse(envelope, 'NO_SUCH_ACTOR')
    else if (!this.#kernel.asks.isOver(envelope)) this.#postTo(shard, envelope)
  }

  #postTo(shard: number, envelope: Envelope): void {
    const peer = this.#peerOf(shard)
    const { edge } = peer
    if (edge === undefined || peer.lostReason !== undefined || (peer.draining && envelope.to !== kernelAddress)) {
      if (this.#over !== undefined) this.#kernel.refuse(envelope, this.#over)
      else if (peer.waiting.length >= this.#limits.waitingMax) this.#kernel.refuse(envelope, 'OVERLOADED')
      else peer.waiting.push(envelope)
      return
    }
    const { requestId } = envelope
    // The only open request of this thread: nothing is gained by waiting for others.
    const taken = edge.post(envelope, requestId !== 0 && this.#kernel.asks.size === 1)
    if (taken === 'full') this.#kernel.refuse(envelope, 'OVERLOADED')
    else if (taken === 'closed') peer.waiting.push(envelope)
    else if (requestId !== 0) envelope.route = peer.route
  }

  #peerOf(shard: number): Peer {
    if (this.#lastPeer?.shard === shard) return this.#lastPeer
    const known = this.#peers.get(shard)
    if (known !== undefined) {
      this.#lastPeer = known
      return known
    }
    const peer = createPeer(shard)
    this.#peers.set(shard, peer)
    return peer
  }

  /** Settles what an edge left behind, once it is known why the thread ended. */
  #settleLoss(peer: Peer): void {
    const { report } = peer
    if (report === undefined) return
    peer.report = undefined
    const reason = peer.lostReason ?? { type: 'killed' }
    const { again, unsent } = settleAccount(this.#kernel, peer, report, reason, this.#over !== undefined)
    // Before what came after the edge had closed.
    peer.waiting = [...peer.returned.splice(0), ...again, ...unsent, ...peer.waiting].filter(
      ({ to }) => to !== kernelAddress,
    )
    this.#tellLink(peer, false, report)
    this.#tellWatchers(peer, reason)
    this.#refuseWaiting(peer)
  }

  /** Who watches an actor of a thread that is gone hears of its end from here: nobody else is left to tell. */
  #tellWatchers({ shard, incarnation: shardIncarnation, lastEvents }: Peer, reason: ExitReason): void {
    const atMs = this.#kernel.clock.now()
    for (const [address, { incarnation, definition, shard: at }] of [...this.#watched]) {
      if (at !== shard) continue
      this.#kernel.tellExit({
        address,
        definition,
        incarnation: incarnation || incarnationOf(lastEvents, address),
        shard,
        reason,
        atMs,
        lastEvents: lastEventsOf(lastEvents, address),
        shardLoss: { shard, incarnation: shardIncarnation },
      })
    }
  }
}
