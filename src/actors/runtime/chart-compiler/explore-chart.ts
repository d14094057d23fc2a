/**
 * Finds out what a chart does by asking XState: its own `machine.transition`, on a copy of the chart whose functions
 * record, is run once for each configuration, event and way the guards can answer. So the order of exits and entries,
 * re-entry, wildcards, `always`, raised and done events and parallel regions are XState's by construction.
 *
 * Guards are taken to be pure: one that is asked twice about the same event, with no action or assign in between,
 * answers the same. During the initial step no action has run yet, since XState keeps them for the start.
 */
import type { AnyEventObject, AnyMachineSnapshot, AnyStateMachine, AnyStateNode } from 'xstate'
import type { ChartParts, PartFunction } from './chart-parts.ts'
import { configurationKey } from './configuration-key.ts'
import { type DecisionTree, isInert, type Outcome, type Trace, treeOf } from './decision-tree.ts'
import { type ExecutedAction, type InspectedMicrostep, RecordedRun, Refusal } from './recorded-run.ts'
import { notCompilable } from './refusal.ts'
import { rewriteChart } from './rewrite-chart.ts'

/** Bounds of exploring; a chart beyond them is refused. */
const limits = { microsteps: 64, configurations: 2_000, branchesPerEvent: 1_000, branches: 100_000 }

/** One configuration and what it does with each event. */
export interface ExploredConfiguration {
  readonly snapshot: AnyMachineSnapshot
  readonly done: boolean
  /** By event type; a type without an entry is answered by `other`. */
  readonly cells: ReadonlyMap<string, DecisionTree>
  readonly other: DecisionTree
}

/** All that a chart does. */
export interface ExploredChart {
  readonly parts: ChartParts
  readonly configurations: readonly ExploredConfiguration[]
  /** The initial step: from nothing into the first configuration. */
  readonly initial: DecisionTree
}

/** Stands for every event type that a configuration does not name. */
const otherEvent: AnyEventObject = { type: '(any other event)' }

/** Asks XState about every configuration that can be reached. Throws CHART_NOT_COMPILABLE. */
export function exploreChart(original: AnyStateMachine): ExploredChart {
  return new Explorer(original).explore()
}

class Explorer {
  readonly #id: string
  readonly #machine: AnyStateMachine
  readonly #parts: ChartParts
  readonly #slotOf: ReadonlyMap<string, number>
  readonly #snapshots: AnyMachineSnapshot[] = []
  readonly #indexOf = new Map<string, number>()
  #branches = 0
  #run!: RecordedRun

  constructor(original: AnyStateMachine) {
    this.#id = original.id
    const { machine, parts } = rewriteChart(original, {
      context: {},
      maxIterations: limits.microsteps,
      action: (_part, index) => Object.assign(() => undefined, { action: index }),
      assign: (_part, index) => args => this.#run.assign(index, args),
      guard: (_part, index) => args => this.#run.ask(index, args),
      output: (_mapper, index) => args => this.#run.output(index, args),
      delay: () => 1,
    })
    this.#machine = machine
    this.#parts = parts
    this.#slotOf = collectSlots(machine.root, original, parts)
  }

