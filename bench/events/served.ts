/**
 * A process that serves, so that its memory and its threads are its own: `node --expose-gc served.ts bare|starfish`, forked.
 * Says where it listens, then its memory whenever it is asked; it ends when its parent does.
 */
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'

/** Where it listens. */
export interface Ports {
  readonly tcp: number
  readonly udp: number
}

async function serveBare(): Promise<Ports> {
  const [{ listenBare }, { bindBare }] = await Promise.all([import('./bare-net.ts'), import('./bare-dgram.ts')])
  const [server, socket] = await Promise.all([listenBare(), bindBare()])
  return { tcp: (server.address() as AddressInfo).port, udp: socket.address().port }
}

/** One shard: one thread serves, as in the baseline. */
async function serveStarfish(): Promise<Ports> {
  const [{ default: pino }, { createSystem }, { createEventServer }, { commands }, { heapScale }] = await Promise.all([
    import('pino'),
    import('../../src/supervisor/system.ts'),
    import('../../src/services/event-server.ts'),
    import('./commands.ts'),
    import('../kernel/heap-scale.ts'),
  ])
  const logger = pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true }))
  const system = await createSystem({ shards: 1, logger })
  const limits = { connectionsPerAddressMax: 20_000, idleTimeoutMs: 600_000 }
  const { port } = await createEventServer(system, {
    port: 0,
    accept: 'reusePort',
    commands,
    limits,
    pool: { threads: 2 },
  }).start()
  const scale = await system.spawn(heapScale, { id: 'scale', shard: 0 })
  weighShard = () => scale.ask({ type: 'scale.weigh' }, { timeoutMs: 10_000 })
  return { tcp: port, udp: port }
}

/** Collects on the thread of the shard; bytes in use on its heap. */
let weighShard = (): Promise<number> => Promise.resolve(0)

/** What it holds after a collection, bytes. */
export interface Weight {
  /** Resident memory of the process. */
  readonly resident: number
  /** In use on the JavaScript heaps. */
  readonly heap: number
}

async function weigh(): Promise<Weight> {
  let heap = 0
  for (let round = 0; round < 4; round++) {
    globalThis.gc!()
    heap = process.memoryUsage().heapUsed + (await weighShard())
    await turn()
  }
  return { resident: process.memoryUsage.rss(), heap }
}

process.on('disconnect', () => process.exit())
process.on('message', async () => process.send!(await weigh()))
process.send!(await (process.argv[2] === 'bare' ? serveBare() : serveStarfish()))
