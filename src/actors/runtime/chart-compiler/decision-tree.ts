/**
 * What a chart does with one event in one configuration, as data: operations in order, then either a guard to ask or an
 * outcome. Trees hold indices only; the functions they stand for are in the {@link ChartParts} of the chart.
 *
 *     operations ── guard ── yes ── operations ── outcome
 *                     └───── no ─── operations ── outcome
 */

/**
 * The event that an operation sees: the one given to the step, one the chart raises (`raised` counts them), or the
 * done event that a `finish` operation made.
 */
export type EventSource = { readonly from: 'given' } | { readonly from: 'raised' | 'done'; readonly index: number }

/** A value of an output: a constant of the chart, or what an `output` operation returned. */
export type ValueSource = { readonly from: 'constant' | 'output'; readonly index: number }

/** One thing that happens on the way. Slots are those of `chart.timerSlots`. */
export type Operation =
  | { readonly do: 'act'; readonly action: number; readonly event: EventSource }
  | { readonly do: 'assign'; readonly assignment: number; readonly event: EventSource }
  | { readonly do: 'arm'; readonly slot: number; readonly event: EventSource }
  | { readonly do: 'disarm'; readonly slot: number }
  | { readonly do: 'output'; readonly index: number; readonly mapper: number; readonly event: EventSource }
  | { readonly do: 'finish'; readonly index: number; readonly type: string; readonly output?: ValueSource }

/** A guard asked about an event. */
export interface Question {
  readonly guard: number
  readonly event: EventSource
}

/** Where a step ends: an index into the configurations and, if the machine is done, its output. */
export interface Outcome {
  readonly configuration: number
  readonly done: boolean
  readonly output?: ValueSource
}

/** The answer to one event in one configuration. */
export interface DecisionTree {
  readonly operations: readonly Operation[]
  readonly next: Outcome | Fork
}

/** A question with what follows from each answer. */
export interface Fork extends Question {
  readonly yes: DecisionTree
  readonly no: DecisionTree
}

/** One run through a tree, as exploring records it. */
export interface Trace {
  readonly steps: readonly (Operation | Answer)[]
  readonly outcome: Outcome
}

/** A guard that was asked, and what it said. */
export interface Answer extends Question {
  readonly do: 'ask'
  readonly answer: boolean
}

/** True for the end of a tree. */
export function isFork(next: Outcome | Fork): next is Fork {
  return 'guard' in next
}

/** Folds all runs of one cell, one for each way the guards can answer, into a tree. */
export function treeOf(traces: readonly Trace[], from = 0): DecisionTree {
  const [first] = traces
  if (first === undefined) throw new TypeError('a decision tree needs at least one trace')
  const operations: Operation[] = []
  for (let at = from; at < first.steps.length; at++) {
    const step = first.steps[at]!
    if (step.do !== 'ask') {
      operations.push(step)
      continue
    }
    const answered = (answer: boolean) => traces.filter(trace => (trace.steps[at] as Answer).answer === answer)
    const yes = treeOf(answered(true), at + 1)
    const no = treeOf(answered(false), at + 1)
    return { operations, next: { guard: step.guard, event: step.event, yes, no } }
  }
  return { operations, next: first.outcome }
}

/** The same tree with every configuration index passed through `map`. */
export function mapOutcomes(tree: DecisionTree, map: (configuration: number) => number): DecisionTree {
  const { operations, next } = tree
  if (!isFork(next)) return { operations, next: { ...next, configuration: map(next.configuration) } }
  return { operations, next: { ...next, yes: mapOutcomes(next.yes, map), no: mapOutcomes(next.no, map) } }
}

/** True when the tree does nothing and stays where it is. */
export function isInert(tree: DecisionTree, configuration: number): boolean {
  return (
    tree.operations.length === 0 && !isFork(tree.next) && !tree.next.done && tree.next.configuration === configuration
  )
}
