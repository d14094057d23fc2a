/**
 * Which shard an address lives on, as the main thread knows it. Only tops of trees are listed: what is below an address
 * lives where that address lives, unless it is listed itself.
 */

/** The places of addresses. */
export class Directory {
  readonly #places = new Map<string, number>()

  get size(): number {
    return this.#places.size
  }

  set(address: string, shard: number): void {
    this.#places.set(address, shard)
  }

  delete(address: string): void {
    this.#places.delete(address)
  }

  /** True for an address that is listed itself. */
  has(address: string): boolean {
    return this.#places.has(address)
  }

  /** The shard of an address, or of the nearest one above it; undefined when none is listed. */
  find(address: string): number | undefined {
    for (let at = address; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
      const shard = this.#places.get(at)
      if (shard !== undefined) return shard
    }
    return undefined
  }
}
