/**
 * Runs decision trees as they are: for the initial step of every chart, and for all steps where code may not be
 * generated.
 */
import type { AnyEventObject } from 'xstate'
import { StarfishError } from '../../../messages/errors.ts'
import type { AssignPart, ChartPart, ChartParts, PartArgs, PartFunction, PartParams } from './chart-parts.ts'
import {
  type DecisionTree,
  type EventSource,
  isFork,
  type Operation,
  type Outcome,
  type ValueSource,
} from './decision-tree.ts'

/** What a walk does to the world. The arguments are the walker's own: they are valid during the call only. */
export interface TreeEffects {
  act(run: PartFunction, args: PartArgs, params: unknown): void
  arm(slot: number, delayMs: number): void
  disarm(slot: number): void
}

/** Where a walk ended. */
export interface WalkEnd {
  readonly outcome: Outcome
  readonly context: unknown
  readonly output: unknown
}

/** Walks `tree`; `args` holds the context to start from and the event of the step. */
export function walkTree(parts: ChartParts, tree: DecisionTree, args: PartArgs, effects: TreeEffects): WalkEnd {
  return new Walk(parts, args, effects).follow(tree)
}

class Walk {
  readonly #parts: ChartParts
  readonly #args: PartArgs
  readonly #effects: TreeEffects
  readonly #given: AnyEventObject
  #context: unknown
  readonly #finished: AnyEventObject[] = []
  readonly #outputs: unknown[] = []

  constructor(parts: ChartParts, args: PartArgs, effects: TreeEffects) {
    this.#parts = parts
    this.#args = args
    this.#effects = effects
    this.#given = args.event
    this.#context = args.context
  }

  follow(from: DecisionTree): WalkEnd {
    for (let tree = from; ; ) {
      for (const operation of tree.operations) this.#perform(operation)
      const { next } = tree
      if (!isFork(next)) return { outcome: next, context: this.#context, output: this.#valueOf(next.output) }
      const guard = this.#parts.guards[next.guard]!
      const args = this.#prepare(next.event)
      tree = guard.run(args, paramsFor(guard, args)) ? next.yes : next.no
    }
  }

  #perform(operation: Operation): void {
    switch (operation.do) {
      case 'act': {
        const action = this.#parts.actions[operation.action]!
        const args = this.#prepare(operation.event)
        const params = paramsFor(action, args)
        this.#effects.act(action.run, this.#prepare(operation.event), params)
        break
      }
      case 'assign':
        this.#context = assigned(this.#parts.assigns[operation.assignment]!, this.#prepare(operation.event))
        break
      case 'arm': {
        const { delay } = this.#parts.slots[operation.slot]!
        const delayMs = typeof delay === 'number' ? delay : delay(this.#prepare(operation.event))
        this.#effects.arm(operation.slot, checkDelay(delayMs))
        break
      }
      case 'disarm':
        this.#effects.disarm(operation.slot)
        break
      case 'output':
        this.#outputs[operation.index] = this.#parts.outputs[operation.mapper]!(this.#prepare(operation.event))
        break
      case 'finish':
        this.#finished[operation.index] = { type: operation.type, output: this.#valueOf(operation.output) }
    }
  }

  /** The arguments for one call, set right before it: a call may have changed them. */
  #prepare(event: EventSource): PartArgs {
    this.#args.context = this.#context
    this.#args.event = this.#eventOf(event)
    return this.#args
  }

  #eventOf(event: EventSource): AnyEventObject {
    if (event.from === 'given') return this.#given
    return event.from === 'raised' ? this.#parts.raised[event.index]! : this.#finished[event.index]!
  }

  #valueOf(value: ValueSource | undefined): unknown {
    if (value === undefined) return undefined
    return value.from === 'constant' ? this.#parts.constants[value.index] : this.#outputs[value.index]
  }
}

/** The delay if it is a number of milliseconds; throws BAD_CONFIG otherwise. */
export function checkDelay(delayMs: unknown): number {
  if (typeof delayMs === 'number') return delayMs
  throw new StarfishError('BAD_CONFIG', `a delay must be a number of milliseconds, not ${typeof delayMs}`)
}

function paramsFor(part: ChartPart | AssignPart, args: PartArgs): unknown {
  const params: PartParams = part.params
  if (params.kind === 'computed') return params.compute(args)
  return params.kind === 'value' ? params.value : undefined
}

function assigned(part: AssignPart, args: PartArgs): unknown {
  const params = paramsFor(part, args)
  const context = args.context as object
  const { assignment } = part
  if (typeof assignment === 'function') return Object.assign({}, context, assignment(args, params))
  const changes: Record<string, unknown> = {}
  for (const [field, value] of Object.entries(assignment))
    changes[field] = typeof value === 'function' ? (value as PartFunction)(args, params) : value
  return Object.assign({}, context, changes)
}
