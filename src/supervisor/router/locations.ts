/**
 * Where the addresses of other threads live, as far as this thread knows; what is not known is asked of the main thread,
 * once, however many wait for it.
 */

/** What is known of a place: its shard, or null when no actor has the address. */
export type Located = number | null

/** How a router finds an address that it does not know; answers at once, or later by {@link Locations.located}. */
export type Resolve = (address: string) => Located | undefined

/** The places that one thread knows of. */
export class Locations {
  readonly #resolve: Resolve
  readonly #ask: (address: string) => void
  readonly #knownMax: number
  readonly #known = new Map<string, number>()
  readonly #unresolved = new Map<string, ((shard: Located) => void)[]>()
  #waiting = 0

  /** `ask` asks the main thread for a place. */
  constructor(resolve: Resolve, ask: (address: string) => void, knownMax: number) {
    this.#resolve = resolve
    this.#ask = ask
    this.#knownMax = knownMax
  }

  /** How many wait for the place of an address. */
  get waiting(): number {
    return this.#waiting
  }

  /** The shard of an address, if it is known. */
  get(address: string): number | undefined {
    return this.#known.get(address)
  }

  /** Calls `go` with the place of an address, now or once it is found. */
  find(address: string, go: (shard: Located) => void): void {
    const known = this.#known.get(address) ?? this.#resolve(address)
    if (known !== undefined) {
      if (known !== null) this.#remember(address, known)
      go(known)
      return
    }
    const waiting = this.#unresolved.get(address)
    this.#waiting++
    if (waiting === undefined) {
      this.#unresolved.set(address, [go])
      this.#ask(address)
    } else waiting.push(go)
  }

  /** The main thread says where an address lives. */
  located(address: string, shard: Located): void {
    if (shard !== null) this.#remember(address, shard)
    const waiting = this.#unresolved.get(address)
    this.#unresolved.delete(address)
    this.#waiting -= waiting?.length ?? 0
    for (const go of waiting ?? []) go(shard)
  }

  /** Forgets where an address, and those below it, live. */
  forget(address: string): void {
    this.#known.delete(address)
    const below = `${address}/`
    for (const known of this.#known.keys()) if (known.startsWith(below)) this.#known.delete(known)
  }

  #remember(address: string, shard: number): void {
    if (this.#known.size >= this.#knownMax) this.#known.clear()
    this.#known.set(address, shard)
  }
}
