/**
 * The client process of a run under kills: steady clients that keep requests in flight and dial again whenever they are
 * cut off, and a stream of short connections. Reports to its parent when it is told to finish.
 */
import { createRandom } from '../../../src/actors/runtime/clock.ts'
import { type ClientReport, type Ending, type Gap, monotonicMs } from './account.ts'
import { ClientConnection, createPool } from './client-connection.ts'

const [portText, seedText] = process.argv.slice(2)
const port = Number(portText)
const random = createRandom(Number(seedText))
const pool = createPool(random)

const steadyClients = 20
const depth = 16
const shortEveryMs = 5
const shortRequests = 3
const shortsAtOnceMax = 100
const retryRefusedMs = 5
const standstillMinMs = 10
const gapsMax = 200
const told = 20

let answers = 0
let shortConnections = 0
let silentSinceMs = monotonicMs()
let longestSilenceMs = 0
let finishing = false
const wrong: string[] = []
const endings: Ending[] = []
const dials: (readonly [number, number])[] = []
const gaps: Gap[] = []
const standstills: Gap[] = []
const open = new Set<ClientConnection>()

function dial(kind: Ending['client'], onAnswered: (atMs: number) => void, onOver: (how: string) => void): void {
  const connection = new ClientConnection({
    kind,
    port,
    random,
    pool,
    depth: kind === 'steady' ? depth : shortRequests,
    requestsMax: kind === 'steady' ? Number.POSITIVE_INFINITY : shortRequests,
    onAnswers(count) {
      const nowMs = monotonicMs()
      answers += count
      longestSilenceMs = Math.max(longestSilenceMs, nowMs - silentSinceMs)
      silentSinceMs = nowMs
      onAnswered(nowMs)
    },
    onWrong(what) {
      if (wrong.length < told) wrong.push(`${kind} client: ${what}`)
    },
    onOver(ending, firstAnswerAtMs) {
      open.delete(connection)
      const dial = [connection.dialAtMs, firstAnswerAtMs ?? monotonicMs()] as const
      dials.push(dial)
      noteGap({ fromMs: dial[0], toMs: dial[1] })
      if (ending !== undefined) endings.push(ending)
      onOver(ending?.how ?? '')
      reportWhenDone()
    },
  })
  open.add(connection)
}

function runSteadyClient(): void {
  let answeredAtMs: number | undefined
  function again(): void {
    if (finishing) return
    dial('steady', onAnswered, how => {
      if (how === 'ECONNREFUSED') setTimeout(again, retryRefusedMs)
      else again()
    })
  }
  function onAnswered(atMs: number): void {
    if (answeredAtMs !== undefined) noteGap({ fromMs: answeredAtMs, toMs: atMs })
    answeredAtMs = atMs
  }
  again()
}

function noteGap(gap: Gap): void {
  const least = gaps.length < gapsMax ? undefined : gaps.at(-1)
  if (least !== undefined && gap.toMs - gap.fromMs <= least.toMs - least.fromMs) return
  gaps.push(gap)
  gaps.sort((a, b) => b.toMs - b.fromMs - (a.toMs - a.fromMs))
  gaps.length = Math.min(gaps.length, gapsMax)
}

let shortsOpen = 0
function openShort(): void {
  if (shortsOpen >= shortsAtOnceMax) return
  shortsOpen++
  shortConnections++
  dial(
    'short',
    () => {},
    () => shortsOpen--,
  )
}

let turnedAtMs = monotonicMs()
const clock = setInterval(() => {
  const nowMs = monotonicMs()
  const dueAtMs = turnedAtMs + shortEveryMs
  if (nowMs - dueAtMs > standstillMinMs) standstills.push({ fromMs: dueAtMs, toMs: nowMs })
  turnedAtMs = nowMs
  openShort()
}, shortEveryMs)

function reportWhenDone(): void {
  if (!finishing || open.size > 0) return
  const report: ClientReport = {
    answers,
    connections: dials.length,
    shortConnections,
    wrong,
    endings,
    dials,
    gaps,
    longestSilenceMs,
    standstills,
  }
  process.send?.(report, () => process.exit(0))
}

for (let n = 0; n < steadyClients; n++) runSteadyClient()
process.on('disconnect', () => process.exit(1))
process.on('message', () => {
  finishing = true
  clearInterval(clock)
  for (const connection of [...open]) connection.finish()
  reportWhenDone()
})
