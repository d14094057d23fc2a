/** What survives of an instance, and how it comes back. */
import { StarfishError } from '../../../messages/errors.ts'
import type { ChartTimers, PersistedChart } from '../compiled-chart.ts'
import type { ChartPlan } from './chart-plan.ts'
import { type ChartRecord, misuse } from './chart-record.ts'

/** Takes the state, context and remaining times out of a record. */
export function persistRecord(plan: ChartPlan, record: ChartRecord, timers: ChartTimers): PersistedChart {
  if (record.status === 'idle') throw misuse(record, 'was persisted before it was started')
  const set: { event: string; remainingMs: number }[] = []
  plan.parts.slots.forEach(({ event }, slot) => {
    const remainingMs = timers.remainingMs(record, slot)
    if (remainingMs !== undefined) set.push({ event: event.type, remainingMs })
  })
  const { context, configuration, status, output } = record
  const { value } = plan.configurations[configuration]!
  const persisted = { value, configuration, context, status, timers: set }
  return output === undefined ? persisted : { ...persisted, output }
}

/** Puts a new record where `persisted` stood and arms its timers. Throws BAD_SNAPSHOT if the chart has no such state. */
export function restoreRecord(plan: ChartPlan, record: ChartRecord, persisted: PersistedChart): void {
  const configuration = configurationOf(plan, persisted)
  if (persisted.status === 'idle') throw badSnapshot(plan, `the status 'idle'`)
  const slots = persisted.timers.map(timer => {
    const slot = plan.parts.slots.findIndex(({ event }) => event.type === timer.event)
    if (slot === -1) throw badSnapshot(plan, `the timer '${timer.event}'`)
    return { slot, remainingMs: timer.remainingMs }
  })
  record.context = persisted.context
  record.configuration = configuration
  record.status = persisted.status
  record.output = persisted.output
  if (record.status !== 'active') return
  for (const { slot, remainingMs } of slots) record.timers.set(record, slot, remainingMs)
}

function configurationOf(plan: ChartPlan, persisted: PersistedChart): number {
  const value = canonical(persisted.value)
  const hint = persisted.configuration ?? -1
  const hinted = plan.configurations[hint]
  if (hinted !== undefined && canonical(hinted.value) === value) return hint
  const found = plan.configurations.findIndex(known => canonical(known.value) === value)
  if (found === -1) throw badSnapshot(plan, `the state ${value}`)
  return found
}

function badSnapshot(plan: ChartPlan, what: string): StarfishError {
  return new StarfishError('BAD_SNAPSHOT', `chart '${plan.id}' cannot be restored: it does not know ${what}`, {
    details: { chart: plan.id },
  })
}

/** Equal texts for equal state values, whatever the order of their regions. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, child]) => `${JSON.stringify(key)}:${canonical(child)}`).join()}}`
}
