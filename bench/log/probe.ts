/** What watches the thread it is loaded by, as an actor or without: pauses of its garbage collector, and delays of its event loop. */
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { setup } from 'xstate'
import { defineActor } from '../../src/actors/runtime/define-actor.ts'
import type { Request } from '../../src/actors/runtime/requests.ts'
import { reply } from '../../src/actors/runtime/runtime-actions.ts'

/** What a thread lived through since the last report. */
export interface ThreadReport {
  /** Each pause of the garbage collector, ms. */
  readonly pausesMs: readonly number[]
  /** 99th percentile of how late the event loop came to a timer of a millisecond, ms. */
  readonly loopDelayP99Ms: number
}

/** What it takes. */
export type ProbeEvent = Request<{ type: 'probe.report' }, ThreadReport>

const resolutionMs = 1

let pausesMs: number[] = []
let delays: ReturnType<typeof monitorEventLoopDelay> | undefined

/** Reports of this thread, and begins anew; the first report tells of nothing. */
export function report(): ThreadReport {
  const told = { pausesMs, loopDelayP99Ms: delays === undefined ? 0 : delays.percentile(99) / 1e6 - resolutionMs }
  pausesMs = []
  if (delays === undefined) {
    delays = monitorEventLoopDelay({ resolution: resolutionMs })
    delays.enable()
    new PerformanceObserver(list => {
      for (const { duration } of list.getEntries()) pausesMs.push(duration)
    }).observe({ entryTypes: ['gc'] })
  }
  delays.reset()
  return told
}

export const probe = defineActor(import.meta.url, 'probe', {
  machine: setup({
    types: {} as { events: ProbeEvent },
    actions: { report: reply<ProbeEvent>()('probe.report', report) },
  }).createMachine({ id: 'probe', on: { 'probe.report': { actions: 'report' } } }),
})
