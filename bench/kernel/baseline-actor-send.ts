/** The baseline: the same charts as live XState actors. Alone: `node bench/kernel/baseline-actor-send.ts`. */
import { createActor } from 'xstate'
import { assigningMachine, mutatingMachine } from './charts.ts'
import { measure, report } from './measure.ts'

const chunk = { type: 'chunk', bytes: 64 } as const
const mutating = createActor(mutatingMachine).start()
const assigning = createActor(assigningMachine).start()

report([
  measure('actor.send, guard + mutating action', 500_000, count => {
    for (let at = 0; at < count; at++) mutating.send(chunk)
  }),
  measure('actor.send, guard + assign', 500_000, count => {
    for (let at = 0; at < count; at++) assigning.send(chunk)
  }),
])
