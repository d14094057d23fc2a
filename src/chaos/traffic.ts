/**
 * The faults between addresses, on the thread that sends.
 *
 *   post ─> lane of (from, to)? ─ no ──────────────────────────> route
 *              │ yes
 *              ├─ drop ───> dead letter, lost
 *              └─ delay ──> waiting, in order ── when due ──────> route
 *
 * The kernel asks only while there is a fault. Order holds on each lane: whatever timer fires, it lets the oldest go.
 */
import { createRandom, type Random, type TimerHandle } from '../actors/runtime/clock.ts'
import type { Envelope } from '../messages/thread/envelope.ts'
import { Fifo } from '../supervisor/fifo.ts'
import type { Kernel } from '../supervisor/kernel/kernel.ts'
import type { DropFault, TrafficFault } from './fault.ts'

/** Messages that may wait on one lane; more are refused as OVERLOADED. */
export const delayedMax = 10_000

/** A drop with what it still has to do. */
interface Drop {
  remaining: number
  readonly ratio: number
  readonly dice: Random
}

interface Lane {
  readonly drops: Map<number, Drop>
  /** How long messages are held back, ms, by fault; several add up. */
  readonly delaysMs: Map<number, number>
  readonly waiting: Fifo<Envelope>
  readonly timers: Set<TimerHandle>
}

/** The interference with the messages that leave the actors of one kernel. */
export class Traffic {
  readonly #kernel: Kernel
  readonly #lanes = new Map<string, Lane>()

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /** Puts a fault in force; `id` names it to {@link lift}. */
  add(id: number, fault: TrafficFault): void {
    const key = keyOf(fault.from, fault.to)
    const lane = this.#lanes.get(key) ?? createLane()
    this.#lanes.set(key, lane)
    if (fault.kind === 'drop') lane.drops.set(id, createDrop(fault))
    else lane.delaysMs.set(id, fault.delayMs)
    this.#kernel.intercept = this.#intercept
  }

  /** Takes a fault back; when nothing delays a lane any more, what waits there goes at once. */
  lift(id: number): void {
    for (const [key, lane] of this.#lanes) {
      lane.drops.delete(id)
      if (lane.delaysMs.delete(id) && lane.delaysMs.size === 0) this.#letAllGo(lane)
      if (lane.drops.size === 0 && lane.delaysMs.size === 0) this.#lanes.delete(key)
    }
    if (this.#lanes.size === 0) this.#kernel.intercept = undefined
  }

  readonly #intercept = (envelope: Envelope): boolean => {
    if (envelope.lane === 'control') return false
    const lane = this.#lanes.get(keyOf(envelope.from, envelope.to))
    if (lane === undefined) return false
    if (this.#isDropped(lane)) {
      this.#kernel.addDeadLetter(envelope, 'lost', 'dropped by chaos')
      return true
    }
    if (lane.delaysMs.size === 0) return false
    this.#holdBack(lane, envelope)
    return true
  }

  /** Every drop throws its own dice, and one that is used up goes. */
  #isDropped(lane: Lane): boolean {
    for (const [id, drop] of lane.drops) {
      if (drop.dice() >= drop.ratio) continue
      if (--drop.remaining === 0) this.lift(id)
      return true
    }
    return false
  }

  #holdBack(lane: Lane, envelope: Envelope): void {
    if (lane.waiting.size >= delayedMax) {
      this.#kernel.refuse(envelope, 'OVERLOADED')
      return
    }
    lane.waiting.push(envelope)
    const delayMs = [...lane.delaysMs.values()].reduce((sumMs, oneMs) => sumMs + oneMs, 0)
    const timer = this.#kernel.clock.setTimeout(() => {
      lane.timers.delete(timer)
      const oldest = lane.waiting.shift()
      if (oldest !== undefined) this.#kernel.route(oldest)
    }, delayMs)
    lane.timers.add(timer)
  }

  #letAllGo(lane: Lane): void {
    for (const timer of lane.timers) this.#kernel.clock.clearTimeout(timer)
    lane.timers.clear()
    for (const envelope of lane.waiting.drain()) this.#kernel.route(envelope)
  }
}

function keyOf(from: string | null, to: string): string {
  return `${from ?? ''}\n${to}`
}

function createLane(): Lane {
  return { drops: new Map(), delaysMs: new Map(), waiting: new Fifo(), timers: new Set() }
}

function createDrop({ count, ratio, seed = 1 }: DropFault): Drop {
  return { remaining: count ?? Number.POSITIVE_INFINITY, ratio: ratio ?? 1, dice: createRandom(seed) }
}
