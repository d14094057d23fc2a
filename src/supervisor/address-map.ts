/** What is known by address, for an address itself and those below it. */
export class AddressMap<T> extends Map<string, T> {
  /** Of all addresses that were ever set, the most ids that one had. Bounds what is looked at, however long an address is. */
  #deepest = 0

  override set(address: string, value: T): this {
    this.#deepest = Math.max(this.#deepest, idsIn(address))
    return super.set(address, value)
  }

  /** What is set for that address, or for the nearest one above it. */
  nearest(address: string): T | undefined {
    let found = this.get(address)
    if (found !== undefined) return found
    let end = address.indexOf('/')
    for (let ids = 1; end >= 0 && ids <= this.#deepest; ids++) {
      found = this.get(address.slice(0, end)) ?? found
      end = address.indexOf('/', end + 1)
    }
    return found
  }
}

function idsIn(address: string): number {
  let ids = 1
  for (let at = address.indexOf('/'); at >= 0; at = address.indexOf('/', at + 1)) ids++
  return ids
}
