/**
 * The handle of a supervisor: what OTP's `supervisor` module does to a running one.
 */
import type { ActorEvent } from '../actors/runtime/actor-runtime.ts'
import { checkText } from '../messages/argument-check.ts'
import type { ChildCounts, ChildEntry, StartedChild } from './child-host.ts'
import type { ChildSpec, ResolvedChildSpec } from './child-spec.ts'

/** What a handle needs of its system. */
export interface SupervisorHost {
  command(supervisor: string, event: ActorEvent): Promise<unknown>
  stopTree(address: string): Promise<void>
  /** Checks the definitions of a spec, and makes it what can be sent to the thread of its supervisor. */
  prepareChild(spec: ChildSpec): Promise<ChildSpec>
}

/** A running supervisor. `await using` stops it at the end of the block. */
export class SupervisorRef implements AsyncDisposable {
  readonly address: string
  readonly #host: SupervisorHost

  constructor(host: SupervisorHost, address: string) {
    this.#host = host
    this.address = address
  }

  /**
   * Adds a child behind the others and starts it: an actor, which `child(definition, options)` specifies, or another
   * supervisor. Rejects with what its start failed with, BAD_SPEC, NOT_CLONABLE, CHILD_ALREADY_STARTED,
   * CHILD_ALREADY_PRESENT or MAX_CHILDREN.
   */
  async startChild(spec: ChildSpec): Promise<StartedChild> {
    const prepared = await this.#host.prepareChild(spec)
    return (await this.#command({ type: 'supervisor.startChild', spec: prepared })) as StartedChild
  }

  /** Ends a child, by its own shutdown; its spec stays, unless it is temporary or the supervisor dynamic. */
  async terminateChild(id: string): Promise<void> {
    checkText('terminateChild', 'id', id)
    await this.#command({ type: 'supervisor.terminateChild', id })
  }

  /** Starts a child that does not run. */
  async restartChild(id: string): Promise<StartedChild> {
    checkText('restartChild', 'id', id)
    return (await this.#command({ type: 'supervisor.restartChild', id })) as StartedChild
  }

  /** Forgets a child that does not run. */
  async deleteChild(id: string): Promise<void> {
    checkText('deleteChild', 'id', id)
    await this.#command({ type: 'supervisor.deleteChild', id })
  }

  /** The children in start order; only that child when an id is given, or CHILD_NOT_FOUND. */
  async whichChildren(id?: string): Promise<readonly ChildEntry[]> {
    if (id !== undefined) checkText('whichChildren', 'id', id)
    const which = id === undefined ? {} : { id }
    return (await this.#command({ type: 'supervisor.whichChildren', ...which })) as readonly ChildEntry[]
  }

  async countChildren(): Promise<ChildCounts> {
    return (await this.#command({ type: 'supervisor.countChildren' })) as ChildCounts
  }

  /** The spec of a child, with every option filled in. */
  async childSpec(id: string): Promise<ResolvedChildSpec> {
    checkText('childSpec', 'id', id)
    return (await this.#command({ type: 'supervisor.childSpec', id })) as ResolvedChildSpec
  }

  /** Stops the tree: children right to left, each by its own shutdown. */
  stop(): Promise<void> {
    return this.#host.stopTree(this.address)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #command(event: ActorEvent & Record<string, unknown>): Promise<unknown> {
    return this.#host.command(this.address, event)
  }
}
