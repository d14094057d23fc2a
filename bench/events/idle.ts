/** What an idle connection costs in resident memory, against a bare socket. Each has been answered once. */
import type { Socket } from 'node:net'
import { spread } from '../statistics.ts'
import { atMost, type Figure, type SuiteOptions } from '../suite.ts'
import type { Weight } from './served.ts'
import { type Kind, Served } from './servers.ts'
import { createBlock, open, pump } from './tcp-client.ts'

/** More than the backlog of the listener would have it queue. */
const together = 256
const limit = atMost(600, 'B more')

/** Measures. */
export async function measureIdle({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const rounds = quick ? 1 : 5
  const count = quick ? 10_000 : 10_000
  const costs: Record<Kind, number[]> = { bare: [], starfish: [] }
  const heaps: Record<Kind, number[]> = { bare: [], starfish: [] }
  for (let round = 0; round < rounds; round++) {
    for (const kind of ['bare', 'starfish'] as const) {
      const { resident, heap } = await weigh(kind, count)
      costs[kind].push(resident)
      heaps[kind].push(heap)
    }
    say(`idle ${round + 1}/${rounds}: ${costs.starfish.at(-1)!.toFixed(0)} B, bare ${costs.bare.at(-1)!.toFixed(0)} B`)
  }
  const more = spread(costs.starfish.map((bytes, round) => bytes - costs.bare[round]!))
  return [
    {
      work: `${count} idle connections, each`,
      inFlight: '0',
      figure: bytes(costs.starfish),
      baseline: `bare net.Socket: ${bytes(costs.bare)}`,
      budget: limit.text,
      pass: limit.holds(more.value),
      ...more,
    },
    {
      work: 'the same, in use on the JavaScript heap',
      inFlight: '0',
      figure: bytes(heaps.starfish),
      baseline: `bare net.Socket: ${bytes(heaps.bare)}`,
      ...spread(heaps.starfish.map((heap, round) => heap - heaps.bare[round]!)),
    },
  ]
}

function bytes(values: readonly number[]): string {
  return `${spread(values).value.toFixed(0)} B`
}

/** Bytes for each connection. A first lot, closed again, makes the process grow to what such a load needs anyway. */
async function weigh(kind: Kind, count: number): Promise<Weight> {
  await using served = await Served.start(kind)
  await closeAll(await openAll(served.ports.tcp, together))
  const before = await served.weigh()
  const sockets = await openAll(served.ports.tcp, count)
  const after = await served.weigh()
  await closeAll(sockets)
  return { resident: (after.resident - before.resident) / count, heap: (after.heap - before.heap) / count }
}

async function openAll(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  const request = createBlock(1)
  while (sockets.length < count) {
    const some = await Promise.all(Array.from({ length: Math.min(together, count - sockets.length) }, () => open(port)))
    await Promise.all(some.map(socket => pump(socket, request, 1, 1)))
    sockets.push(...some)
  }
  return sockets
}

async function closeAll(sockets: readonly Socket[]): Promise<void> {
  await Promise.all(sockets.map(socket => new Promise(resolve => socket.once('close', resolve).end())))
}
