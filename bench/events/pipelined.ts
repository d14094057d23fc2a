/** Echo over a few connections that are kept full, against the bare server. */
import type { Socket } from 'node:net'
import { median, spread } from '../statistics.ts'
import { atLeast, type Figure, type SuiteOptions } from '../suite.ts'
import { type Kind, Served } from './servers.ts'
import { bodyBytes, createBlock, open, pump } from './tcp-client.ts'

const connections = 8
const requestsPerBlock = 64
const blocksAhead = 4
const ratioLimit = atLeast(0.5, 'x')
const rateLimit = atLeast(0.5, 'M/s')

/** Measures. */
export async function measurePipelined({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const rounds = quick ? 5 : 15
  const blocks = quick ? 500 : 1_500
  await using bare = await Served.start('bare')
  await using starfish = await Served.start('starfish')
  const sockets = {
    bare: await openAll(bare.ports.tcp),
    starfish: await openAll(starfish.ports.tcp),
  }
  const rates: Record<Kind, number[]> = { bare: [], starfish: [] }
  for (let round = -2; round < rounds; round++) {
    for (const kind of ['bare', 'starfish'] as const) {
      const rate = await run(sockets[kind], blocks)
      if (round >= 0) rates[kind].push(rate)
    }
    if (round >= 0)
      say(
        `pipelined ${round + 1}/${rounds}: ${rates.starfish.at(-1)!.toFixed(3)} of ${rates.bare.at(-1)!.toFixed(3)} M/s`,
      )
  }
  for (const socket of [...sockets.bare, ...sockets.starfish]) socket.destroy()
  const ratios = spread(rates.starfish.map((rate, round) => rate / rates.bare[round]!))
  const absolute = spread(rates.starfish)
  const common = {
    inFlight: `${connections} connections x ${requestsPerBlock * blocksAhead}`,
    figure: perSecond(rates.starfish),
    baseline: `bare net: ${perSecond(rates.bare)}`,
  }
  return [
    {
      work: `echo of ${bodyBytes} B over TCP, pipelined, one shard`,
      ...common,
      budget: ratioLimit.text,
      pass: ratioLimit.holds(ratios.value),
      ...ratios,
    },
    {
      work: 'the same, requests a second',
      ...common,
      budget: rateLimit.text,
      pass: rateLimit.holds(absolute.value),
      ...absolute,
    },
  ]
}

function openAll(port: number): Promise<Socket[]> {
  return Promise.all(Array.from({ length: connections }, () => open(port)))
}

/** Millions of requests a second. */
async function run(sockets: readonly Socket[], blocks: number): Promise<number> {
  const block = createBlock(requestsPerBlock)
  const from = performance.now()
  await Promise.all(sockets.map(socket => pump(socket, block, blocks, blocksAhead)))
  return (sockets.length * blocks * requestsPerBlock) / (performance.now() - from) / 1_000
}

function perSecond(rates: readonly number[]): string {
  return `${median(rates).toFixed(2)}M/s`
}
