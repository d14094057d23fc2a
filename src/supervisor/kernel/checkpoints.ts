/**
 * The last checkpoints of actors that restart from snapshots, by address.
 *
 * A restore that ends before it has taken a checkpoint of its own has failed; after two in a row the next start is
 * fresh, so that a state which cannot live does not cost its actor for good.
 */
import type { Checkpoint } from '../../messages/thread/kernel-message.ts'

const restoresMax = 2

interface Kept {
  readonly checkpoint: Checkpoint
  /** Starts from it so far. */
  restores: number
}

/** Checkpoints. */
export class Checkpoints {
  readonly #kept = new Map<string, Kept>()

  get size(): number {
    return this.#kept.size
  }

  has(address: string): boolean {
    return this.#kept.has(address)
  }

  /** Replaces the checkpoint of an address: its last restore, if there was one, has gone well. */
  keep(address: string, checkpoint: Checkpoint): void {
    this.#kept.set(address, { checkpoint, restores: 0 })
  }

  /** The checkpoint to start from; undefined when there is none or it has failed twice, which forgets it. */
  take(address: string): Checkpoint | undefined {
    const kept = this.#kept.get(address)
    if (kept === undefined) return undefined
    if (kept.restores < restoresMax) {
      kept.restores++
      return kept.checkpoint
    }
    this.#kept.delete(address)
    return undefined
  }

  /** {@link take} for an address and all below it: what a thread is handed that starts them again. */
  takeTree(address: string): (readonly [address: string, checkpoint: Checkpoint])[] {
    return this.#inTree(address).flatMap(each => {
      const checkpoint = this.take(each)
      return checkpoint === undefined ? [] : [[each, checkpoint] as const]
    })
  }

  /** Forgets an address and all below it, but for those that are `spared`; true when there was something to forget. */
  forgetTree(address: string, spared?: { has(address: string): boolean }): boolean {
    const before = this.#kept.size
    for (const each of this.#inTree(address)) if (spared?.has(each) !== true) this.#kept.delete(each)
    return this.#kept.size < before
  }

  #inTree(address: string): string[] {
    const below = `${address}/`
    return [...this.#kept.keys()].filter(each => each === address || each.startsWith(below))
  }
}
