/**
 * How often the actors of a tree on a shard were started, kept on the main thread for the shard's next worker. Those that
 * its spec names are counted; their number bounds the table.
 */
import type { ResolvedChildSpec } from './child-spec.ts'
import { childAddress } from './kernel/kernel-child-host.ts'

/** Starts by address, of the actor or supervisor itself and of all below it. */
export type StartCounts = Map<string, number>

/** The counts of what was not started yet. */
export function createStartCounts(address: string, spec: ResolvedChildSpec): StartCounts {
  const counts: StartCounts = new Map([[address, 0]])
  if (spec.kind === 'actor') return counts
  for (const child of spec.children) {
    for (const [below] of createStartCounts(childAddress(address, child.id), child)) counts.set(below, 0)
  }
  return counts
}

/** Takes a start down, of whichever of the trees it belongs to. First starts need not be told: see {@link lostCounts}. */
export function noteStart(
  countsOf: (address: string) => StartCounts | undefined,
  address: string,
  incarnation: number,
): void {
  for (let top = address; top !== ''; top = top.slice(0, Math.max(0, top.lastIndexOf('/')))) {
    const counts = countsOf(top)
    if (counts?.has(address)) counts.set(address, incarnation)
  }
}

/** The counts when the worker is lost: what was never told has started once. */
export function lostCounts(counts: StartCounts): StartCounts {
  return new Map(Array.from(counts, ([address, incarnation]) => [address, Math.max(1, incarnation)]))
}
