/**
 * The beginning of an instance. XState evaluates the context, the assigns, guards and parameters of the initial step when
 * an actor is created, and keeps the actions and timers for its start; so does this.
 */
import type { PartFunction } from './chart-parts.ts'
import type { ChartPlan } from './chart-plan.ts'
import { type ChartRecord, endTurn, fail, finish, type PendingStart, StepArgs, turns } from './chart-record.ts'
import { copyStaticContext } from './static-context.ts'
import { walkTree } from './walk-tree.ts'

/** Brings a new record into the initial state. What is thrown on the way becomes `status: 'error'`. */
export function enterInitialState(plan: ChartPlan, record: ChartRecord, input: unknown): void {
  try {
    record.context = initialContext(plan.context, record, input)
    record.pending = takeInitialStep(plan, record, input)
    record.configuration = record.pending.outcome.configuration
  } catch (error) {
    fail(record, error)
  }
}

/** Runs what the initial step left, timers last. Rethrows what an action throws, or what the initial step threw. */
export function startRecord(record: ChartRecord): void {
  if (record.status === 'error') throw record.error
  const { pending } = record
  if (record.status !== 'idle' || pending === undefined) return
  record.pending = undefined
  record.status = 'active'
  record.turn = turns.stepping
  // Known since the initial step, and there even if an action throws now.
  record.output = pending.output
  try {
    for (const effect of pending.effects) effect()
    for (const effect of pending.timers) effect()
  } catch (error) {
    fail(record, error)
    throw error
  }
  if (pending.outcome.done) finish(record, pending.output)
  endTurn(record)
}

/** A copy, as XState makes one of what the factory returns, and as no two instances are to mutate one static context. */
function initialContext(context: unknown, record: ChartRecord, input: unknown): unknown {
  if (typeof context !== 'function') return copyStaticContext(context)
  const { spawn } = new StepArgs()
  return { ...(context as (args: object) => object)({ spawn, input, self: record.scope }) }
}

function takeInitialStep(plan: ChartPlan, record: ChartRecord, input: unknown): PendingStart {
  const effects: (() => void)[] = []
  const timers: (() => void)[] = []
  const args = new StepArgs()
  args.context = record.context
  args.event = { type: 'xstate.init', input }
  args.self = args.system = record.scope
  const end = walkTree(plan.parts, plan.initial, args, {
    act: (run: PartFunction, now, params) => {
      const later = Object.assign(new StepArgs(), now)
      effects.push(() => void run(later, params))
    },
    arm: (slot, delayMs) => timers.push(() => record.timers.set(record, slot, delayMs)),
    disarm: slot => timers.push(() => record.timers.clear(record, slot)),
  })
  record.context = end.context
  return { effects, timers, outcome: end.outcome, output: end.output }
}
