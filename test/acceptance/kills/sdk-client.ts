/**
 * The client process of a run under kills that uses the client library: clients of one connection each, so that it is known
 * which incarnation served an answer, keep commands in flight that may be handled once only. Every request must be
 * answered with what was asked, or fail with a typed error by its deadline. Reports to its parent when it is told to finish.
 */

import { isStarfishError } from '../../../src/messages/errors.ts'
import { createEventClient, type EventClient } from '../../../src/services/event-client.ts'
import { monotonicMs } from './account.ts'
import { whoServes } from './named-protocol.ts'

const clients = 16
const depth = 32
const timeoutMs = 5_000
/** How late a settlement may be seen: a timer, and the thread's turn on a machine that is busy. */
const graceMs = 1_000
const echo = 0
const told = 20

/** A request that failed. */
export interface Failure {
  readonly code: string
  readonly handled: string
  /** When it failed. */
  readonly atMs: number
  /** The incarnation that served its client last before. */
  readonly servedBy: number
}

/** What the process reports. */
export interface SdkReport {
  readonly answered: number
  readonly failures: readonly Failure[]
  /** What must never happen, in words. */
  readonly wrong: readonly string[]
}

const port = Number(process.argv[2])
const failures: Failure[] = []
const wrong: string[] = []
let answered = 0
let finishing = false

function complain(what: string): void {
  if (wrong.length < told) wrong.push(what)
}

async function keepAsking(): Promise<void> {
  const client = createEventClient({
    host: '127.0.0.1',
    port,
    timeoutMs,
    pool: { connectionsPerServer: 1 },
    retry: { savedMax: 0, ratio: 0, perSecond: 0 },
  })
  const served = { by: 0 }
  await Promise.all(Array.from({ length: depth }, (_, lane) => askOn(client, lane, served)))
  await client.close()
}

async function askOn(client: EventClient, lane: number, served: { by: number }): Promise<void> {
  for (let number = 0; !finishing; number++) {
    const atMs = monotonicMs()
    const text = `${lane}/${number}`
    try {
      // One lane asks who it is that answers; the connection is the same for all.
      if (lane === 0) served.by = Buffer.from((await client.request(whoServes)).body).readUInt32BE()
      else {
        const body = Buffer.from((await client.request(echo, text)).body).toString()
        if (body !== text) complain(`asked ${text}, answered ${body}`)
      }
      answered++
    } catch (error) {
      const nowMs = monotonicMs()
      if (!isStarfishError(error)) {
        complain(`failed with ${String(error)}`)
        continue
      }
      failures.push({ code: error.code, handled: String(error.handled), atMs: nowMs, servedBy: served.by })
    } finally {
      const tookMs = monotonicMs() - atMs
      if (tookMs > timeoutMs + graceMs) complain(`settled after ${Math.round(tookMs)} ms`)
    }
  }
}

const asking = Promise.all(Array.from({ length: clients }, keepAsking))
process.on('message', async () => {
  finishing = true
  await asking
  process.send?.({ answered, failures, wrong } satisfies SdkReport, () => process.exit(0))
})
process.on('disconnect', () => process.exit(1))
