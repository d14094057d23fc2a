/**
 * Slots of shards that actors have of their own, behind those of the system: `auto` and servers pass over them.
 *
 *   open ── startChild of `$shards` ──> a shard like any other ── close ── terminateChild, deleteChild ──> vacant, used again
 *
 * One that is being replaced is ended when that is over.
 */
import type { ActorSpec } from '../../actors/runtime/child.ts'
import { StarfishError } from '../../messages/errors.ts'
import type { SupervisorCommand } from '../child-host.ts'
import { createSlot, renewUp, type Slot } from './slot.ts'

/** A command to the supervisor of shards, as it is asked. */
export type ShardsCommand = SupervisorCommand extends infer C ? (C extends unknown ? Omit<C, 'reply'> : never) : never

/** How often the first worker of a slot may be lost before it is up. */
const startsMax = 3

/** Opens and closes them. */
export class OwnSlots {
  readonly #slots: Slot[]
  readonly #childOf: (index: number) => ActorSpec
  readonly #command: (command: ShardsCommand) => Promise<unknown>
  readonly #vacant: Slot[] = []
  readonly #closing = new Map<Slot, PromiseWithResolvers<void>>()

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
    this.#closing.set(slot, Promise.withResolvers())
    void this.#live(slot)
    return slot.index
  }

  /** Ends the worker. One that is just starting, or being replaced, ends when it has come up. */
  close(index: number): void {
    const slot = this.#slots[index]!
    slot.isOpen = false
    this.#closing.get(slot)?.resolve()
  }

  async #live(slot: Slot): Promise<void> {
    const id = `${slot.index}`
    let end: unknown
    try {
      await this.#start(slot)
      await this.#closing.get(slot)?.promise
      await slot.replacing
      await this.#command({ type: 'supervisor.terminateChild', id })
      await this.#command({ type: 'supervisor.deleteChild', id })
      const text = `shard ${id} belonged to an actor that has ended`
      end = new StarfishError('SHARD_DIED', text, { details: { shard: slot.index }, handled: 'no' })
    } catch (error) {
      // It cannot be started, or the system stops, and the shard with it.
      end = error
    }
    slot.isOpen = false
    this.#closing.delete(slot)
    slot.up.reject(end)
    renewUp(slot)
    this.#vacant.push(slot)
  }

  async #start(slot: Slot): Promise<void> {
    const command = { type: 'supervisor.startChild', spec: this.#childOf(slot.index) } as const
    for (let starts = 1; ; starts++) {
      try {
        await this.#command(command)
        return
      } catch (error) {
        if (!slot.isOpen || starts === startsMax) throw error
      }
    }
  }

  #create(): Slot {
    const slot = createSlot(this.#slots.length)
    this.#slots.push(slot)
    return slot
  }
}
