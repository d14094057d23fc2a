/** The receiving worker of the bare measurements: no edge, nothing of it loaded. */
import { workerData } from 'node:worker_threads'
import { createActors, type Sample } from './actor.ts'

interface BareEnvelope {
  readonly to: string
  readonly requestId: number
  readonly event: Sample
}

const { port, done } = workerData
const actors = createActors()
const handled = new Int32Array(done)
let count = 0

port.on('message', (value: BareEnvelope | BareEnvelope[]) => {
  if (!Array.isArray(value)) {
    actors.get(value.to)!.step(value.event)
    port.postMessage({ requestId: value.requestId, value: value.event })
    return
  }
  for (const { to, event } of value) actors.get(to)!.step(event)
  count += value.length
  Atomics.store(handled, 0, count)
})
