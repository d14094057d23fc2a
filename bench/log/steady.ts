/** A log server under a load that goes on: latency at half of it, and at all of it memory, pauses and delays. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { encodeLogRequest, logOperation } from '../../src/messages/index.ts'
import { open, roundTrips } from '../events/tcp-client.ts'
import { quantile, spread } from '../statistics.ts'
import { atMost, type Figure, type Limit, type SuiteOptions } from '../suite.ts'
import type { LoadRates } from './load.ts'
import { answerBytes, newPartition, produceOf } from './pump.ts'
import { ServedLog } from './served-log.ts'

const roundTripLimit = atMost(1, 'ms')
const produceLimit = atMost(2, 'ms')
const pauseLimit = atMost(1, 'ms')
const delayLimit = atMost(10, 'ms')
const growthLimit = atMost(1.1, 'x')

/** Starts a load in a process of its own, as fast as it goes or at a rate; settles when it is over. */
async function load(port: number, partition: number, durationMs: number, rates?: LoadRates): Promise<LoadRates> {
  const limits = rates === undefined ? [] : [rates.health, rates.produce]
  const child = fork(
    fileURLToPath(new URL('./load.ts', import.meta.url)),
    [port, partition, durationMs, ...limits].map(String),
  )
  const [report] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the load ended with ${code}`))),
  ])
  return report
}

function half({ health, produce }: LoadRates): LoadRates {
  return { health: health / 2, produce: produce / 2 }
}

/** Measures round trips beside an even load, at half of the rates that the server takes at most. */
export async function measureHalfLoad({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const rounds = quick ? 3 : 9
  const roundMs = 4_000
  await using served = await ServedLog.start('two')
  const { port } = served
  const partition = await newPartition(port, 'a')
  const requests = {
    health: { frame: encodeLogRequest(logOperation.healthCheck, 1, {}), bytes: answerBytes.healthCheck },
    produce: { frame: encodeLogRequest(logOperation.produce, 1, produceOf(partition, 1)), bytes: answerBytes.produce },
  }
  const p99s = { health: [] as number[], produce: [] as number[] }
  const all = { health: [] as number[], produce: [] as number[] }
  const loads: LoadRates[] = []
  // Once to warm it up.
  await load(port, partition, roundMs)
  const most = await load(port, partition, roundMs)
  const socket = await open(port)
  for (let round = -1; round < rounds; round++) {
    const loaded = load(port, partition, roundMs, half(most))
    let isOver = false
    void loaded.then(() => {
      isOver = true
    })
    const times = { health: [] as number[], produce: [] as number[] }
    while (!isOver) {
      for (const [kind, { frame, bytes }] of Object.entries(requests)) {
        times[kind as keyof typeof times].push(...(await roundTrips(socket, frame, 50, bytes)))
      }
    }
    const rates = await loaded
    if (round < 0) continue
    loads.push(rates)
    for (const kind of ['health', 'produce'] as const) {
      p99s[kind].push(quantile(times[kind], 0.99))
      for (const ms of times[kind]) all[kind].push(ms)
    }
    say(`half load ${round + 1}/${rounds}: p99 ${ms(p99s.health.slice(-1))}, produce ${ms(p99s.produce.slice(-1))}`)
  }
  socket.destroy()
  const beside = `1, beside ${inThousands(loads.map(({ health }) => health))} HealthChecks/s and ${inThousands(loads.map(({ produce }) => produce))} Produces of 20/s`
  return [
    {
      ...figureOf('p99 of a HealthCheck at half load', beside, p99s.health, roundTripLimit),
      distribution: {
        title: 'Round trips at half load',
        unit: 'ms',
        series: [
          { label: 'HealthCheck', values: all.health },
          { label: 'Produce, committed', values: all.produce },
        ],
      },
    },
    figureOf('p99 of a Produce, committed, at half load', beside, p99s.produce, produceLimit),
  ]
}

/** Measures what a server lives through at full load. */
export async function measureSteady({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const seconds = quick ? 15 : 60
  await using served = await ServedLog.start('two')
  const partition = await newPartition(served.port, 'a')
  // What the first seconds make it grow to is what it needs anyway.
  await load(served.port, partition, (seconds / 3) * 1_000)
  await served.ask('threads')
  let isOver = false
  const loaded = load(served.port, partition, seconds * 1_000).finally(() => {
    isOver = true
  })
  const residents: number[] = []
  while (!isOver) {
    await new Promise(resolve => setTimeout(resolve, 500))
    residents.push((await served.ask('state')).resident)
  }
  const { health, produce } = await loaded
  const threads = await served.ask('threads')
  const third = Math.floor(residents.length / 3)
  const growth = spread(residents.slice(-third)).value / spread(residents.slice(0, third)).value
  const pauses = threads.flatMap(({ pausesMs }) => pausesMs)
  const delays = threads.map(({ loopDelayP99Ms }) => loopDelayP99Ms)
  const inFlight = `${inThousands([health + produce])} requests/s for ${seconds} s`
  say(`steady: ${inFlight}, ${pauses.length} pauses, growth ${growth.toFixed(2)}`)
  const mib = (bytes: number) => (bytes / 1_048_576).toFixed(0)
  return [
    {
      ...figureOf('resident memory, last third to first third', inFlight, [growth], growthLimit),
      figure: `${mib(Math.min(...residents))} to ${mib(Math.max(...residents))} MiB`,
    },
    figureOf('garbage collection on the shards, p99 of its pauses', inFlight, [quantile(pauses, 0.99)], pauseLimit),
    figureOf('event loop of a shard, p99 of its delay, the worse of two', inFlight, [Math.max(...delays)], delayLimit),
  ]
}

function figureOf(work: string, inFlight: string, values: readonly number[], limit: Limit): Figure {
  const value = spread(values)
  return { work, inFlight, figure: ms(values), budget: limit.text, pass: limit.holds(value.value), ...value }
}

function inThousands(values: readonly number[]): string {
  return `${(spread(values).value / 1_000).toFixed(0)}K`
}

function ms(values: readonly number[]): string {
  return `${spread(values).value.toFixed(2)} ms`
}
