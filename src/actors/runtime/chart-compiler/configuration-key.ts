/**
 * When two snapshots behave alike. XState goes through parallel regions in the order in which they were entered, not in
 * document order, so in a parallel chart the same state value may answer an event with actions in another order. The
 * key therefore holds, next to the active states, the order of what XState iterates over: the regions, and the leaves
 * that take part in `always`. Configurations that turn out to behave alike all the same are merged afterwards.
 */
import type { AnyMachineSnapshot, AnyStateNode } from 'xstate'

/** A text that is equal for snapshots that behave alike, whatever their context. */
export function configurationKey(snapshot: AnyMachineSnapshot): string {
  const nodes: readonly AnyStateNode[] = snapshot._nodes
  const active = nodes.map(node => node.order).sort((a, b) => a - b)
  const ordered = nodes.filter(node => node.parent?.type === 'parallel' || (isLeaf(node) && hasAlways(node)))
  return `${snapshot.status}:${active.join()}:${ordered.map(node => node.order).join()}`
}

/** The active states without children, in document order. */
export function leavesOf(snapshot: AnyMachineSnapshot): readonly AnyStateNode[] {
  const leaves: AnyStateNode[] = snapshot._nodes.filter(isLeaf)
  return leaves.sort((a, b) => a.order - b.order)
}

function isLeaf(node: AnyStateNode): boolean {
  return node.type === 'atomic' || node.type === 'final'
}

function hasAlways(node: AnyStateNode | undefined): boolean {
  return node !== undefined && (node.always !== undefined || hasAlways(node.parent))
}
