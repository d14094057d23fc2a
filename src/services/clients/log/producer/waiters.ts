/** Those who wait until something is so. */

/** A promise for each, settled together. */
export class Waiters {
  #resolves: (() => void)[] = []

  get hasAny(): boolean {
    return this.#resolves.length > 0
  }

  wait(): Promise<void> {
    return new Promise(resolve => this.#resolves.push(resolve))
  }

  /** It is so. */
  tell(): void {
    if (this.#resolves.length === 0) return
    const resolves = this.#resolves
    this.#resolves = []
    for (const resolve of resolves) resolve()
  }
}
