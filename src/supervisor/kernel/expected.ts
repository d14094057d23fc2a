/**
 * Addresses that a thread is about to start: those that come back with a shard whose worker was replaced. What comes for
 * them, or for any address below them, waits until they are there.
 */
import type { Envelope, Refusal } from '../../messages/thread/envelope.ts'
import { AddressMap } from '../address-map.ts'

/** Messages that wait for one expected address and all below it; one more is refused. */
const waitingMax = 10_000

/** True for `top` itself and the addresses below it. */
export function isWithin(address: string, top: string): boolean {
  return address.startsWith(top) && (address.length === top.length || address[top.length] === '/')
}

/** The expected addresses of a thread. */
export class Expected {
  readonly #waiting = new AddressMap<Envelope[]>()

  add(top: string): void {
    if (!this.#waiting.has(top)) this.#waiting.set(top, [])
  }

  has(top: string): boolean {
    return this.#waiting.has(top)
  }

  /** True when that address, or one above it, is expected. */
  covers(address: string): boolean {
    return this.#waiting.size > 0 && this.#waiting.nearest(address) !== undefined
  }

  /** Keeps a message for an address that is not there, or says why not. */
  hold(envelope: Envelope): 'admitted' | Refusal {
    const waiting = this.#waiting.size > 0 ? this.#waiting.nearest(envelope.to) : undefined
    if (waiting === undefined) return 'NO_SUCH_ACTOR'
    if (waiting.length >= waitingMax) return 'MAILBOX_FULL'
    waiting.push(envelope)
    return 'admitted'
  }

  /** Takes out what waits for exactly that address, in order: it is there now, and what comes next goes to it. */
  take(address: string): Envelope[] {
    const waiting = this.#waiting.size > 0 ? this.#waiting.nearest(address) : undefined
    if (waiting === undefined || waiting.length === 0) return []
    const mine = waiting.filter(({ to }) => to === address)
    waiting.splice(0, waiting.length, ...waiting.filter(({ to }) => to !== address))
    return mine
  }

  /** Expects that address no longer, and takes out what still waits for it and those below. */
  release(top: string): Envelope[] {
    const waiting = this.#waiting.get(top)
    this.#waiting.delete(top)
    return waiting ?? []
  }
}
