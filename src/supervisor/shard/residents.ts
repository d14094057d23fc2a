/**
 * The residents of all slots, as the main thread keeps them: top-level actors and trees that live on a shard and come
 * back with its next worker, each with its spec, its last incarnations and its last checkpoints.
 */
import type { Logger } from 'pino'
import { isStarfishError } from '../../messages/errors.ts'
import type { ResolvedActorSpec, ResolvedSupervisorSpec } from '../child-spec.ts'
import { clonableSpec } from '../kernel/boot-kernel.ts'
import type { Checkpoints } from '../kernel/checkpoints.ts'
import type { Directory, Place } from '../router/directory.ts'
import type { ThreadRouter } from '../router/thread-router.ts'
import { createStartCounts, lostCounts, noteStart } from '../start-counts.ts'
import { lostStartError } from '../start-error.ts'
import type { ControlPlane } from './control-call.ts'
import type { Resident } from './shard-control.ts'
import { type Slot, upUnlessClosed } from './slot.ts'
import type { Spares } from './spares.ts'

/** What the residents are kept with. */
export interface ResidentsOptions {
  readonly slots: readonly Slot[]
  readonly spares: Spares
  readonly directory: Directory
  readonly router: ThreadRouter
  readonly checkpoints: Checkpoints
  readonly logger: Logger
}

/** The residents of a system. */
export class Residents {
  readonly #options: ResidentsOptions
  #generation = 0
  /** An address of a shard will not come back. */
  onGivenUp: (address: string) => void = () => {}

  constructor(options: ResidentsOptions) {
    this.#options = options
  }

  /** Starts one on a shard; it comes back with the shard until it ends for good. */
  async start(shard: number, spec: ResolvedActorSpec | ResolvedSupervisorSpec): Promise<'started' | 'ignored'> {
    const slot = this.#slot(shard)
    this.#options.spares.expect(spec)
    const control = await slot.up.promise
    const { worker } = slot
    const incarnations = createStartCounts(spec.id, spec)
    const resident: Resident = { spec: clonableSpec(spec), generation: ++this.#generation, incarnations }
    slot.residents.set(spec.id, resident)
    try {
      return await control.call('startResident', [resident], Number.POSITIVE_INFINITY)
    } catch (error) {
      if (slot.residents.get(spec.id)?.generation === resident.generation) slot.residents.delete(spec.id)
      if (worker === undefined || !isStarfishError(error, 'SHARD_DIED')) throw error
      throw lostStartError(spec.id, shard, (await worker.ended).reason)
    }
  }

  /**
   * Stops the one that has that place, by its own shutdown, and gives the address up. It has stopped as well when its shard
   * dies meanwhile, or when it had ended by itself. False when none that lives there has that place.
   */
  async stop(address: string, place: Place): Promise<boolean> {
    const { shard } = place
    const { router, directory } = this.#options
    await router.sync(shard)
    const slot = this.#slot(shard)
    const control = await upUnlessClosed(slot)
    if (control === undefined || directory.placeOf(address) !== place) return true
    const { worker } = slot
    const wasResident = slot.residents.delete(address)
    try {
      await control.call('stopResident', [address], Number.POSITIVE_INFINITY)
    } catch (error) {
      // Its shard stops all that lives there: it stops with them.
      if (isStarfishError(error, 'SHUTTING_DOWN')) await worker?.ended
      else if (!isStarfishError(error, 'SHARD_DIED')) throw error
    }
    // What it said last goes another way, its last checkpoint among it.
    await router.sync(shard)
    // Who has not been a resident is some supervisor's child, or is being stopped by an earlier call.
    if (wasResident && directory.placeOf(address) === place) this.onGivenUp(address)
    return wasResident
  }

  /** One ended for good; false when that was an earlier one of that address. */
  remove(address: string, generation: number): boolean {
    const residents = this.#residentsOf(address)
    if (residents?.get(address)?.generation !== generation) return false
    return residents.delete(address)
  }

  /** One, or an actor below one, started again: its next worker goes on counting from there. */
  noteIncarnation(address: string, incarnation: number): void {
    const residents = this.#residentsOf(address)
    noteStart(top => residents?.get(top)?.incarnations, address, incarnation)
  }

  /** Has the next worker of a slot start what lived on the last one; settles when that is through, or the worker gone. */
  async comeBack(slot: Slot, control: ControlPlane): Promise<void> {
    const { checkpoints, logger } = this.#options
    const residents: Resident[] = []
    for (const { spec, generation, incarnations } of [...slot.residents.values()]) {
      if (spec.restart === 'temporary') {
        slot.residents.delete(spec.id)
        this.onGivenUp(spec.id)
        continue
      }
      const resident = { spec, generation, incarnations: lostCounts(incarnations) }
      slot.residents.set(spec.id, resident)
      // Children that were added, or that a chart started, do not come back.
      checkpoints.forgetTree(spec.id, incarnations)
      residents.push({ ...resident, checkpoints: checkpoints.takeTree(spec.id) })
    }
    if (residents.length === 0) return
    try {
      await control.call('startResidents', [residents], Number.POSITIVE_INFINITY)
    } catch (error) {
      // They come back with the next worker.
      if (!isStarfishError(error, 'SHARD_DIED')) logger.error({ shard: slot.index, err: error }, 'no actor came back')
    }
  }

  #slot(shard: number): Slot {
    return this.#options.slots[shard]!
  }

  #residentsOf(address: string): Map<string, Resident> | undefined {
    const shard = this.#options.directory.find(address)
    return shard === undefined ? undefined : this.#options.slots[shard]?.residents
  }
}
