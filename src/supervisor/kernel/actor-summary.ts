/**
 * Actors as tools see them: a line each for lists, all there is for one.
 */
import type { BlackBoxEntry } from '../../messages/thread/exit.ts'
import type { ActorEntry } from './entry.ts'
import type { Kernel } from './kernel.ts'
import { isUnder } from './well-known.ts'

/** One actor of a tree. */
export interface ActorSummary {
  readonly address: string
  /** Export name of the definition, `supervisor` for a supervisor. */
  readonly definition: string
  /** `hosted`: one that lives inside another, as a connection in its acceptor. */
  readonly kind: 'actor' | 'supervisor' | 'hosted'
  /** Address of its supervisor, or of its host. */
  readonly supervisor: string
  readonly shard: number
  readonly incarnation: number
  /** `vacant`: it ended, and its supervisor has not started it again (yet). */
  readonly state: 'starting' | 'up' | 'vacant'
  /** The state value of its chart. */
  readonly value: unknown
  /** Messages in its mailbox. */
  readonly mailboxDepth: number
  /** Age of the oldest of them, ms. */
  readonly mailboxAgeMs: number
  /** Actors that live inside it; the tree lists them with `hosted`. */
  readonly hosted: number
}

/** All that is known of one actor. */
export interface ActorDetails extends ActorSummary {
  /** The extended state of its chart; a description where it cannot be copied to another thread. */
  readonly context: unknown
  readonly lastEvents: readonly BlackBoxEntry[]
  /** Module of its definition. */
  readonly moduleUrl: string
}

/** Which actors of the tree, in order of address. */
export interface TreeQuery {
  /** That address and all below it. */
  readonly under?: string
  /** At most so many; 1,000 by default. */
  readonly limit?: number
  /** Those that come after this address: the last of the page before. */
  readonly after?: string
  /** Those that live inside others (the connections of acceptors) as well; they may be many. */
  readonly hosted?: boolean
}

/** A page of the actors of one thread. */
export function summariesOf(kernel: Kernel, query: TreeQuery): ActorSummary[] {
  const { under, after, limit = 1_000, hosted = false } = query
  const all = hosted ? [...kernel.entries.keys(), ...kernel.hosts.addresses()] : [...kernel.entries.keys()]
  const addresses = all.filter(
    address =>
      !address.startsWith('$') &&
      (under === undefined || isUnder(address, under)) &&
      (after === undefined || address > after),
  )
  addresses.sort()
  return addresses.slice(0, limit).flatMap(address => {
    const entry = kernel.entries.get(address)
    return (entry === undefined ? kernel.hosts.summary(address) : summaryOf(kernel, entry)) ?? []
  })
}

/** Everything about one address of the thread. */
export function detailsOf(kernel: Kernel, address: string): ActorDetails | undefined {
  const entry = kernel.entries.get(address)
  if (entry === undefined) return kernel.hosts.details(address)
  return {
    ...summaryOf(kernel, entry),
    context: entry.isSupervisor ? undefined : entry.cell?.engine?.context,
    lastEvents: entry.cell?.lastEvents() ?? [],
    moduleUrl: entry.definition.moduleUrl,
  }
}

function summaryOf(kernel: Kernel, entry: ActorEntry): ActorSummary {
  const { address, cell, incarnation, state, isSupervisor, owner } = entry
  return {
    address,
    definition: isSupervisor ? 'supervisor' : entry.definition.exportName,
    kind: isSupervisor ? 'supervisor' : 'actor',
    supervisor: owner.supervisor,
    shard: kernel.shard,
    incarnation,
    state,
    value: cell?.engine?.value,
    mailboxDepth: cell?.mailbox.depth ?? entry.held.size,
    mailboxAgeMs: cell?.mailbox.ageMs(kernel.uptimeMs) ?? 0,
    hosted: kernel.hosts.count(address),
  }
}
