/**
 * Who is told of whose end. A watch is for one incarnation: the listener hears once, also when that incarnation is over.
 */
import type { ActorExit } from '../../messages/thread/exit.ts'
import { actorStorage } from './cell.ts'

/** Called with the exit of a watched actor. */
export type ExitListener = (exit: ActorExit) => void

/** The listeners of this thread, by watched address, and the exits that are remembered for those who come late. */
export class Watches {
  readonly #listeners = new Map<string, Set<ExitListener>>()
  /** Those who are about to be told of an end. */
  readonly #late = new Map<string, Set<ExitListener>>()
  readonly #remembered = new Map<string, ActorExit>()
  readonly #rememberMax: number

  /** Remembers the last exits of so many addresses. */
  constructor(rememberMax: number) {
    this.#rememberMax = rememberMax
  }

  /** How many addresses somebody of this thread waits for. */
  get size(): number {
    return this.#listeners.size
  }

  /** True when somebody of this thread waits for the end of that address. */
  has(address: string): boolean {
    return this.#listeners.has(address)
  }

  /** Adds a listener; true when it is the first of this thread for that address. */
  add(address: string, listener: ExitListener): boolean {
    const known = this.#listeners.get(address)
    if (known !== undefined) {
      known.add(listener)
      return false
    }
    this.#listeners.set(address, new Set([listener]))
    return true
  }

  /** Tells a listener that came after the end, soon, unless it is removed before. */
  tellSoon(address: string, listener: ExitListener, exit: ActorExit): void {
    this.#addLate(address, listener)
    queueMicrotask(() => this.#tellLate(address, listener, exit))
  }

  #addLate(address: string, listener: ExitListener): void {
    const late = this.#late.get(address)
    if (late === undefined) this.#late.set(address, new Set([listener]))
    else late.add(listener)
  }

  #tellLate(address: string, listener: ExitListener, exit: ActorExit): void {
    if (this.#removeLate(address, listener)) tellListener(listener, exit)
  }

  #removeLate(address: string, listener: ExitListener): boolean {
    const late = this.#late.get(address)
    if (late?.delete(listener) !== true) return false
    if (late.size === 0) this.#late.delete(address)
    return true
  }

  /** Removes a listener; true when none is left for that address. */
  remove(address: string, listener: ExitListener): boolean {
    if (this.#removeLate(address, listener)) return false
    const known = this.#listeners.get(address)
    if (known?.delete(listener) !== true || known.size > 0) return false
    this.#listeners.delete(address)
    return true
  }

  /** Addresses that this thread watches. */
  addresses(): string[] {
    return [...this.#listeners.keys()]
  }

  /** Tells the listeners of that address, and forgets them. */
  tell(exit: ActorExit): void {
    const listeners = this.#listeners.get(exit.address)
    if (listeners === undefined) return
    this.#listeners.delete(exit.address)
    // One that is told may remove another.
    for (const listener of listeners) this.#addLate(exit.address, listener)
    for (const listener of listeners) this.#tellLate(exit.address, listener, exit)
  }

  /** Remembers an exit for those who ask later. */
  remember(exit: ActorExit): void {
    this.#remembered.delete(exit.address)
    this.#remembered.set(exit.address, exit)
    if (this.#remembered.size <= this.#rememberMax) return
    const oldest = this.#remembered.keys().next().value
    if (oldest !== undefined) this.#remembered.delete(oldest)
  }

  /** The last exit of that address, if it is remembered. */
  lastExit(address: string): ActorExit | undefined {
    return this.#remembered.get(address)
  }
}

/** Calls a listener; what it throws is nobody's here, and goes where errors go that nobody caught. */
function tellListener(listener: ExitListener, exit: ActorExit): void {
  // Not in the name of the actor whose end it hears of.
  actorStorage.exit(() => {
    try {
      listener(exit)
    } catch (error) {
      setImmediate(() => {
        throw error
      })
    }
  })
}

/** The answer to a watch of what does not exist, or is no longer remembered. */
export function noprocExit(address: string, atMs: number): ActorExit {
  return {
    address,
    definition: '',
    incarnation: 0,
    shard: -1,
    reason: { type: 'noproc' },
    atMs,
    lastEvents: [],
  }
}
