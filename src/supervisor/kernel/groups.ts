/**
 * Named groups, as OTP's pg: actors join and leave, every thread has a copy of the table, the main thread orders it.
 */

/** One thread's copy of the groups. */
export class Groups {
  readonly #members = new Map<string, Set<string>>()
  readonly #groups = new Map<string, Set<string>>()

  /** Applies a change; true when it changed something. */
  apply(group: string, address: string, joined: boolean): boolean {
    const change = joined ? insert : erase
    if (!change(this.#members, group, address)) return false
    change(this.#groups, address, group)
    return true
  }

  /** Members in order of joining. */
  members(group: string): string[] {
    return [...(this.#members.get(group) ?? [])]
  }

  /** The groups that an address is in. */
  groupsOf(address: string): string[] {
    return [...(this.#groups.get(address) ?? [])]
  }

  /** The whole table, for a thread that joins. */
  table(): [group: string, members: string[]][] {
    return [...this.#members].map(([group, members]) => [group, [...members]])
  }
}

type Table = Map<string, Set<string>>

function insert(table: Table, key: string, value: string): boolean {
  const set = table.get(key)
  if (set === undefined) table.set(key, new Set([value]))
  else if (set.has(value)) return false
  else set.add(value)
  return true
}

function erase(table: Table, key: string, value: string): boolean {
  const set = table.get(key)
  const erased = set?.delete(value) === true
  if (set?.size === 0) table.delete(key)
  return erased
}
