/**
 * Keeps the groups of a system on its main thread: orders the changes of all threads, and takes out who has ended,
 * whatever its end was (of a member whose thread died nobody else says that it left).
 */
import type { Kernel } from './kernel/kernel.ts'
import type { ExitListener } from './kernel/watches.ts'

/** Applies a change of a group; the answer is the function that does. `broadcast` tells the other threads. */
export function createGroupMembers(
  kernel: Kernel,
  broadcast: (group: string, address: string, joined: boolean) => void,
): (group: string, address: string, joined: boolean) => void {
  const watched = new Map<string, ExitListener>()

  function change(group: string, address: string, joined: boolean): void {
    if (!kernel.groups.apply(group, address, joined)) return
    broadcast(group, address, joined)
    if (joined) watchMember(address)
    else if (kernel.groups.groupsOf(address).length === 0) forgetMember(address)
  }

  function watchMember(address: string): void {
    if (watched.has(address)) return
    const listener = () => {
      watched.delete(address)
      for (const group of kernel.groups.groupsOf(address)) change(group, address, false)
    }
    watched.set(address, listener)
    kernel.watch(address, listener)
  }

  function forgetMember(address: string): void {
    const listener = watched.get(address)
    watched.delete(address)
    if (listener !== undefined) kernel.unwatch(address, listener)
  }

  return change
}
