/**
 * A process that keeps a log server, or its baseline, busy: `node load.ts port partition produceAnswerBytes milliseconds [healthRate
 * produceRate]`, forked. It sends as fast as the server answers, or so many requests of each kind a second, evenly, a millisecond's worth
 * at a time. It says when it is under way, and, when the time is over, how many requests a second were answered.
 */
import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { logOperation } from '../../src/messages/index.ts'
import { open, openCounted } from '../events/tcp-client.ts'
import { answerBytes, produceOf, pump, type Work, workOf } from './pump.ts'

const connectionsOfEach = 2
const tickMs = 1
/** Of an even load, until it is said to be under way: code that is new is compiled by then. */
const warmUpMs = 500
/** Unanswered requests on a connection beyond which an even load is not kept up: the server is asked for too much. */
const openMax = 65_536

/** Requests a second. */
export interface LoadRates {
  readonly health: number
  /** Of 20 messages each. */
  readonly produce: number
}

/** What it says, in this order. */
export type LoadReport = 'under way' | LoadRates

const [port = 0, partitionId = 0, produceAnswerBytes = 0, durationMs = 0, health, produce] = process.argv
  .slice(2)
  .map(Number)
const ofTwenty = produceOf(partitionId, 20)

/** One block after the other; answers how many requests those were. */
async function atFullRate(socket: Socket, work: Work, untilMs: number): Promise<number> {
  let requests = 0
  while (performance.now() < untilMs) {
    await pump(socket, work, 16, 4)
    requests += 16 * work.requests
  }
  return requests
}

/** As fast as they are answered. */
async function fully(): Promise<LoadRates> {
  const fromMs = performance.now()
  const load = async (work: Work): Promise<number> => {
    const lanes = Array.from({ length: connectionsOfEach }, async () => {
      const socket = await open(port)
      const requests = await atFullRate(socket, work, fromMs + durationMs)
      socket.destroy()
      return requests
    })
    const requests = (await Promise.all(lanes)).reduce((sum, count) => sum + count)
    return requests / ((performance.now() - fromMs) / 1_000)
  }
  const [health, produce] = await Promise.all([
    load(workOf(logOperation.healthCheck, {}, answerBytes.healthCheck, 64)),
    load(workOf(logOperation.produce, ofTwenty, produceAnswerBytes, 4)),
  ])
  return { health, produce }
}

/** A connection with an even load. */
class Lane {
  readonly #work: Work
  readonly #perMs: number
  #socket: Socket | undefined
  #sent = 0
  #receivedBytes = 0

  constructor(work: Work, perSecond: number) {
    this.#work = work
    this.#perMs = perSecond / 1_000
  }

  /** How many were answered. */
  get answered(): number {
    return this.#receivedBytes / this.#work.answerBytes
  }

  async open(): Promise<void> {
    this.#socket = await openCounted(port, bytes => {
      this.#receivedBytes += bytes
    })
  }

  /** Sends what is due after so many milliseconds. */
  sendDue(afterMs: number): void {
    const { block, requests } = this.#work
    let due = Math.floor(afterMs * this.#perMs) - this.#sent
    if (this.#sent + due - this.answered > openMax) throw new Error(`more than ${openMax} are open`)
    this.#sent += due
    const frameBytes = block.length / requests
    for (; due > 0; due -= requests) this.#socket!.write(block.subarray(0, Math.min(due, requests) * frameBytes))
  }
}

/** So many a second, whatever the server does. */
async function evenly(rates: LoadRates): Promise<LoadRates> {
  const lanesOf = (work: Work, perSecond: number): Lane[] =>
    Array.from({ length: connectionsOfEach }, () => new Lane(work, perSecond / connectionsOfEach))
  // A millisecond's worth, and what comes together when one was missed, is one write.
  const health = lanesOf(workOf(logOperation.healthCheck, {}, answerBytes.healthCheck, 2_048), rates.health)
  const produce = lanesOf(workOf(logOperation.produce, ofTwenty, produceAnswerBytes, 64), rates.produce)
  const lanes = [...health, ...produce]
  await Promise.all(lanes.map(lane => lane.open()))
  const fromMs = performance.now()
  let isUnderWay = false
  for (let afterMs = 0; afterMs < durationMs; afterMs = performance.now() - fromMs) {
    for (const lane of lanes) lane.sendDue(afterMs)
    if (!isUnderWay && afterMs >= warmUpMs) {
      isUnderWay = true
      process.send!('under way' satisfies LoadReport)
    }
    await wait(tickMs)
  }
  const seconds = (performance.now() - fromMs) / 1_000
  const perSecond = (kind: readonly Lane[]) => kind.reduce((sum, { answered }) => sum + answered, 0) / seconds
  return { health: perSecond(health), produce: perSecond(produce) }
}

process.on('disconnect', () => process.exit())
const answered = await (health === undefined || produce === undefined ? fully() : evenly({ health, produce }))
process.send!(answered satisfies LoadReport, () => process.exit())
