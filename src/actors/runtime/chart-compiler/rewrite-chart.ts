/**
 * Builds a second machine of the same shape as a chart, in which every function is replaced by one of ours, and takes
 * the chart apart on the way. Structure, targets, timers and raised events stay what they were, so that XState decides
 * about the copy exactly as it does about the original. Whatever could not be followed this way is refused here.
 */
import { type AnyEventObject, type AnyStateMachine, assign, createMachine } from 'xstate'
import {
  type AssignPart,
  type ChartPart,
  type ChartParts,
  createParts,
  internPart,
  internValue,
  type PartFunction,
  type PartParams,
} from './chart-parts.ts'
import { notCompilable } from './refusal.ts'

/** What stands in for the functions of a chart; each is told the number of the part it replaces. */
export interface Replacements {
  readonly context: object
  /** Microsteps an event may take before XState gives up. */
  readonly maxIterations: number
  action(part: ChartPart, index: number): PartFunction
  assign(part: AssignPart, index: number): PartFunction
  guard(part: ChartPart, index: number): PartFunction
  output(mapper: PartFunction, index: number): PartFunction
  delay(name: string, delay: number | PartFunction): number | PartFunction
}

/** A chart taken apart, and its copy. */
export interface RewrittenChart {
  readonly machine: AnyStateMachine
  readonly parts: ChartParts
}

/** The part of XState's state configuration that can be compiled; the rest is refused or means nothing to a step. */
interface StateConfig {
  readonly id?: string
  readonly type?: string
  readonly history?: unknown
  readonly invoke?: unknown
  readonly route?: unknown
  readonly initial?: unknown
  readonly states?: Readonly<Record<string, StateConfig>>
  readonly on?: Readonly<Record<string, unknown>>
  readonly after?: Readonly<Record<string, unknown>>
  readonly always?: unknown
  readonly onDone?: unknown
  readonly entry?: unknown
  readonly exit?: unknown
  readonly output?: unknown
}

interface TransitionConfig {
  readonly target?: unknown
  readonly reenter?: boolean
  readonly guard?: unknown
  readonly actions?: unknown
}

/** A function made by one of XState's action creators. */
interface BuiltinAction extends PartFunction {
  readonly type: string
  readonly assignment?: AssignPart['assignment']
  readonly event?: unknown
  readonly delay?: unknown
}

type Referenced = { readonly type: string; readonly params?: unknown }
type Implementations = Readonly<Record<'actions' | 'guards' | 'delays', Readonly<Record<string, unknown>>>>

const aliasDepthMax = 16

/** Copies `machine` with its functions replaced. Throws CHART_NOT_COMPILABLE with the path of what is refused. */
export function rewriteChart(machine: AnyStateMachine, replacements: Replacements): RewrittenChart {
  const rewriter = new ChartRewriter(machine, replacements)
  return { machine: rewriter.copy(), parts: rewriter.parts }
}

/** The parts of a chart that was compiled before, numbered as {@link rewriteChart} numbers them; XState is not asked. */
export function takeApart(machine: AnyStateMachine): ChartParts {
  const inert = () => doNothing
  const replacements = { action: inert, assign: inert, guard: inert, output: inert, delay: () => 0 }
  const rewriter = new ChartRewriter(machine, { context: {}, maxIterations: 0, ...replacements })
  rewriter.config()
  return rewriter.parts
}

class ChartRewriter {
  readonly parts = createParts()
  readonly #machine: AnyStateMachine
  readonly #replacements: Replacements
  readonly #implementations: Implementations
  readonly #delays: Record<string, number | PartFunction> = {}

  constructor(machine: AnyStateMachine, replacements: Replacements) {
    this.#machine = machine
    this.#replacements = replacements
    this.#implementations = machine.implementations as unknown as Implementations
  }

