/** Whether a chart has a transition for an event in a given state, guards not asked. */
import type { AnyStateMachine, AnyStateNode, StateValue } from 'xstate'

/** True when some state of `value`, in XState's form, has a transition for that event type or for every event. */
export function takesEvent(machine: AnyStateMachine, value: unknown, type: string): boolean {
  return nodeTakes(machine.root, value as StateValue, type)
}

function nodeTakes(node: AnyStateNode, value: StateValue | undefined, type: string): boolean {
  if (node.transitions.has(type) || matchesWildcard(node, type)) return true
  if (value === undefined) return false
  if (typeof value === 'string') return nodeTakes(node.states[value]!, undefined, type)
  return Object.entries(value).some(([key, below]) => nodeTakes(node.states[key]!, below, type))
}

/** `*` stands for every event, `peer.*` for `peer` and all that begin with `peer.`; see XState's event descriptors. */
function matchesWildcard(node: AnyStateNode, type: string): boolean {
  for (const descriptor of node.transitions.keys()) {
    if (descriptor === '*' || (descriptor.endsWith('.*') && `${type}.`.startsWith(descriptor.slice(0, -1)))) return true
  }
  return false
}
