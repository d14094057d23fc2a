/**
 * A chart ready to run: its parts and, for each configuration, the decision tree of each event. Configurations that
 * nobody could tell apart are one.
 */
import type { AnyStateMachine } from 'xstate'
import type { ChartParts, TimerSlot } from './chart-parts.ts'
import { leavesOf } from './configuration-key.ts'
import { type DecisionTree, isInert, mapOutcomes } from './decision-tree.ts'
import { delayOf, type ExploredChart, type ExploredConfiguration, exploreChart } from './explore-chart.ts'
import { takeApart } from './rewrite-chart.ts'
import { checkStaticContext } from './static-context.ts'

/** A set of active states. */
export interface Configuration {
  /** Dotted paths of the innermost states, such as `open.reading`; those of parallel regions are joined by ` & `. */
  readonly text: string
  /** The state value in XState's form. */
  readonly value: unknown
  /** Dotted paths of all active states. */
  readonly paths: ReadonlySet<string>
  readonly done: boolean
  /** By event type; a type without an entry is answered by `other`. */
  readonly cells: ReadonlyMap<string, DecisionTree>
  readonly other: DecisionTree
}

/** All there is to know about a chart. */
export interface ChartPlan {
  readonly id: string
  readonly parts: ChartParts
  readonly configurations: readonly Configuration[]
  readonly initial: DecisionTree
  /** The context of the machine's configuration: a value, or a function of the input. */
  readonly context: unknown
}

/** What exploring a chart has found, without the chart's functions: it can be handed to another thread that has the chart. */
export interface ChartFindings {
  readonly configurations: readonly Configuration[]
  readonly initial: DecisionTree
  readonly constants: readonly unknown[]
  readonly slots: readonly Pick<TimerSlot, 'event' | 'source'>[]
}

/** What a plan can be made of again. */
export function findingsOf({ configurations, initial, parts }: ChartPlan): ChartFindings {
  const slots = parts.slots.map(({ event, source }) => ({ event, source }))
  return { configurations, initial, constants: parts.constants, slots }
}

/** The plan of the chart that the findings are of. */
export function resumePlan(machine: AnyStateMachine, { constants, slots, ...found }: ChartFindings): ChartPlan {
  const timers = slots.map(({ event, source }) => ({ event, source, delay: delayOf(machine, source) }))
  const parts = { ...takeApart(machine), constants: [...constants], slots: timers }
  const configurations = found.configurations.map(one => ({ ...one, value: frozen(one.value) }))
  return { id: machine.id, parts, configurations, initial: found.initial, context: machine.config.context }
}

/** Explores a chart and numbers what it found. Throws CHART_NOT_COMPILABLE. */
export function planChart(machine: AnyStateMachine): ChartPlan {
  const { context } = machine.config
  if (typeof context !== 'function') checkStaticContext(machine.id, context)
  const explored = exploreChart(machine)
  const classes = classesOf(explored)
  const classOf = (configuration: number) => classes[configuration]!
  const configurations: Configuration[] = []
  explored.configurations.forEach((configuration, index) => {
    configurations[classOf(index)] ??= describe(configuration, classOf(index), classOf)
  })
  return {
    id: machine.id,
    parts: explored.parts,
    configurations,
    initial: mapOutcomes(explored.initial, classOf),
    context,
  }
}

/**
 * Numbers the classes of configurations that behave alike: those of one state value, told apart by what their cells
 * do, then by the classes their cells lead to, until nothing more is told apart.
 */
function classesOf({ configurations }: ExploredChart): number[] {
  let classes = numbered(configurations.map(({ snapshot, done }) => `${done}${textOf(snapshot)}`))
  for (;;) {
    const count = new Set(classes).size
    if (count === configurations.length) return classes
    const refined = numbered(configurations.map((configuration, index) => signature(configuration, classes, index)))
    if (new Set(refined).size === count) return classes
    classes = refined
  }
}

function signature({ cells, other }: ExploredConfiguration, classes: readonly number[], index: number): string {
  const mapped = (tree: DecisionTree) => mapOutcomes(tree, configuration => classes[configuration]!)
  const entries = [...cells].map(([type, tree]) => [type, mapped(tree)] as const)
  return JSON.stringify([classes[index], entries.sort(([a], [b]) => (a < b ? -1 : 1)), mapped(other)])
}

function numbered(names: readonly string[]): number[] {
  const numbers = new Map<string, number>()
  return names.map(name => {
    if (!numbers.has(name)) numbers.set(name, numbers.size)
    return numbers.get(name)!
  })
}

function describe(
  configuration: ExploredConfiguration,
  index: number,
  classOf: (configuration: number) => number,
): Configuration {
  const { snapshot, done } = configuration
  const other = mapOutcomes(configuration.other, classOf)
  const cells = new Map<string, DecisionTree>()
  for (const [type, tree] of configuration.cells) {
    const mapped = mapOutcomes(tree, classOf)
    if (!isInert(mapped, index) || !isInert(other, index)) cells.set(type, mapped)
  }
  const paths = new Set(snapshot._nodes.map(node => node.path.join('.')))
  return { text: textOf(snapshot), value: frozen(snapshot.value), paths, done, cells, other }
}

function textOf(snapshot: ExploredConfiguration['snapshot']): string {
  return leavesOf(snapshot)
    .map(leaf => leaf.path.join('.'))
    .join(' & ')
}

function frozen(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen)
  return value
}
