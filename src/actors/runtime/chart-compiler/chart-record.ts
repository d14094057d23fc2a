/** The record of one instance, and what every way of stepping it has in common. */
import { StarfishError } from '../../../messages/errors.ts'
import type { ChartInstance, ChartTimers, CompiledChart } from '../compiled-chart.ts'
import type { PartArgs } from './chart-parts.ts'
import type { Outcome } from './decision-tree.ts'

/** Whether a step of the instance is on: not at all, on, or on and to be followed by a stop. */
export const turns = { none: 0, stepping: 1, stopping: 2 } as const

/** What the initial step left for the start. */
export interface PendingStart {
  readonly effects: readonly (() => void)[]
  readonly timers: readonly (() => void)[]
  readonly outcome: Outcome
  readonly output: unknown
}

/** One running instance. Its fields are set in one order, so that V8 sees one shape for all charts. */
export class ChartRecord implements ChartInstance {
  context: unknown = {}
  configuration = 0
  status: ChartInstance['status'] = 'idle'
  output: unknown = undefined
  error: unknown = undefined
  readonly scope: object
  readonly chart: CompiledChart
  readonly timers: ChartTimers
  timerHandles: unknown[] | undefined = undefined
  turn: number = turns.none
  pending: PendingStart | undefined = undefined

  constructor(chart: CompiledChart, timers: ChartTimers, scope: object) {
    this.chart = chart
    this.timers = timers
    this.scope = scope
  }
}

/**
 * Arguments of actions and guards, made for each step: one that lasts would grow old, and to store a young event in what
 * is old costs V8 a note each time. Where the calls are inlined there is no object at all.
 */
export class StepArgs implements PartArgs {
  context: unknown = undefined
  event: PartArgs['event'] = noEvent
  self: unknown = undefined
  system: unknown = undefined
  readonly spawn = refuseSpawn
}

const noEvent = { type: '' }

function refuseSpawn(): never {
  throw new StarfishError('CHART_NOT_COMPILABLE', 'an assign of a compiled chart cannot spawn actors')
}

/** For a step that cannot be taken: ignored when the instance has ended, an error when it is out of turn. */
export function refuseStep(record: ChartRecord): void {
  if (record.status === 'idle') throw misuse(record, 'was given an event before it was started')
  if (record.turn !== turns.none) throw misuse(record, 'was given an event from inside its own step')
}

/** The error for a call that came out of turn. */
export function misuse(record: ChartRecord, how: string): StarfishError {
  const chart = record.chart.id
  return new StarfishError('CHART_MISUSED', `an instance of chart '${chart}' ${how}`, { details: { chart } })
}

/** Ends an instance in which something threw. */
export function fail(record: ChartRecord, error: unknown): void {
  record.status = 'error'
  record.error = error
  record.turn = turns.none
  record.pending = undefined
  clearTimers(record)
}

/** Ends an instance whose machine is done. */
export function finish(record: ChartRecord, output: unknown): void {
  record.status = 'done'
  record.output = output
  clearTimers(record)
}

/** Ends a step: a stop that was asked for meanwhile happens now. */
export function endTurn(record: ChartRecord): void {
  const stop = record.turn === turns.stopping && record.status === 'active'
  record.turn = turns.none
  if (stop) halt(record)
}

/** Ends an instance that is stopped from outside. */
export function halt(record: ChartRecord): void {
  record.status = 'stopped'
  record.pending = undefined
  clearTimers(record)
}

function clearTimers(record: ChartRecord): void {
  for (let slot = 0; slot < record.chart.timerSlots.length; slot++) record.timers.clear(record, slot)
}
