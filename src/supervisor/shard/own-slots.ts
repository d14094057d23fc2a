/**
 * Slots of shards that actors have of their own, behind those of the system: `auto` and servers pass over them.
 *
 *   open ── startChild of `$shards` ──> a shard like any other ── close ── terminateChild, deleteChild ──> vacant, used again
 */
import type { ActorSpec } from '../../actors/runtime/child.ts'
import { StarfishError } from '../../messages/errors.ts'
import type { SupervisorCommand } from '../child-host.ts'
import { createSlot, renewUp, type Slot } from './slot.ts'

/** A command to the supervisor of shards, as it is asked. */
export type ShardsCommand = SupervisorCommand extends infer C ? (C extends unknown ? Omit<C, 'reply'> : never) : never

/** Opens and closes them. */
export class OwnSlots {
  readonly #slots: Slot[]
  readonly #childOf: (index: number) => ActorSpec
  readonly #command: (command: ShardsCommand) => Promise<unknown>
  readonly #vacant: Slot[] = []

  /** `slots` are those of the system; what is opened is put behind them. `command` is carried out by the supervisor of shards. */
  constructor(
    slots: Slot[],
    childOf: (index: number) => ActorSpec,
    command: (command: ShardsCommand) => Promise<unknown>,
  ) {
    this.#slots = slots
    this.#childOf = childOf
    this.#command = command
  }

  /** The index of a slot that will get a worker; who waits for its control plane is refused if it cannot. */
  open(): number {
    const slot = this.#vacant.pop() ?? this.#create()
    slot.isOpen = true
    this.#command({ type: 'supervisor.startChild', spec: this.#childOf(slot.index) }).catch(error =>
      this.#vacate(slot, error),
    )
    return slot.index
  }

  /** Ends the worker. One that is just starting ends when it has. */
  close(index: number): void {
    const slot = this.#slots[index]!
    if (!slot.isOpen) return
    slot.isOpen = false
    void this.#end(slot)
  }

  async #end(slot: Slot): Promise<void> {
    const id = `${slot.index}`
    try {
      await this.#command({ type: 'supervisor.terminateChild', id })
      await this.#command({ type: 'supervisor.deleteChild', id })
    } catch {
      // The system stops, and the shard with it.
      return
    }
    const text = `shard ${id} belonged to an actor that has ended`
    this.#vacate(slot, new StarfishError('SHARD_DIED', text, { details: { shard: slot.index }, handled: 'no' }))
  }

  #create(): Slot {
    const slot = createSlot(this.#slots.length)
    this.#slots.push(slot)
    return slot
  }

  #vacate(slot: Slot, error: unknown): void {
    slot.isOpen = false
    slot.up.reject(error)
    renewUp(slot)
    this.#vacant.push(slot)
  }
}
