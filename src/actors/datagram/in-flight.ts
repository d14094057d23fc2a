/** The requests of a shard that wait for their commands: bounded, counted, each there once. */
import type { RemoteInfo } from 'node:dgram'
import type { Waiter } from '../serving/protocol.ts'
import type { DatagramInput } from './config.ts'
import { figureAt } from './figures.ts'

/** One that waits. */
export interface Awaited {
  /** As it came. */
  readonly request: Buffer
  readonly address: string
  readonly port: number
  readonly isProven: boolean
  readonly waiter: Waiter | undefined
}

/** How many may wait. */
export type InFlightLimits = Pick<DatagramInput, 'inFlightRequestsMax' | 'inFlightBytesMax'>

/** The table of a shard. */
export class InFlight {
  readonly #limits: InFlightLimits
  readonly #figures: Float64Array
  readonly #byToken = new Map<number, Awaited>()
  readonly #keys = new Set<string>()
  #lastToken = 0
  #bytes = 0
  /** Of those, the requests that brought no cookie, and their bytes. */
  #unproven = 0
  #unprovenBytes = 0

  /** Shows what is in flight in `figures`, of `openDatagramFigures`. */
  constructor(limits: InFlightLimits, figures: Float64Array) {
    this.#limits = limits
    this.#figures = figures
  }

  get size(): number {
    return this.#byToken.size
  }

  /** As many, or as many bytes, as may. */
  get isFull(): boolean {
    return this.size >= this.#limits.inFlightRequestsMax || this.#bytes >= this.#limits.inFlightBytesMax
  }

  /**
   * Half of the room, and half of the bytes, are taken by requests whose senders have proven nothing. They may have written
   * any address, so the other half is for those who prove theirs.
   */
  get isFullForUnproven(): boolean {
    const { inFlightRequestsMax, inFlightBytesMax } = this.#limits
    return 2 * this.#unproven >= inFlightRequestsMax || 2 * this.#unprovenBytes >= inFlightBytesMax
  }

  /** True when the same bytes of the same sender are here. */
  has(request: Buffer, { address, port }: RemoteInfo): boolean {
    return this.size > 0 && this.#keys.has(keyOf(request, address, port))
  }

  /** Adds one that is not here; its token, which is never used twice. */
  add(awaited: Awaited): number {
    const { request, address, port } = awaited
    const token = ++this.#lastToken
    this.#byToken.set(token, awaited)
    this.#keys.add(keyOf(request, address, port))
    this.#note(awaited, 1)
    return token
  }

  /** What has that token; undefined when it was taken, or the end came first. */
  get(token: number): Awaited | undefined {
    return this.#byToken.get(token)
  }

  take(token: number, awaited: Awaited): void {
    const { request, address, port } = awaited
    this.#byToken.delete(token)
    this.#keys.delete(keyOf(request, address, port))
    this.#note(awaited, -1)
  }

  /** Takes all, and tells who waits for them that nobody can be answered. */
  abandon(): void {
    const all = [...this.#byToken.values()]
    this.#byToken.clear()
    this.#keys.clear()
    for (const awaited of all) this.#note(awaited, -1)
    for (const { waiter } of all) waiter?.abandoned()
  }

  /** Counts one more, or one less. */
  #note({ request, isProven }: Awaited, change: 1 | -1): void {
    this.#bytes += change * request.length
    if (!isProven) {
      this.#unproven += change
      this.#unprovenBytes += change * request.length
    }
    this.#figures[figureAt.inFlight] = this.size
    this.#figures[figureAt.inFlightBytes] = this.#bytes
  }
}

/** The same for the same bytes of the same sender, and for no others. */
function keyOf(request: Buffer, address: string, port: number): string {
  return `${port} ${address} ${request.toString('latin1')}`
}
