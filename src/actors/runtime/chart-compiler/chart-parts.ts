/**
 * The functions and values a chart is made of, taken out of its configuration and numbered: decision trees refer to
 * them by number, generated code holds them in constants.
 */
import type { AnyEventObject } from 'xstate'

/** What actions, assignments, delays, guards and output mappers are called with; each reads its share. */
export interface PartArgs {
  context: unknown
  event: AnyEventObject
  self: unknown
  system: unknown
  /** For assignments, which XState lets spawn actors; a compiled chart cannot, so it throws. */
  readonly spawn: () => never
}

/** Any function of a chart. */
export type PartFunction = (args: PartArgs, params?: unknown) => unknown

/** The second argument of an action or guard: none, a value of the chart, or computed before each call. */
export type PartParams =
  | { readonly kind: 'none' }
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'computed'; readonly compute: PartFunction }

/** A guard or a plain action with its parameters. */
export interface ChartPart {
  readonly name: string
  readonly run: PartFunction
  readonly params: PartParams
}

/** An `assign`: a function that returns the changed fields, or values and functions by field. */
export interface AssignPart {
  readonly name: string
  readonly assignment: PartFunction | Readonly<Record<string, unknown>>
  readonly params: PartParams
}

/** An `after` timer: the event it raises and its delay. */
export interface TimerSlot {
  readonly event: AnyEventObject
  /** Milliseconds, or a function that returns them. */
  readonly delay: number | PartFunction
  /** As the chart has it: milliseconds, or the name of the delay. */
  readonly source: number | string
}

/** All parts of a chart; every list is indexed by its decision trees. */
export interface ChartParts {
  readonly guards: ChartPart[]
  readonly actions: ChartPart[]
  readonly assigns: AssignPart[]
  readonly outputs: PartFunction[]
  readonly constants: unknown[]
  readonly raised: AnyEventObject[]
  readonly slots: TimerSlot[]
}

/** An empty set of parts. */
export function createParts(): ChartParts {
  return { guards: [], actions: [], assigns: [], outputs: [], constants: [], raised: [], slots: [] }
}

/** The number of the part equal to `part` (same functions, same parameters), which is added if it is not there yet. */
export function internPart<P extends ChartPart | AssignPart>(parts: P[], part: P): number {
  const found = parts.findIndex(other => functionOf(other) === functionOf(part) && sameParams(other, part))
  return found === -1 ? parts.push(part) - 1 : found
}

/** The number of `value` in `list`, to which it is added if it is not there yet. */
export function internValue<V>(list: V[], value: V): number {
  const found = list.indexOf(value)
  return found === -1 ? list.push(value) - 1 : found
}

function functionOf(part: ChartPart | AssignPart): unknown {
  return 'run' in part ? part.run : part.assignment
}

function sameParams(one: ChartPart | AssignPart, other: ChartPart | AssignPart): boolean {
  const [a, b] = [one.params, other.params]
  if (a.kind === 'value' && b.kind === 'value') return Object.is(a.value, b.value)
  if (a.kind === 'computed' && b.kind === 'computed') return a.compute === b.compute
  return a.kind === b.kind && a.kind === 'none'
}
