/** The log server over a few connections that are kept full, against a bare server that checks the same checksums. */
import type { Socket } from 'node:net'
import { logOperation } from '../../src/messages/index.ts'
import { open } from '../events/tcp-client.ts'
import { median, spread } from '../statistics.ts'
import { atLeast, type Figure, type SuiteOptions } from '../suite.ts'
import { answerBytes, newPartition, produceOf, pump, requestsPerBlock, type Work, workOf } from './pump.ts'
import { ServedLog } from './served-log.ts'

const connections = 8
const blocksAhead = 4
const ratioLimit = atLeast(0.5, 'x')
const rateLimit = atLeast(1, 'M/s')

/** Millions of requests a second. */
async function run(sockets: readonly Socket[], work: Work, blocks: number): Promise<number> {
  const from = performance.now()
  await Promise.all(sockets.map(socket => pump(socket, work, blocks, blocksAhead)))
  return (sockets.length * blocks * work.requests) / (performance.now() - from) / 1_000
}

/** Measures. */
export async function measureServer({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const rounds = quick ? 3 : 11
  const blocks = quick ? 400 : 1_500
  await using bare = await ServedLog.start('bare')
  await using one = await ServedLog.start('one')
  await using two = await ServedLog.start('two')
  const health = workOf(logOperation.healthCheck, {}, answerBytes.healthCheck)
  const [onePartition, twoPartition] = [await newPartition(one.port, 'a'), await newPartition(two.port, 'a')]
  const single = (partitionId: number) => workOf(logOperation.produce, produceOf(partitionId, 1), answerBytes.produce)
  const batched = (partitionId: number) =>
    workOf(logOperation.produce, produceOf(partitionId, batchMessages), answerBytes.produce)
  const runs = {
    bareHealth: { server: bare, work: health, blocks },
    oneHealth: { server: one, work: health, blocks },
    twoHealth: { server: two, work: health, blocks },
    bareProduce: { server: bare, work: { ...single(onePartition), answerBytes: answerBytes.healthCheck }, blocks },
    oneProduce: { server: one, work: single(onePartition), blocks: blocks / 4 },
    twoProduce: { server: two, work: single(twoPartition), blocks: blocks / 4 },
    twoBatched: { server: two, work: batched(twoPartition), blocks: blocks / 20 },
  }
  const rates = Object.fromEntries(Object.keys(runs).map(name => [name, []])) as unknown as Record<
    keyof typeof runs,
    number[]
  >
  for (let round = -1; round < rounds; round++) {
    for (const [name, { server, work, blocks }] of Object.entries(runs)) {
      const sockets = await Promise.all(Array.from({ length: connections }, () => open(server.port)))
      const rate = await run(sockets, work, blocks)
      for (const socket of sockets) socket.destroy()
      if (round >= 0) rates[name as keyof typeof runs].push(rate)
      if (round >= 0) say(`${name} ${round + 1}/${rounds}: ${rate.toFixed(3)} M/s`)
    }
  }
  const ratiosOf = (name: keyof typeof runs, base: keyof typeof runs): number[] =>
    rates[name].map((rate, round) => rate / rates[base][round]!)
  return [
    ratio('HealthCheck, pipelined, one shard', ratiosOf('oneHealth', 'bareHealth'), rates.oneHealth, rates.bareHealth),
    rate('HealthCheck, pipelined, two shards', rates.twoHealth, 1),
    {
      ...reported('Produce of one message of 100 B, committed, pipelined, one shard', rates.oneProduce),
      baseline: `bare net with checksums: ${perSecond(rates.bareProduce)}`,
    },
    reported('the same, two shards', rates.twoProduce),
    rate(
      `Produce of ${batchMessages} messages of 100 B, committed, two shards, in messages`,
      rates.twoBatched,
      batchMessages,
    ),
  ]
}

const batchMessages = 100
const inFlight = `${connections} connections x ${requestsPerBlock * blocksAhead}`

function ratio(work: string, ratios: number[], rates: number[], bases: number[]): Figure {
  const value = spread(ratios)
  const baseline = `bare net with checksums: ${perSecond(bases)}`
  const pass = ratioLimit.holds(value.value)
  return { work, inFlight, figure: perSecond(rates), baseline, budget: ratioLimit.text, pass, ...value }
}

function rate(work: string, rates: number[], each: number): Figure {
  const values = rates.map(rate => rate * each)
  const value = spread(values)
  return {
    work,
    inFlight,
    figure: perSecond(values),
    budget: rateLimit.text,
    pass: rateLimit.holds(value.value),
    ...value,
  }
}

function reported(work: string, rates: number[]): Figure {
  return { work, inFlight, figure: perSecond(rates), ...spread(rates) }
}

function perSecond(rates: readonly number[]): string {
  return `${median(rates).toFixed(2)}M/s`
}
