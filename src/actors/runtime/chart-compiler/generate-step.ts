/**
 * Turns the decision trees of a chart into JavaScript: one function for the chart, one for each of its configurations.
 *
 *     step(i, e) ── switch (i.configuration) ── at3(i, e, a) ── switch (e.type) ── if (guard) … else …
 *
 * Every call site belongs to one chart, so V8 sees one callee at each and inlines it, however many charts are loaded;
 * nothing on the way is shared between charts but the shape of the records.
 */
import type { AssignPart, ChartPart, PartFunction } from './chart-parts.ts'
import type { ChartPlan, Configuration } from './chart-plan.ts'
import { endTurn, fail, finish, refuseStep, StepArgs } from './chart-record.ts'
import {
  type DecisionTree,
  type EventSource,
  isFork,
  isInert,
  type Operation,
  type ValueSource,
} from './decision-tree.ts'
import type { Step } from './step-by-walking.ts'
import { checkDelay } from './walk-tree.ts'

/** False where Node runs with `--disallow-code-generation-from-strings`. */
export function mayGenerateCode(): boolean {
  try {
    return new Function('return true')() === true
  } catch {
    return false
  }
}

let generated = 0

/** A step for any instance of the chart. Call it only where {@link mayGenerateCode}. */
export function generateStep(plan: ChartPlan): Step {
  const writer = new StepWriter(plan)
  // The name in the last line keeps V8 from sharing code, and with it type feedback, between charts of equal text.
  const source = `${writer.source()}\n//# sourceURL=starfish-chart/${encodeURIComponent(plan.id)}/${generated++}.js`
  const support = { StepArgs, refuseStep, fail, finish, endTurn, checkDelay }
  return new Function('values', 'support', source)(writer.values, support)
}

class StepWriter {
  /** What the code refers to as v0, v1, …: the functions and values of the chart. */
  readonly values: unknown[] = []
  readonly #plan: ChartPlan
  #temporaries = 0

  constructor(plan: ChartPlan) {
    this.#plan = plan
  }

  source(): string {
    const functions = this.#plan.configurations.map((configuration, index) => this.#configuration(configuration, index))
    const cases = functions.map((text, index) => (text === '' ? '' : `case ${index}: at${index}(i, e, a); break;`))
    const constants = this.values.map((_, index) => `const v${index} = values[${index}];`)
    return `'use strict';
const { StepArgs, refuseStep, fail, finish, endTurn, checkDelay } = support;
${constants.join('\n')}
${functions.join('\n')}
return function step(i, e) {
  if (i.status !== 'active' || i.turn !== 0) return refuseStep(i);
  const a = new StepArgs();
  a.self = a.system = i.scope;
  i.turn = 1;
  try {
    switch (i.configuration) { ${cases.join(' ')} }
  } catch (error) {
    fail(i, error);
    throw error;
  }
  if (i.turn === 1) i.turn = 0; else endTurn(i);
};`
  }

  #configuration({ cells, other, done }: Configuration, index: number): string {
    if (done || (cells.size === 0 && isInert(other, index))) return ''
    const cases = [...cells].map(
      ([type, tree]) => `case ${JSON.stringify(type)}: {\n${this.#tree(tree, index)}break; }\n`,
    )
    return `function at${index}(i, e, a) {
let c = i.context;
switch (e.type) {
${cases.join('')}default: {
${this.#tree(other, index)}}
}
}`
  }

  #tree(tree: DecisionTree, from: number, assigned = false): string {
    const operations = tree.operations.filter((operation, at) => !isRearmed(operation, tree.operations.slice(at)))
    const text = operations.map(operation => `${this.#operation(operation)}\n`).join('')
    const changed = assigned || operations.some(operation => operation.do === 'assign')
    const { next } = tree
    if (isFork(next)) {
      const guard = this.#call(this.#plan.parts.guards[next.guard]!)
      const [yes, no] = [this.#tree(next.yes, from, changed), this.#tree(next.no, from, changed)]
      return `${text}${this.#prepare(next.event)}if (${guard}) {\n${yes}}${no === '' ? '' : ` else {\n${no}}`}\n`
    }
    const context = changed ? 'i.context = c;\n' : ''
    const configuration = next.configuration === from ? '' : `i.configuration = ${next.configuration};\n`
    const done = next.done ? `finish(i, ${this.#value(next.output)});\n` : ''
    return `${text}${context}${configuration}${done}`
  }

  #operation(operation: Operation): string {
    const { parts } = this.#plan
    switch (operation.do) {
      case 'act':
        return `${this.#prepare(operation.event)}${this.#call(parts.actions[operation.action]!)};`
      case 'assign':
        return `${this.#prepare(operation.event)}${this.#assign(parts.assigns[operation.assignment]!)}`
      case 'arm': {
        const { delay } = parts.slots[operation.slot]!
        if (typeof delay === 'number') return `i.timers.set(i, ${operation.slot}, ${delay});`
        const delayMs = `checkDelay(${this.#constant(delay)}(a))`
        return `${this.#prepare(operation.event)}i.timers.set(i, ${operation.slot}, ${delayMs});`
      }
      case 'disarm':
        return `i.timers.clear(i, ${operation.slot});`
      case 'output':
        return `${this.#prepare(operation.event)}const o${operation.index} = ${this.#constant(parts.outputs[operation.mapper])}(a);`
      case 'finish':
        return `const d${operation.index} = { type: ${JSON.stringify(operation.type)}, output: ${this.#value(operation.output)} };`
    }
  }

  /** `{ ...c, ...partial }` does what XState's `Object.assign({}, c, partial)` does, in two thirds of the time. */
  #assign(part: AssignPart): string {
    const { assignment } = part
    if (typeof assignment === 'function') return `c = { ...c, ...${this.#call({ ...part, run: assignment })} };`
    const fields = Object.entries(assignment).map(([field, value]) => {
      if (typeof value !== 'function') return { field, name: this.#constant(value), text: '' }
      const name = `t${this.#temporaries++}`
      return { field, name, text: `const ${name} = ${this.#call({ ...part, run: value as PartFunction })};\n` }
    })
    const changes = fields.map(({ field, name }) => `${JSON.stringify(field)}: ${name}`)
    return `${fields.map(({ text }) => text).join('')}c = { ...c, ${changes.join(', ')} };`
  }

  #call({ run, params }: ChartPart): string {
    const callee = this.#constant(run)
    if (params.kind === 'none') return `${callee}(a)`
    if (params.kind === 'value') return `${callee}(a, ${this.#constant(params.value)})`
    return `${callee}(a, ${this.#constant(params.compute)}(a))`
  }

  /** Sets the arguments right before a call: an earlier call may have changed them. */
  #prepare(event: EventSource): string {
    let name = 'e'
    if (event.from === 'raised') name = this.#constant(this.#plan.parts.raised[event.index])
    else if (event.from === 'done') name = `d${event.index}`
    return `a.context = c; a.event = ${name};\n`
  }

  #value(value: ValueSource | undefined): string {
    if (value === undefined) return 'undefined'
    return value.from === 'output' ? `o${value.index}` : this.#constant(this.#plan.parts.constants[value.index])
  }

  #constant(value: unknown): string {
    const found = this.values.indexOf(value)
    return `v${found === -1 ? this.values.push(value) - 1 : found}`
  }
}

/** A timer that is cleared only to be set again in the same breath need not be cleared. */
function isRearmed(operation: Operation, following: readonly Operation[]): boolean {
  if (operation.do !== 'disarm') return false
  return following.some(later => later.do === 'arm' && later.slot === operation.slot)
}
