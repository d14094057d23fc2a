/** What is to end with a system, beside its actors: told once, when the system begins to stop. */
export class AtStop {
  readonly #waiting = new Set<() => void>()
  #stopping = false

  /** Calls `end` when the system begins to stop, at once if it has; the function returned takes it back. It must not throw. */
  add(end: () => void): () => void {
    if (this.#stopping) end()
    else this.#waiting.add(end)
    return () => void this.#waiting.delete(end)
  }

  /** The system begins to stop. */
  tell(): void {
    this.#stopping = true
    for (const end of this.#waiting) end()
    this.#waiting.clear()
  }
}
