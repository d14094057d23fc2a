/**
 * A process that keeps a log server busy: `node load.ts port partition milliseconds share`, forked. It sends at the given share of
 * what it takes; says how many requests a second that are, when the time is over.
 */
import { logOperation } from '../../src/messages/index.ts'
import { open } from '../events/tcp-client.ts'
import { answerBytes, produceOf, pump, type Work, workOf } from './pump.ts'

const connections = 4
const requestsPerTurn = 64

/** What it is told, and what it says. */
export interface LoadReport {
  readonly requestsPerSecond: number
}

const [port = 0, partitionId = 0, durationMs = 0, share = 1] = process.argv.slice(2).map(Number)
const health = workOf(logOperation.healthCheck, {}, answerBytes.healthCheck, requestsPerTurn)
const produce = workOf(logOperation.produce, produceOf(partitionId, 20), answerBytes.produce, requestsPerTurn / 16)
const fromMs = performance.now()
const untilMs = fromMs + durationMs
let requests = 0

/** One block after the other, at full rate; after each, as long a rest as makes it the share. */
async function lane(work: Work): Promise<void> {
  const socket = await open(port)
  while (performance.now() < untilMs) {
    const beganMs = performance.now()
    await pump(socket, work, 16, 4)
    requests += 16 * work.requests
    const restMs = (performance.now() - beganMs) * (1 / share - 1)
    if (restMs > 0) await new Promise(resolve => setTimeout(resolve, restMs))
  }
  socket.destroy()
}

process.on('disconnect', () => process.exit())
await Promise.all(Array.from({ length: connections }, (_, index) => lane(index % 2 === 0 ? health : produce)))
process.send!({ requestsPerSecond: requests / ((performance.now() - fromMs) / 1_000) } satisfies LoadReport, () =>
  process.exit(),
)
