/**
 * The actors of a thread that live inside others; see {@link HostTable}. An address is one of theirs when the address
 * above it is a host's.
 */
import type { HostedState, HostReports, HostTable } from '../../actors/runtime/hosted-actors.ts'
import type { Envelope, Refusal } from '../../messages/thread/envelope.ts'
import type { ActorExit } from '../../messages/thread/exit.ts'
import type { ActorDetails, ActorSummary } from './actor-summary.ts'
import type { ActorCell } from './cell.ts'
import { noReplyError } from './delivery-errors.ts'
import type { Kernel } from './kernel.ts'

interface Host {
  readonly cell: ActorCell
  readonly table: HostTable
}

/** The hosts of one kernel. */
export class Hosts {
  readonly #kernel: Kernel
  readonly #hosts = new Map<string, Host>()

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /** Makes an actor the host of those in the table, until it ends. */
  add(cell: ActorCell, table: HostTable): HostReports {
    const kernel = this.#kernel
    const { address } = cell.entry
    this.#hosts.set(address, { cell, table })
    cell.cleanups.push(() => {
      if (this.#hosts.get(address)?.cell === cell) this.#hosts.delete(address)
    })
    return {
      get wantsMoves() {
        return kernel.facts.wants('transition')
      },
      started(id) {
        if (!kernel.facts.wants('spawned')) return
        kernel.facts.add({ kind: 'spawned', address: `${address}/${id}`, definition: table.definition, incarnation })
      },
      moved(id, from, to) {
        kernel.facts.add({ kind: 'transition', address: `${address}/${id}`, incarnation, from, to })
      },
      ended(id, reason) {
        if (!kernel.facts.wants('exit') && kernel.watches.size === 0) return
        const exit: ActorExit = {
          address: `${address}/${id}`,
          definition: table.definition,
          incarnation,
          shard: kernel.shard,
          reason,
          atMs: kernel.clock.now(),
          lastEvents: [],
        }
        kernel.facts.add({ kind: 'exit', address: exit.address, exit })
        kernel.tellExit(exit)
      },
    }
  }

  /** True for the address of a hosted actor that is there now, or could have been: its host is of this thread. */
  covers(address: string): boolean {
    return this.#hosts.size > 0 && this.#hosts.has(above(address))
  }

  /** True when there is one of that address now. */
  has(address: string): boolean {
    return this.#hosts.size > 0 && this.#hosts.get(above(address))?.table.look(below(address)) !== undefined
  }

  /** Gives a message to the hosted actor it is for, at once: hosted actors have no mailbox. */
  deliver(envelope: Envelope): 'admitted' | Refusal {
    const host = this.#hosts.get(above(envelope.to))
    const id = below(envelope.to)
    if (host === undefined || host.table.look(id) === undefined) return 'NO_SUCH_ACTOR'
    if (!envelope.receipts.start(envelope.token)) return 'admitted'
    const kernel = this.#kernel
    const token = kernel.tokenOf(envelope)
    let taken = false
    kernel.runAs(host.cell, () => {
      taken = host.table.tell(id, envelope.event)
    })
    envelope.receipts.finish(envelope.token)
    if (token !== undefined) kernel.reply(token, { ok: false, error: noReplyError(envelope, taken ? 'unknown' : 'no') })
    return 'admitted'
  }

  /** Ends one without asking it; false when it does not live. */
  kill(address: string): boolean {
    return this.#hosts.get(above(address))?.table.kill(below(address)) ?? false
  }

  /** How many actors live inside that one. */
  count(address: string): number {
    return this.#hosts.get(address)?.table.size ?? 0
  }

  /** The addresses of all hosted actors. */
  *addresses(): Iterable<string> {
    for (const [address, { table }] of this.#hosts) for (const id of table.ids()) yield `${address}/${id}`
  }

  /** One line about a hosted actor; undefined when there is none of that address. */
  summary(address: string): ActorSummary | undefined {
    const host = this.#hosts.get(above(address))
    const state = host?.table.look(below(address))
    return host === undefined || state === undefined ? undefined : this.#summaryOf(address, host.table, state)
  }

  /** Everything about one. */
  details(address: string): ActorDetails | undefined {
    const host = this.#hosts.get(above(address))
    const state = host?.table.look(below(address))
    if (host === undefined || state === undefined) return undefined
    const { context } = state
    const { moduleUrl } = host.table
    return { ...this.#summaryOf(address, host.table, state), context, lastEvents: [], moduleUrl }
  }

  #summaryOf(address: string, { definition }: HostTable, { value }: HostedState): ActorSummary {
    return {
      address,
      definition,
      kind: 'hosted',
      supervisor: above(address),
      shard: this.#kernel.shard,
      incarnation,
      state: 'up',
      value,
      mailboxDepth: 0,
      mailboxAgeMs: 0,
      hosted: 0,
    }
  }
}

/** Hosted actors are never restarted. */
const incarnation = 1

function above(address: string): string {
  return address.slice(0, Math.max(0, address.lastIndexOf('/')))
}

function below(address: string): string {
  return address.slice(address.lastIndexOf('/') + 1)
}