  explore(): ExploredChart {
    const initial = this.#cell(undefined, undefined)
    const configurations: ExploredConfiguration[] = []
    for (let at = 0; at < this.#snapshots.length; at++) configurations.push(this.#configuration(at))
    return { parts: this.#parts, configurations, initial }
  }

  #configuration(index: number): ExploredConfiguration {
    const snapshot = this.#snapshots[index]!
    const cells = new Map<string, DecisionTree>()
    if (snapshot.status !== 'active') {
      const other = { operations: [], next: { configuration: index, done: true } }
      return { snapshot, done: true, cells, other }
    }
    const types = new Set(snapshot._nodes.flatMap(node => [...node.transitions.keys()]))
    types.delete('*')
    const other = this.#cell(snapshot, otherEvent)
    for (const type of types) {
      const tree = this.#cell(snapshot, { type })
      if (!isInert(tree, index) || !isInert(other, index)) cells.set(type, tree)
    }
    return { snapshot, done: false, cells, other }
  }

  /** Runs one event through every way the guards can answer; yes is tried first, so that endless loops show at once. */
  #cell(snapshot: AnyMachineSnapshot | undefined, event: AnyEventObject | undefined): DecisionTree {
    const armed = snapshot === undefined ? [] : this.#slotsOf(snapshot._nodes)
    const traces: Trace[] = []
    for (let script: boolean[] | undefined = []; script !== undefined; ) {
      const run = new RecordedRun({ script, event, parts: this.#parts, slotOf: this.#slotOf, armed })
      traces.push(this.#trace(run, snapshot, event))
      if (traces.length > limits.branchesPerEvent) throw this.#tooLarge(snapshot, 'branchesPerEvent')
      if (++this.#branches > limits.branches) throw this.#tooLarge(snapshot, 'branches')
      script = nextScript(run.answers)
    }
    return treeOf(traces)
  }

  #trace(run: RecordedRun, snapshot: AnyMachineSnapshot | undefined, event: AnyEventObject | undefined): Trace {
    this.#run = run
    const scope = this.#inertScope(run) as never
    let next: AnyMachineSnapshot
    try {
      if (snapshot === undefined) next = this.#machine.getInitialSnapshot(scope, undefined) as AnyMachineSnapshot
      else next = this.#machine.transition(snapshot, event!, scope) as AnyMachineSnapshot
      // XState reports what goes wrong in the initial step as a status.
      if (next.status === 'error') throw next.error
    } catch (error) {
      throw notCompilable(this.#id, run.lastSource ?? this.#id, featureOf(error))
    }
    return { steps: run.steps, outcome: this.#outcome(run, next) }
  }

  /** An actor scope in which nothing happens: actions and timers are noted, nothing is run. */
  #inertScope(run: RecordedRun): object {
    return {
      self: {},
      id: this.#id,
      sessionId: this.#id,
      logger: () => undefined,
      defer: () => undefined,
      emit: () => undefined,
      stopChild: () => undefined,
      system: { _sendInspectionEvent: (fact: InspectedMicrostep) => run.note(fact) },
      actionExecutor: (action: ExecutedAction) => run.execute(action),
    }
  }

  #outcome(run: RecordedRun, snapshot: AnyMachineSnapshot): Outcome {
    const key = configurationKey(snapshot)
    let configuration = this.#indexOf.get(key)
    if (configuration === undefined) {
      if (this.#snapshots.length === limits.configurations) throw this.#tooLarge(snapshot, 'configurations')
      configuration = this.#snapshots.push(snapshot) - 1
      this.#indexOf.set(key, configuration)
    }
    const done = snapshot.status === 'done'
    const output = run.valueOf(snapshot.output)
    return output === undefined ? { configuration, done } : { configuration, done, output }
  }

  #slotsOf(nodes: readonly AnyStateNode[]): number[] {
    return nodes.flatMap(node => timersOf(node).map(timer => this.#slotOf.get(timer.event.type)!))
  }

  #tooLarge(snapshot: AnyMachineSnapshot | undefined, what: keyof typeof limits): Error {
    const unit = what === 'branchesPerEvent' ? 'branches for one event' : what
    return notCompilable(this.#id, snapshot?._nodes.at(-1)?.id ?? this.#id, `more than ${limits[what]} ${unit}`)
  }
}

/** What of a chart made XState, or the recording, give up. */
function featureOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof Refusal) return message
  if (message.startsWith('Infinite loop')) return '`always` transitions or raised events that may go on for ever'
  return `something that XState itself cannot do: ${message}`
}

/** The next way for the guards to answer: as before, but the last yes is a no. Undefined when all were tried. */
function nextScript(answers: readonly boolean[]): boolean[] | undefined {
  const last = answers.lastIndexOf(true)
  return last === -1 ? undefined : [...answers.slice(0, last), false]
}

/** Numbers the `after` timers of all states in document order. */
function collectSlots(root: AnyStateNode, original: AnyStateMachine, parts: ChartParts): Map<string, number> {
  const slotOf = new Map<string, number>()
  const visit = (node: AnyStateNode): void => {
    for (const { event, delay } of timersOf(node)) {
      if (slotOf.has(event.type)) throw notCompilable(original.id, node.id, 'two `after` timers of one delay')
      slotOf.set(event.type, parts.slots.length)
      parts.slots.push({ event, delay: delayOf(original, delay), source: delay })
    }
    for (const child of Object.values(node.states)) visit(child)
  }
  visit(root)
  return slotOf
}

/** What a delay of a chart stands for. */
export function delayOf(machine: AnyStateMachine, source: number | string): number | PartFunction {
  const delays = machine.implementations.delays as Readonly<Record<string, number | PartFunction>>
  return typeof source === 'number' ? source : delays[source]!
}

interface TimerAction {
  readonly type: string
  readonly event: AnyEventObject
  readonly delay: number | string | undefined
}

/** XState turns `after` into entry actions that raise an event with a delay; no other raise has one here. */
function timersOf(node: AnyStateNode): (TimerAction & { readonly delay: number | string })[] {
  const actions = node.entry as unknown as readonly TimerAction[]
  return actions.filter(
    (action): action is TimerAction & { readonly delay: number | string } =>
      action.type === 'xstate.raise' && action.delay !== undefined,
  )
}