  copy(): AnyStateMachine {
    return createMachine(this.config() as never, { delays: this.#delays } as never) as unknown as AnyStateMachine
  }

  config(): object {
    const { context, maxIterations } = this.#replacements
    const root = this.#machine.config as unknown as StateConfig
    return { ...this.#state(root, this.#machine.id), id: this.#machine.id, context, options: { maxIterations } }
  }

  #state(state: StateConfig, path: string): object {
    if (state.type === 'history' || state.history) throw this.#refused(path, 'a history state')
    if (state.invoke !== undefined && listOf(state.invoke).length > 0) throw this.#refused(path, 'invoke')
    if (state.route !== undefined) throw this.#refused(path, 'route')
    return defined({
      id: state.id,
      type: state.type,
      initial: this.#initial(state.initial, path),
      states: mapRecord(state.states, (child, key) => {
        if (key === '__proto__') throw this.#refused(`${path}.${key}`, "the name '__proto__'")
        return this.#state(child, `${path}.${key}`)
      }),
      on: mapRecord(state.on, (transitions, descriptor) => {
        if (descriptor.endsWith('.*')) throw this.#refused(path, `the partial wildcard '${descriptor}'`)
        return this.#transitions(transitions, path)
      }),
      after: mapRecord(state.after, (transitions, delay) => {
        if (Number.isNaN(Number(delay))) this.#delay(delay, path)
        return this.#transitions(transitions, path)
      }),
      always: this.#transitions(state.always, path),
      onDone: this.#transitions(state.onDone, path),
      entry: this.#actions(state.entry, path),
      exit: this.#actions(state.exit, path),
      output: this.#output(state.output),
    })
  }

  #initial(initial: unknown, path: string): unknown {
    if (typeof initial !== 'object' || initial === null) return initial
    return { ...initial, actions: this.#actions((initial as TransitionConfig).actions, path) }
  }

  #transitions(transitions: unknown, path: string): unknown {
    if (Array.isArray(transitions)) return transitions.map(transition => this.#transition(transition, path))
    return this.#transition(transitions, path)
  }

  #transition(transition: unknown, path: string): unknown {
    if (typeof transition !== 'object' || transition === null) return transition
    const { target, reenter, guard, actions } = transition as TransitionConfig
    if (target !== undefined && !listOf(target).every(one => typeof one === 'string'))
      throw this.#refused(path, 'a target that is not a string')
    return defined({ target, reenter, guard: this.#guard(guard, path), actions: this.#actions(actions, path) })
  }

  #guard(guard: unknown, path: string, depth = 0): PartFunction | undefined {
    if (!guard) return undefined
    if (typeof guard === 'function') return this.#guardPart(guard as PartFunction, guard.name, { kind: 'none' }, path)
    const name = nameOf(guard as string | Referenced)
    const found = this.#implementations.guards[name]
    if (found === undefined || depth > aliasDepthMax)
      throw this.#refused(path, `the guard '${name}', which is not implemented`)
    if (typeof found !== 'function') return this.#guard(found, path, depth + 1)
    return this.#guardPart(found as PartFunction, name, paramsOf(guard as string | Referenced), path)
  }

  #guardPart(run: PartFunction, name: string, params: PartParams, path: string): PartFunction {
    if ('check' in run) throw this.#refused(path, `the guard ${run.name}(…)`)
    const part: ChartPart = { name: name || '(inline)', run, params }
    return this.#replacements.guard(part, internPart(this.parts.guards, part))
  }

  #actions(actions: unknown, path: string): unknown[] {
    return actions === undefined ? [] : listOf(actions).map(action => this.#action(action, path))
  }

  #action(action: unknown, path: string): unknown {
    const inline = typeof action === 'function'
    const name = inline ? action.name : nameOf(action as string | Referenced)
    const found = inline ? action : this.#implementations.actions[name]
    const params = inline ? ({ kind: 'none' } as const) : paramsOf(action as string | Referenced)
    if (typeof found === 'function' && 'resolve' in found)
      return this.#builtin(found as unknown as BuiltinAction, name, params, path)
    // XState runs a named action that nobody implemented as one that does nothing.
    const part: ChartPart = { name: name || '(inline)', run: (found as PartFunction | undefined) ?? doNothing, params }
    return this.#replacements.action(part, internPart(this.parts.actions, part))
  }

  #builtin(action: BuiltinAction, name: string, params: PartParams, path: string): unknown {
    if (action.type === 'xstate.raise') return this.#raise(action, path)
    if (action.type !== 'xstate.assign') throw this.#refused(path, `the action ${action.type.replace('xstate.', '')}`)
    const assignment = action.assignment!
    if (Object.hasOwn(assignment, '__proto__')) throw this.#refused(path, "an assign of '__proto__'")
    const part: AssignPart = { name, assignment, params }
    const index = internPart(this.parts.assigns, part)
    return assign(this.#replacements.assign(part, index) as never)
  }

  #raise(action: BuiltinAction, path: string): BuiltinAction {
    if (action.delay !== undefined) throw this.#refused(path, 'a delayed raise')
    if (typeof action.event !== 'object' || action.event === null) throw this.#refused(path, 'a computed raise')
    internValue(this.parts.raised, action.event as AnyEventObject)
    return action
  }

  #output(output: unknown): unknown {
    if (typeof output !== 'function') return output
    const mapper = output as PartFunction
    return this.#replacements.output(mapper, internValue(this.parts.outputs, mapper))
  }

  #delay(name: string, path: string): void {
    const delay = this.#implementations.delays[name]
    if (typeof delay !== 'number' && typeof delay !== 'function')
      throw this.#refused(path, `the delay '${name}', which is not implemented`)
    this.#delays[name] = this.#replacements.delay(name, delay as number | PartFunction)
  }

  #refused(path: string, feature: string): Error {
    return notCompilable(this.#machine.id, path, feature)
  }
}

function nameOf(reference: string | Referenced): string {
  return typeof reference === 'string' ? reference : reference.type
}

function paramsOf(reference: string | Referenced): PartParams {
  if (typeof reference === 'string' || !('params' in reference)) return { kind: 'none' }
  if (typeof reference.params !== 'function') return { kind: 'value', value: reference.params }
  return { kind: 'computed', compute: reference.params as PartFunction }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}

function mapRecord<V, R>(
  record: Readonly<Record<string, V>> | undefined,
  map: (value: V, key: string) => R,
): Record<string, R> | undefined {
  if (record === undefined) return undefined
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]))
}

/** Without the fields that are undefined: XState asks of some whether they are there. */
function defined(fields: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function doNothing(): void {}
