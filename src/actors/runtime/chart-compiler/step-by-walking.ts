/** Steps by walking decision trees: the way where code may not be generated from strings. */
import type { AnyEventObject } from 'xstate'
import type { PartArgs, PartFunction } from './chart-parts.ts'
import type { ChartPlan } from './chart-plan.ts'
import { type ChartRecord, endTurn, fail, finish, refuseStep, StepArgs, turns } from './chart-record.ts'
import { type TreeEffects, walkTree } from './walk-tree.ts'

/** Takes one event; see `CompiledChart.step`. */
export type Step = (record: ChartRecord, event: AnyEventObject) => void

/** A step for any instance of the chart. */
export function createWalkingStep(plan: ChartPlan): Step {
  return (record, event) => {
    if (record.status !== 'active' || record.turn !== turns.none) return refuseStep(record)
    record.turn = turns.stepping
    try {
      takeStep(plan, record, event)
    } catch (error) {
      fail(record, error)
      throw error
    }
    endTurn(record)
  }
}

function takeStep(plan: ChartPlan, record: ChartRecord, event: AnyEventObject): void {
  const { cells, other } = plan.configurations[record.configuration]!
  const args = new StepArgs()
  args.context = record.context
  args.event = event
  args.self = args.system = record.scope
  const end = walkTree(plan.parts, cells.get(event.type) ?? other, args, new InlineEffects(record))
  record.context = end.context
  record.configuration = end.outcome.configuration
  if (end.outcome.done) finish(record, end.output)
}

/** Everything happens at once. */
class InlineEffects implements TreeEffects {
  readonly #record: ChartRecord

  constructor(record: ChartRecord) {
    this.#record = record
  }

  act(run: PartFunction, args: PartArgs, params: unknown): void {
    run(args, params)
  }

  arm(slot: number, delayMs: number): void {
    this.#record.timers.set(this.#record, slot, delayMs)
  }

  disarm(slot: number): void {
    this.#record.timers.clear(this.#record, slot)
  }
}
