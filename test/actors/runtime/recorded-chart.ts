/** A chart whose named actions write into the open journal what they saw, and then do what they do. */
import type { AnyStateMachine } from 'xstate'
import type { PartArgs, PartFunction } from '../../../src/actors/runtime/chart-compiler/chart-parts.ts'
import type { Desk } from './chart-runs.ts'

/** `machine` with its plain named actions wrapped; builtin ones, such as assigns, show in the context. */
export function recordChart(machine: AnyStateMachine, desk: Desk): AnyStateMachine {
  const actions = Object.entries(machine.implementations.actions as Record<string, PartFunction | undefined>)
  const wrapped = actions.flatMap(([name, run]) => {
    if (run === undefined || 'resolve' in run) return []
    const action = (args: PartArgs, params: unknown) => {
      desk.open.entries.push([name, copyOf(args.context), copyOf(args.event), copyOf(params)])
      return run(args, params)
    }
    return [[name, action] as const]
  })
  return machine.provide({ actions: Object.fromEntries(wrapped) as never }) as AnyStateMachine
}

/** A copy of plain objects and arrays; whatever else there is stays itself. */
export function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf)
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, copyOf(field)]))
}
