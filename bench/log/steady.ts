/** A log server under a load that goes on: latency at half of it, and at all of it memory, pauses and delays. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { encodeLogRequest, logOperation } from '../../src/messages/index.ts'
import { open, roundTrips } from '../events/tcp-client.ts'
import { quantile, spread } from '../statistics.ts'
import { atMost, type Figure, type Limit, type SuiteOptions } from '../suite.ts'
import type { LoadRates, LoadReport } from './load.ts'
import { answerBytes, newPartition, produceOf } from './pump.ts'
import { ServedLog } from './served-log.ts'

const roundTripLimit = atMost(1, 'ms')
const produceLimit = atMost(2, 'ms')
const pauseLimit = atMost(1, 'ms')
const delayLimit = atMost(10, 'ms')
const growthLimit = atMost(1.1, 'x')

/** Who is kept busy. */
interface Target {
  readonly port: number
  readonly partition: number
  readonly produceAnswerBytes: number
}

/** The baseline answers everything alike. */
function bareTarget({ port }: ServedLog): Target {
  return { port, partition: 0, produceAnswerBytes: answerBytes.healthCheck }
}

async function logTarget({ port }: ServedLog): Promise<Target> {
  return { port, partition: await newPartition(port, 'a'), produceAnswerBytes: answerBytes.produce }
}

/** A load in a process of its own. */
interface Load {
  /** Settles when an even load is under way: its process has started, which takes a core for a while. */
  readonly underWay: Promise<void>
  /** Settles when it is over. */
  readonly over: Promise<LoadRates>
}

/** Starts a load, as fast as it goes or at a rate. */
function startLoad(target: Target, durationMs: number, rates?: LoadRates): Load {
  const { port, partition, produceAnswerBytes } = target
  const limits = rates === undefined ? [] : [rates.health, rates.produce]
  const child = fork(
    fileURLToPath(new URL('./load.ts', import.meta.url)),
    [port, partition, produceAnswerBytes, durationMs, ...limits].map(String),
  )
  const underWay = Promise.withResolvers<void>()
  const over = Promise.withResolvers<LoadRates>()
  child.on('message', (report: LoadReport) => {
    if (report === 'under way') underWay.resolve()
    else over.resolve(report)
  })
  child.on('exit', code => {
    const error = new Error(`the load ended with ${code}`)
    underWay.reject(error)
    over.reject(error)
  })
  underWay.promise.catch(() => undefined)
  return { underWay: underWay.promise, over: over.promise }
}

/** A load from its start to its end. */
function load(target: Target, durationMs: number, rates?: LoadRates): Promise<LoadRates> {
  return startLoad(target, durationMs, rates).over
}

function half({ health, produce }: LoadRates): LoadRates {
  return { health: health / 2, produce: produce / 2 }
}

interface Beside {
  readonly rates: LoadRates
  /** Of each request, the time until its answer, ms. */
  readonly times: readonly (readonly number[])[]
}

/** Round trips of each of the requests in turn, one in flight, beside an even load. */
async function timesBeside(
  target: Target,
  durationMs: number,
  rates: LoadRates,
  requests: readonly { readonly frame: Buffer; readonly bytes: number }[],
): Promise<Beside> {
  const socket = await open(target.port)
  const { underWay, over } = startLoad(target, durationMs, rates)
  await underWay
  let isOver = false
  void over.then(() => {
    isOver = true
  })
  const times = requests.map((): number[] => [])
  while (!isOver) {
    for (const [index, { frame, bytes }] of requests.entries())
      times[index]!.push(...(await roundTrips(socket, frame, 50, bytes)))
  }
  socket.destroy()
  return { rates: await over, times }
}

