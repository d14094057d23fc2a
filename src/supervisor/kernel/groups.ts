/**
 * Named groups, as OTP's pg: actors join and leave, every thread has a copy of the table, the main thread orders it.
 */

/** One thread's copy of the groups. */
export class Groups {
  readonly #members = new Map<string, Set<string>>()

  /** Applies a change; true when it changed something. */
  apply(group: string, address: string, joined: boolean): boolean {
    const members = this.#members.get(group)
    if (!joined) {
      const left = members?.delete(address) === true
      if (members?.size === 0) this.#members.delete(group)
      return left
    }
    if (members === undefined) this.#members.set(group, new Set([address]))
    else if (members.has(address)) return false
    else members.add(address)
    return true
  }

  /** Members in order of joining. */
  members(group: string): string[] {
    return [...(this.#members.get(group) ?? [])]
  }

  /** The whole table, for a thread that joins. */
  table(): [group: string, members: string[]][] {
    return [...this.#members].map(([group, members]) => [group, [...members]])
  }
}
