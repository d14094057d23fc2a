/** One run of XState through a chart whose functions record: what happened, and which guards were asked. */
import type { AnyEventObject } from 'xstate'
import { type ChartParts, internValue, type PartArgs, type PartFunction } from './chart-parts.ts'
import type { Answer, EventSource, Operation, ValueSource } from './decision-tree.ts'

/** A replaced action; it carries the number of the part it stands for. */
export interface RecordingAction extends PartFunction {
  readonly action?: number
}

/** What XState hands to the executor of an actor: actions in their order, builtin ones among them. */
export interface ExecutedAction {
  readonly type: string
  readonly info: PartArgs
  readonly params: unknown
  readonly exec?: RecordingAction
}

/** What XState tells an inspector after each microstep, as far as it is read here. */
export interface InspectedMicrostep {
  readonly type: string
  readonly _transitions?: readonly { readonly source: { readonly id: string } }[]
}

/** Thrown through XState where a run shows something that cannot be compiled. */
export class Refusal extends Error {}

/** What a run starts from. */
export interface RunStart {
  /** Answers for the first guards; those asked beyond it hear yes. */
  readonly script: readonly boolean[]
  /** The event of the step; undefined for the initial step, whose event XState makes. */
  readonly event: AnyEventObject | undefined
  readonly parts: ChartParts
  readonly slotOf: ReadonlyMap<string, number>
  /** Slots whose states are active. */
  readonly armed: Iterable<number>
}

/** Collects the steps of one run. */
export class RecordedRun {
  readonly steps: (Operation | Answer)[] = []
  /** Answers given so far, those of the script included. */
  readonly answers: boolean[] = []
  /** Id of the state that the last transition left from. */
  lastSource: string | undefined
  readonly #start: RunStart
  readonly #armed: Set<number>
  readonly #remembered = new Map<string, boolean>()
  readonly #eventNumbers = new Map<AnyEventObject, number>()
  readonly #finished = new Map<AnyEventObject, EventSource>()
  readonly #tokens = new Map<unknown, number>()
  /** How often something ran that may have changed what guards read. */
  #changes = 0

  constructor(start: RunStart) {
    this.#start = start
    this.#armed = new Set(start.armed)
  }

  /** A guard is asked. Pure guards repeat themselves until something has changed. */
  ask(guard: number, args: PartArgs): boolean {
    const event = this.#sourceOf(args.event)
    const key = `${guard}/${this.#numberOf(args.event)}/${this.#changes}`
    const before = this.#remembered.get(key)
    if (before !== undefined) return before
    const answer = this.#start.script[this.answers.length] ?? true
    this.answers.push(answer)
    this.#remembered.set(key, answer)
    this.steps.push({ do: 'ask', guard, event, answer })
    return answer
  }

  /** An `assign` is evaluated. */
  assign(assignment: number, args: PartArgs): object {
    this.steps.push({ do: 'assign', assignment, event: this.#sourceOf(args.event) })
    this.#changes += 1
    return {}
  }

  /** An output is mapped; the result stands for it wherever it turns up. */
  output(mapper: number, args: PartArgs): object {
    const event = this.#sourceOf(args.event)
    const index = this.#tokens.size
    const token = { output: index }
    this.#tokens.set(token, index)
    this.steps.push({ do: 'output', index, mapper, event })
    return token
  }

  /** XState executes an action. */
  execute(action: ExecutedAction): void {
    const custom = action.exec?.action
    if (custom !== undefined) {
      this.steps.push({ do: 'act', action: custom, event: this.#sourceOf(action.info.event) })
      // In the initial step actions wait for the start, so no guard sees what they do.
      if (this.#start.event !== undefined) this.#changes += 1
    } else if (action.type === 'xstate.raise') {
      const { id, delay } = action.params as { readonly id: string; readonly delay?: number }
      if (delay !== undefined) this.#arm(id, action.info.event)
    } else if (action.type === 'xstate.cancel') {
      const slot = this.#slot((action.params as { readonly sendId: string }).sendId)
      this.#armed.delete(slot)
      this.steps.push({ do: 'disarm', slot })
    }
  }

  /** XState reports a microstep. */
  note(fact: InspectedMicrostep): void {
    this.lastSource = fact._transitions?.at(-1)?.source.id ?? this.lastSource
  }

  /** Where an output value comes from; undefined for none. */
  valueOf(value: unknown): ValueSource | undefined {
    if (value === undefined) return undefined
    const index = this.#tokens.get(value)
    if (index !== undefined) return { from: 'output', index }
    return { from: 'constant', index: internValue(this.#start.parts.constants, value) }
  }

  #arm(id: string, event: AnyEventObject): void {
    const slot = this.#slot(id)
    // Happens where a child targets the root without `reenter`: XState enters it unexited and lets both timers run.
    if (this.#armed.has(slot)) throw new Refusal('an `after` of a state that is entered while it is active')
    this.#armed.add(slot)
    this.steps.push({ do: 'arm', slot, event: this.#sourceOf(event) })
  }

  #slot(event: string): number {
    const slot = this.#start.slotOf.get(event)
    if (slot === undefined) throw new Refusal(`the timer '${event}'`)
    return slot
  }

  #sourceOf(event: AnyEventObject): EventSource {
    if (event === this.#start.event || event.type === 'xstate.init') return { from: 'given' }
    const known = this.#finished.get(event)
    if (known !== undefined) return known
    const raised = this.#start.parts.raised.indexOf(event)
    if (raised !== -1) return { from: 'raised', index: raised }
    if (!event.type.startsWith('xstate.done.state.')) throw new Refusal(`the event '${event.type}'`)
    const source = { from: 'done', index: this.#finished.size } as const
    const output = this.valueOf(event['output'])
    const finish = { do: 'finish', index: source.index, type: event.type } as const
    this.steps.push(output === undefined ? finish : { ...finish, output })
    this.#finished.set(event, source)
    return source
  }

  #numberOf(event: AnyEventObject): number {
    const known = this.#eventNumbers.get(event)
    if (known !== undefined) return known
    this.#eventNumbers.set(event, this.#eventNumbers.size)
    return this.#eventNumbers.size - 1
  }
}