/** Measures round trips beside an even load, at half of the rates that the server takes at most. */
export async function measureHalfLoad({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const rounds = quick ? 3 : 9
  const roundMs = 4_000
  await using bare = await ServedLog.start('bare')
  await using served = await ServedLog.start('two')
  const [bareLoaded, loaded] = [bareTarget(bare), await logTarget(served)]
  const health = { frame: encodeLogRequest(logOperation.healthCheck, 1, {}), bytes: answerBytes.healthCheck }
  const produce = {
    frame: encodeLogRequest(logOperation.produce, 1, produceOf(loaded.partition, 1)),
    bytes: answerBytes.produce,
  }
  const p99s = { health: [] as number[], produce: [] as number[], bare: [] as number[] }
  const all = { health: [] as number[], produce: [] as number[], bare: [] as number[] }
  const loads: LoadRates[] = []
  // Once to warm them up.
  await load(bareLoaded, roundMs / 2)
  await load(loaded, roundMs)
  const rates = half(await load(loaded, roundMs))
  for (let round = -1; round < rounds; round++) {
    const theirs = await timesBeside(bareLoaded, roundMs / 2, rates, [health])
    const ours = await timesBeside(loaded, roundMs, rates, [health, produce])
    if (round < 0) continue
    loads.push(ours.rates)
    const times = { health: ours.times[0]!, produce: ours.times[1]!, bare: theirs.times[0]! }
    for (const kind of ['health', 'produce', 'bare'] as const) {
      p99s[kind].push(quantile(times[kind], 0.99))
      for (const ms of times[kind]) all[kind].push(ms)
    }
    const [last, lastProduce, lastBare] = [p99s.health, p99s.produce, p99s.bare].map(values => ms(values.slice(-1)))
    say(`half load ${round + 1}/${rounds}: p99 ${last}, produce ${lastProduce}, bare ${lastBare}`)
  }
  const beside = `1, beside ${inThousands(loads.map(({ health }) => health))} HealthChecks/s and ${inThousands(loads.map(({ produce }) => produce))} Produces of 20/s`
  return [
    {
      ...figureOf('p99 of a HealthCheck at half load', beside, p99s.health, roundTripLimit),
      baseline: `bare net with checksums: ${ms(p99s.bare)}`,
      distribution: {
        title: 'Round trips at half load',
        unit: 'ms',
        series: [
          { label: 'HealthCheck', values: all.health },
          { label: 'HealthCheck, bare', values: all.bare },
          { label: 'Produce, committed', values: all.produce },
        ],
      },
    },
    figureOf('p99 of a Produce, committed, at half load', beside, p99s.produce, produceLimit),
  ]
}

/** Pauses of the baseline's collector beside the load that it takes at most, ms. */
async function barePauses(seconds: number): Promise<readonly number[]> {
  await using bare = await ServedLog.start('bare')
  const target = bareTarget(bare)
  await load(target, (seconds / 3) * 1_000)
  await bare.ask('threads')
  await load(target, seconds * 1_000)
  return (await bare.ask('threads')).flatMap(({ pausesMs }) => pausesMs)
}

/** Measures what a server lives through at full load. */
export async function measureSteady({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const seconds = quick ? 15 : 60
  await using served = await ServedLog.start('two')
  const target = await logTarget(served)
  // What the first seconds make it grow to is what it needs anyway.
  await load(target, (seconds / 3) * 1_000)
  await served.ask('threads')
  let isOver = false
  const loaded = load(target, seconds * 1_000).finally(() => {
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
  const bare = await barePauses(seconds)
  const inFlight = `${inThousands([health + produce])} requests/s for ${seconds} s`
  const mib = (bytes: number) => (bytes / 1_048_576).toFixed(0)
  const pausesOf = (values: readonly number[]) => `${ms([quantile(values, 0.99)])} of ${values.length}`
  say(`steady: ${inFlight}, pauses ${pausesOf(pauses)}, bare ${pausesOf(bare)}, growth ${growth.toFixed(2)}`)
  return [
    {
      ...figureOf('resident memory, last third to first third', inFlight, [growth], growthLimit),
      figure: `${mib(Math.min(...residents))} to ${mib(Math.max(...residents))} MiB`,
    },
    {
      ...figureOf(
        'garbage collection on the shards, p99 of its pauses',
        inFlight,
        [quantile(pauses, 0.99)],
        pauseLimit,
      ),
      figure: pausesOf(pauses),
      baseline: `bare net with checksums: ${pausesOf(bare)}`,
    },
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
