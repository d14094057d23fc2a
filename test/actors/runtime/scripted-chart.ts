/**
 * A chart whose guards answer by script and whose actions, assigns, outputs and delays do nothing but write into the open
 * journal what they saw. Structure, targets, timers and raised events are those of the original.
 */
import type { AnyStateMachine } from 'xstate'
import type { PartArgs, PartFunction } from '../../../src/actors/runtime/chart-compiler/chart-parts.ts'
import { rewriteChart } from '../../../src/actors/runtime/chart-compiler/rewrite-chart.ts'
import type { Desk, Journal } from './chart-runs.ts'

/** The scripted copy of `machine`. Its context counts the assigns that ran and names the last one. */
export function scriptChart(machine: AnyStateMachine, desk: Desk): AnyStateMachine {
  const computedDelays: string[] = []
  const guards: PartFunction[] = []
  const note = (what: string, name: string | number, args: PartArgs, params?: unknown) =>
    void desk.open.entries.push([what, name, { ...(args.context as object) }, { ...args.event }, params])
  return rewriteChart(machine, {
    context: { assigns: 0, last: -1 },
    maxIterations: 1_000,
    action: (part, index) => (args, params) => {
      desk.open.changes += 1
      note('act', `${index}:${part.name}`, args, params)
    },
    assign: (part, index) => (args, params) => {
      desk.open.changes += 1
      note('assign', `${index}:${part.name}`, args, params)
      return { assigns: (args.context as { assigns: number }).assigns + 1, last: index }
    },
    guard(_part, index) {
      // One guard in two places stays one guard.
      guards[index] ??= args => ask(desk.open, index, args.event)
      return guards[index]
    },
    output: (_mapper, index) => args => {
      note('output', index, args)
      return { from: index, assigns: (args.context as { assigns: number }).assigns }
    },
    delay(name, delay) {
      if (typeof delay === 'number') return delay
      if (!computedDelays.includes(name)) computedDelays.push(name)
      const delayMs = 1_000 + computedDelays.indexOf(name)
      return args => {
        note('delay', name, args)
        return delayMs
      }
    },
  }).machine
}

/** A pure guard repeats itself until an action or assign ran: so do these. */
function ask(journal: Journal, guard: number, event: object): boolean {
  if (!journal.events.has(event)) journal.events.set(event, journal.events.size)
  const key = `${guard}/${journal.events.get(event)}/${journal.changes}`
  const before = journal.answers.get(key)
  if (before !== undefined) return before
  const answer = journal.script[journal.asked++]
  if (answer === undefined) throw new Error(`guard ${guard} was asked beyond the script`)
  journal.answers.set(key, answer)
  return answer
}
