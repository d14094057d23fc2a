/**
 * A process that keeps a log server, or its baseline, busy: `node load.ts port partition produceAnswerBytes milliseconds [healthRate
 * produceRate]`, forked. It sends as fast as the server answers, or so many requests of each kind a second, evenly, a millisecond's worth
 * at a time; says how many requests a second those were when the time is over.
 */
import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { logOperation } from '../../src/messages/index.ts'
import { open } from '../events/tcp-client.ts'
import { answerBytes, produceOf, pump, type Work, workOf } from './pump.ts'

const connectionsOfEach = 2
const tickMs = 1
/** Unanswered requests on a connection beyond which an even load is not kept up: the server is asked for too much. */
const openMax = 65_536

/** Requests a second. */
export interface LoadRates {
  readonly health: number
  /** Of 20 messages each. */
  readonly produce: number
}

const [port = 0, partitionId = 0, produceAnswerBytes = 0, durationMs = 0, health, produce] = process.argv
  .slice(2)
  .map(Number)
const works = {
  health: workOf(logOperation.healthCheck, {}, answerBytes.healthCheck, 64),
  produce: workOf(logOperation.produce, produceOf(partitionId, 20), produceAnswerBytes, 4),
}
const fromMs = performance.now()
const untilMs = fromMs + durationMs

/** One block after the other; answers how many requests those were. */
async function atFullRate(socket: Socket, work: Work): Promise<number> {
  let requests = 0
  while (performance.now() < untilMs) {
    await pump(socket, work, 16, 4)
    requests += 16 * work.requests
  }
  return requests
}

/** So many a second, whatever the server does; answers how many were answered. */
async function evenly(socket: Socket, { block, requests, answerBytes }: Work, perSecond: number): Promise<number> {
  let sent = 0
  let received = 0
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length
  })
  const frameBytes = block.length / requests
  while (performance.now() < untilMs) {
    let due = Math.floor(((performance.now() - fromMs) / 1_000) * perSecond) - sent
    if (sent + due - received / answerBytes > openMax) throw new Error(`more than ${openMax} are open`)
    sent += due
    for (; due > 0; due -= requests) socket.write(block.subarray(0, Math.min(due, requests) * frameBytes))
    await wait(tickMs)
  }
  return received / answerBytes
}

async function load(work: Work, perSecond: number | undefined): Promise<number> {
  const lanes = Array.from({ length: connectionsOfEach }, async () => {
    const socket = await open(port)
    const requests =
      perSecond === undefined
        ? await atFullRate(socket, work)
        : await evenly(socket, work, perSecond / connectionsOfEach)
    socket.destroy()
    return requests
  })
  const requests = (await Promise.all(lanes)).reduce((sum, count) => sum + count)
  return requests / ((performance.now() - fromMs) / 1_000)
}

process.on('disconnect', () => process.exit())
const [healthRate, produceRate] = await Promise.all([load(works.health, health), load(works.produce, produce)])
process.send!({ health: healthRate, produce: produceRate } satisfies LoadRates, () => process.exit())
