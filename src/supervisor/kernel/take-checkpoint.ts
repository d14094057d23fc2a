/** Checkpoints of living actors: what a restart from a snapshot begins with. */
import type { ActorCell } from './cell.ts'
import type { Kernel } from './kernel.ts'

/** Takes a checkpoint if one is due, or in any case. */
export function takeCheckpoint(kernel: Kernel, cell: ActorCell, now = false): void {
  if (cell.checkpointEveryMs < 0 || cell.engine === undefined) return
  const nowMs = kernel.clock.now()
  if (nowMs < cell.checkpointDueMs && !now) return
  cell.checkpointDueMs = nowMs + cell.checkpointEveryMs
  const { address } = cell.entry
  const state = persist(kernel, cell)
  if (state === undefined) return
  const checkpoint = { state, atMs: nowMs }
  kernel.checkpoints.keep(address, checkpoint)
  kernel.lifecycle.onCheckpoint(address, checkpoint)
}

/** Incarnations of which it was said that their state cannot be copied. */
const uncopied = new WeakSet<ActorCell>()

/** A copy: charts may change their context in place. A state that cannot be copied is said once. */
function persist(kernel: Kernel, cell: ActorCell): unknown {
  try {
    return structuredClone(cell.engine?.persist())
  } catch (error) {
    if (uncopied.has(cell)) return undefined
    uncopied.add(cell)
    const { address } = cell.entry
    kernel.log.error({ actor: address, err: error }, 'no checkpoint: the state cannot be copied')
    return undefined
  }
}
