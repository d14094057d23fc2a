/** One request in flight: its 99th percentile against the bare server, and what a task pool at full load makes of it. */

import { encodeEventRequest } from '../../src/messages/event/request-v1.ts'
import { quantile, spread } from '../statistics.ts'
import { atMost, type Figure, type SuiteOptions } from '../suite.ts'
import { hashCommand } from './commands.ts'
import { type Kind, Served } from './servers.ts'
import { createBlock, open, roundTrips } from './tcp-client.ts'

const ratioLimit = atMost(1.5, 'x')
const loadedLimit = atMost(5, 'ms')
/** Of a pool with two workers: both busy, and a queue that never empties. */
const poolRequestsAhead = 32
const digestAnswerBytes = 16 + 32

/** Measures one request in flight. */
export async function measureLatency({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const rounds = quick ? 5 : 15
  const count = quick ? 3_000 : 10_000
  await using bare = await Served.start('bare')
  await using starfish = await Served.start('starfish')
  const sockets = { bare: await open(bare.ports.tcp), starfish: await open(starfish.ports.tcp) }
  const request = createBlock(1)
  const p99s: Record<Kind, number[]> = { bare: [], starfish: [] }
  const all: Record<Kind, number[]> = { bare: [], starfish: [] }
  for (let round = -2; round < rounds; round++) {
    for (const kind of ['bare', 'starfish'] as const) {
      const times = await roundTrips(sockets[kind], request, count, request.length)
      if (round < 0) continue
      p99s[kind].push(quantile(times, 0.99))
      for (const ms of times) all[kind].push(ms * 1_000)
    }
    if (round >= 0)
      say(
        `one in flight ${round + 1}/${rounds}: p99 ${micros(p99s.starfish.slice(-1))} of ${micros(p99s.bare.slice(-1))}`,
      )
  }
  for (const socket of Object.values(sockets)) socket.destroy()
  const ratios = spread(p99s.starfish.map((ms, round) => ms / p99s.bare[round]!))
  return [
    {
      work: 'p99 of an echo over TCP',
      inFlight: '1',
      figure: micros(p99s.starfish),
      baseline: `bare net: ${micros(p99s.bare)}`,
      budget: ratioLimit.text,
      pass: ratioLimit.holds(ratios.value),
      ...ratios,
      distribution: {
        title: 'Echo over TCP, one in flight',
        unit: 'us',
        series: [
          { label: 'bare net', values: all.bare },
          { label: 'event server', values: all.starfish },
        ],
      },
    },
  ]
}

/** Measures commands of the shard beside a pool that has more than it can do. */
export async function measurePoolLoad({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const rounds = quick ? 3 : 9
  const count = quick ? 2_000 : 5_000
  await using starfish = await Served.start('starfish')
  const [socket, pooled] = await Promise.all([open(starfish.ports.tcp), open(starfish.ports.tcp)])
  const hash = encodeEventRequest({ command: hashCommand })
  const request = createBlock(1)
  const idle = await roundTrips(socket, request, count, request.length)
  let hashed = 0
  pooled.on('data', (chunk: Buffer) => {
    const before = Math.floor(hashed / digestAnswerBytes)
    hashed += chunk.length
    for (let number = Math.floor(hashed / digestAnswerBytes) - before; number > 0; number--) pooled.write(hash)
  })
  for (let number = 0; number < poolRequestsAhead; number++) pooled.write(hash)
  const p99s: number[] = []
  const from = performance.now()
  for (let round = 0; round < rounds; round++) {
    p99s.push(quantile(await roundTrips(socket, request, count, request.length), 0.99))
    say(`beside a full pool ${round + 1}/${rounds}: p99 ${micros(p99s.slice(-1))}`)
  }
  const perSecond = hashed / digestAnswerBytes / ((performance.now() - from) / 1_000)
  for (const each of [socket, pooled]) each.destroy()
  const loaded = spread(p99s)
  return [
    {
      work: 'p99 of an echo over TCP while the task pool is full',
      inFlight: `1, beside ${poolRequestsAhead} in the pool`,
      figure: `${micros(p99s)}; the pool did ${perSecond.toFixed(0)} a second`,
      baseline: `an idle pool: ${micros([quantile(idle, 0.99)])}`,
      budget: loadedLimit.text,
      pass: loadedLimit.holds(loaded.value),
      ...loaded,
    },
  ]
}

function micros(times: readonly number[]): string {
  return `${(spread(times).value * 1_000).toFixed(0)} us`
}
