/**
 * Which shard an address lives on, as the main thread knows it. Only tops of trees are listed: what is below an address
 * lives where that address lives, unless it is listed itself.
 */

import { AddressMap } from '../address-map.ts'

/** Where an address lives. Who took an address has a place of its own, that nobody after it has. */
export interface Place {
  readonly shard: number
}

/** Addresses that have left the directory, whose last place is still known. */
const formerMax = 1_000

/** The places of addresses. */
export class Directory {
  readonly #places = new AddressMap<Place>()
  /** The shards of addresses that were listed, the latest last: their last ends are remembered there. */
  readonly #former = new AddressMap<number>()

  get size(): number {
    return this.#places.size
  }

  /** Lists an address; answers the place it has now. */
  set(address: string, shard: number): Place {
    const place = { shard }
    this.#places.set(address, place)
    this.#former.delete(address)
    return place
  }

  delete(address: string): void {
    const place = this.#places.get(address)
    if (place === undefined) return
    this.#places.delete(address)
    this.#former.set(address, place.shard)
    if (this.#former.size > formerMax) this.#former.delete(this.#former.keys().next().value!)
  }

  /** True for an address that is listed itself. */
  has(address: string): boolean {
    return this.#places.has(address)
  }

  /** The place of an address that is listed itself. */
  placeOf(address: string): Place | undefined {
    return this.#places.get(address)
  }

  /** Whether an address is listed that lives there. */
  isUsed(shard: number): boolean {
    return this.#places.values().some(place => place.shard === shard)
  }

  /** The shard of an address, or of the nearest one above it; undefined when none is listed. */
  find(address: string): number | undefined {
    return this.#places.nearest(address)?.shard
  }

  /** Where an address that nobody has, or the nearest one above it, was listed last; undefined when that is not known. */
  findFormer(address: string): number | undefined {
    return this.#former.nearest(address)
  }
}
