/**
 * A process that serves the message log, or its baseline: `node --expose-gc served.ts bare|one|two`, forked. Says where it listens,
 * then what it is asked; it ends when its parent does, and its store with it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type { ThreadReport } from './probe.ts'

/** Where it listens, and the partition that there is. */
export interface LogPort {
  readonly port: number
}

/** What a process that serves can be asked: what it holds after a collection, what it holds now, or what its shards lived through. */
export interface ServedReports {
  /** Resident memory, bytes. */
  weight: number
  state: ServedState
  threads: ThreadReport[]
}

/** How it stands. */
export interface ServedState {
  /** Resident memory, bytes. */
  readonly resident: number
  /** Processor time of all its threads so far, ms. */
  readonly cpuMs: number
}

let collectOnShards = (): Promise<unknown> => Promise.resolve()
let reportThreads = (): Promise<ThreadReport[]> => Promise.resolve([])

async function weigh(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    globalThis.gc!()
    await collectOnShards()
    await turn()
  }
  return process.memoryUsage.rss()
}

function state(): ServedState {
  const { user, system } = process.cpuUsage()
  return { resident: process.memoryUsage.rss(), cpuMs: (user + system) / 1_000 }
}

async function serveBare(): Promise<LogPort> {
  const [{ listenBareCrc }, { report }] = await Promise.all([import('./bare-crc.ts'), import('./probe.ts')])
  reportThreads = async () => [report()]
  return { port: ((await listenBareCrc()).address() as AddressInfo).port }
}

async function serveLog(shards: number): Promise<LogPort> {
  const [{ default: pino }, { createSystem }, { createLogServer }, { sqliteLogEngine }, { probe }, { heapScale }] =
    await Promise.all([
      import('pino'),
      import('../../src/supervisor/system.ts'),
      import('../../src/services/log-server.ts'),
      import('../../src/protocols/message-log/engine/sqlite/sqlite-log-engine.ts'),
      import('./probe.ts'),
      import('../kernel/heap-scale.ts'),
    ])
  const folder = mkdtempSync(join(tmpdir(), 'starfish-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const logger = pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true }))
  const system = await createSystem({ shards, logger })
  const engine = sqliteLogEngine.with({ path: join(folder, 'log.db') })
  const limits = { connectionsPerAddressMax: 20_000, idleTimeoutMs: 600_000 }
  const { port } = await createLogServer(system, { port: 0, accept: 'reusePort', engine, limits }).start()
  const onEach = <T>(spawn: (shard: number) => T) =>
    Promise.all(Array.from({ length: shards }, (_, shard) => spawn(shard)))
  const scales = await onEach(shard => system.spawn(heapScale, { id: `scale-${shard}`, shard }))
  const probes = await onEach(shard => system.spawn(probe, { id: `probe-${shard}`, shard }))
  const inTime = { timeoutMs: 10_000 }
  collectOnShards = () => Promise.all(scales.map(scale => scale.ask({ type: 'scale.weigh' }, inTime)))
  reportThreads = () => Promise.all(probes.map(each => each.ask({ type: 'probe.report' }, inTime)))
  return { port }
}

const reports: { [K in keyof ServedReports]: () => ServedReports[K] | Promise<ServedReports[K]> } = {
  weight: weigh,
  state,
  threads: () => reportThreads(),
}

process.on('disconnect', () => process.exit())
process.on('message', async (what: keyof ServedReports) => process.send!(await reports[what]()))
process.send!(await (process.argv[2] === 'bare' ? serveBare() : serveLog(process.argv[2] === 'one' ? 1 : 2)))
