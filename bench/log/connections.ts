/** Ten thousand connections to a log server: what an idle one costs, and what they do together. */
import type { Socket } from 'node:net'
import { encodeLogRequest, logOperation } from '../../src/messages/index.ts'
import { open, roundTrips } from '../events/tcp-client.ts'
import { median, quantile, spread } from '../statistics.ts'
import { atMost, type Figure, type SuiteOptions } from '../suite.ts'
import { answerBytes } from './pump.ts'
import { type Kind, ServedLog } from './served-log.ts'

const count = 10_000
/** Opened at once: fewer than the backlog of a listener. */
const together = 256
const weightLimit = atMost(600, 'B more')
const idleLimit = atMost(1, '% of a core')
const request = encodeLogRequest(logOperation.healthCheck, 1, {})

/** Opens them, and has each answered once. */
async function openAll(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const some = await Promise.all(Array.from({ length: Math.min(together, count - sockets.length) }, () => open(port)))
    await Promise.all(some.map(socket => roundTrips(socket, request, 1, answerBytes.healthCheck)))
    sockets.push(...some)
  }
  return sockets
}

async function closeAll(sockets: readonly Socket[]): Promise<void> {
  await Promise.all(sockets.map(socket => new Promise(resolve => socket.once('close', resolve).end())))
}

/** Processor time that they take while nothing is sent, % of a core. */
async function idleShare(served: ServedLog, seconds: number): Promise<number> {
  const before = await served.ask('state')
  await new Promise(resolve => setTimeout(resolve, seconds * 1_000))
  const after = await served.ask('state')
  return (after.cpuMs - before.cpuMs) / seconds / 10
}

/** What they are measured by. */
interface Weighed {
  readonly bytesEach: number
  readonly idlePercent: number
}

async function weigh(kind: Kind, seconds: number): Promise<Weighed> {
  await using served = await ServedLog.start(kind)
  // A first lot, closed again, makes the process grow to what such a load needs anyway.
  await closeAll(await openAll(served.port, together))
  const before = await served.ask('weight')
  const sockets = await openAll(served.port, count)
  const after = await served.ask('weight')
  const idlePercent = await idleShare(served, seconds)
  await closeAll(sockets)
  return { bytesEach: (after - before) / count, idlePercent }
}

/** Measures those that wait. */
export async function measureIdleConnections({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const rounds = quick ? 1 : 5
  const seconds = quick ? 5 : 20
  const [bare, ours]: [Weighed[], Weighed[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    bare.push(await weigh('bare', 1))
    ours.push(await weigh('one', seconds))
    say(`idle ${round + 1}/${rounds}: ${bytes(ours.slice(-1))}, bare ${bytes(bare.slice(-1))}`)
  }
  const more = spread(ours.map(({ bytesEach }, round) => bytesEach - bare[round]!.bytesEach))
  const idle = spread(ours.map(({ idlePercent }) => idlePercent))
  return [
    {
      work: `${count} idle connections, memory of each`,
      inFlight: '0',
      figure: bytes(ours),
      baseline: `bare net.Socket: ${bytes(bare)}`,
      budget: weightLimit.text,
      pass: weightLimit.holds(more.value),
      ...more,
    },
    {
      work: `${count} idle connections, processor time of the whole server`,
      inFlight: '0',
      figure: `${idle.value.toFixed(2)} %`,
      budget: idleLimit.text,
      pass: idleLimit.holds(idle.value),
      ...idle,
    },
  ]
}

/** Measures those that all ask at once, each again as soon as it is answered. */
export async function measureActiveConnections({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const rounds = quick ? 2 : 7
  const each = quick ? 20 : 60
  await using served = await ServedLog.start('two')
  const sockets = await openAll(served.port, count)
  const rates: number[] = []
  const p99s: number[] = []
  const all: number[] = []
  for (let round = -1; round < rounds; round++) {
    const fromMs = performance.now()
    // Rejects when one is not answered.
    const times = await Promise.all(sockets.map(socket => roundTrips(socket, request, each, answerBytes.healthCheck)))
    if (round < 0) continue
    rates.push((count * each) / (performance.now() - fromMs) / 1_000)
    const flat = times.flat()
    p99s.push(quantile(flat, 0.99))
    for (const ms of flat) all.push(ms)
    say(`active ${round + 1}/${rounds}: ${rates.at(-1)!.toFixed(3)} M/s, p99 ${p99s.at(-1)!.toFixed(0)} ms`)
  }
  await closeAll(sockets)
  return [
    {
      work: `${count} active connections: HealthCheck, two shards`,
      inFlight: `${count}: one each`,
      figure: `${median(rates).toFixed(2)}M/s, p99 ${median(p99s).toFixed(0)} ms, all answered`,
      ...spread(rates),
      distribution: {
        title: `Round trips of ${count} active connections`,
        unit: 'ms',
        series: [{ label: 'HealthCheck', values: all }],
      },
    },
  ]
}

function bytes(weighed: readonly Weighed[]): string {
  return `${spread(weighed.map(({ bytesEach }) => bytesEach)).value.toFixed(0)} B`
}
