/**
 * A named group of actors, as OTP's pg: who joins hears what is broadcast; who ends has left.
 */
import type { ActorEvent } from '../actors/runtime/actor-runtime.ts'
import { checkEvent } from '../messages/argument-check.ts'
import type { Addressed } from './actor-ref.ts'
import { addressIn } from './argument-check.ts'
import type { Kernel } from './kernel/kernel.ts'

/** A named group. An actor may be in many; joining twice counts once. */
export interface Group {
  readonly name: string
  join(member: Addressed): void
  leave(member: Addressed): void
  /** Addresses of the members, in order of joining, as this thread knows them. */
  members(): readonly string[]
  /** Sends an event to every member; answers to how many. */
  broadcast<E extends ActorEvent>(event: E): number
}

/** The group of that name, as the main thread sees it. */
export function createGroup(kernel: Kernel, name: string): Group {
  return {
    name,
    join: member => kernel.changeGroup(name, addressIn('join', member), true),
    leave: member => kernel.changeGroup(name, addressIn('leave', member), false),
    members: () => kernel.groups.members(name),
    broadcast(event) {
      checkEvent('broadcast', event)
      const members = kernel.groups.members(name)
      for (const address of members) kernel.send(null, address, event)
      return members.length
    },
  }
}
