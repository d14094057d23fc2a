/**
 * Kills the owner of a store, its worker, shards and acceptors of a log server each second, and its whole process by kill -9 each
 * ten, while producers of the library and others keep it busy: `node test/acceptance/log-under-kills.ts [seconds] [seed]`. In the end
 * every message that was acknowledged must be there once, at the offset that was told, and offsets without gaps.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createLogClient, isStarfishError } from '../../src/index.ts'
import { connectLog } from '../services/fixtures/log-connection.ts'
import { judgeLog, type Produced, produceAll, readAll } from '../services/fixtures/log-producer.ts'
import { boundedRun } from './kills/run.ts'

const { seconds, seed } = boundedRun(process.argv)
const processPeriodMs = 10_000
const folder = mkdtempSync(join(tmpdir(), 'starfish-log-kills-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const port = await freePort()
const kills: Record<string, number> = {}
let server: ChildProcess
let starts = 0
const over = Promise.withResolvers<void>()

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
}

async function startServer(): Promise<void> {
  const script = fileURLToPath(new URL('./kills/log-server.ts', import.meta.url))
  server = fork(script, [port, folder, seed + starts++].map(String))
  server.on('exit', (code, signal) => {
    if (signal === 'SIGKILL') return
    console.error(`the server ended with ${code}`)
    process.exit(1)
  })
  const [first] = await once(server, 'message')
  if (first !== 'ready') throw new Error(`it says ${first}`)
  server.on('message', name => {
    if (name === 'over') over.resolve()
    else count(String(name))
  })
}

function count(name: string): void {
  kills[name] = (kills[name] ?? 0) + 1
}

async function killProcess(): Promise<void> {
  const exit = once(server, 'exit')
  server.kill('SIGKILL')
  await exit
  count('process')
  await startServer()
}

await startServer()
const client = createLogClient({ brokers: `127.0.0.1:${port}`, timeoutMs: 60_000 })
const { partitions } = await client.createTopic('orders', 4)
const untilMs = performance.now() + seconds * 1_000
const isOver = (): boolean => performance.now() >= untilMs

/** A producer of the library: ten lanes, each of which sends when the last send is answered. */
async function sendAll(name: string, partition: number): Promise<Produced> {
  const produced: Produced = { offsets: new Map(), unknown: 0, refused: 0, lost: 0 }
  const producer = client.producer({ timeoutMs: 60_000 })
  let sent = 0
  async function lane(): Promise<void> {
    while (!isOver()) {
      const texts = Array.from({ length: 10 }, () => `${name} ${sent++}`)
      try {
        const messages = texts.map(value => ({ value, partition }))
        const stored = await producer.send({ topic: 'orders', messages })
        for (const [index, { offset }] of stored.entries()) produced.offsets.set(texts[index]!, offset)
      } catch (error) {
        if (!isStarfishError(error)) throw error
        produced.unknown++
      }
    }
  }
  await Promise.all(Array.from({ length: 10 }, lane))
  await producer.close()
  return produced
}

const [byLibrary = 0, byLibraryToo = 0, byHand = 0, byHandToo = 0] = partitions
const running = [
  sendAll('a', byLibrary),
  sendAll('b', byLibraryToo),
  sendAll('c', byLibraryToo),
  ...[byHand, byHandToo, byHandToo].map((partitionId, index) =>
    produceAll({ name: `hand ${index}`, port, partitionId, producerId: BigInt(index + 1), inFlightMax: 16, isOver }),
  ),
]
while (!isOver()) {
  await pause(Math.min(processPeriodMs, Math.max(1, untilMs - performance.now())))
  if (!isOver()) await killProcess()
}
const producers = await Promise.all(running)
await client.close()

server!.send('over')
await over.promise
const reader = await connectLog(port)
const violations: string[] = []
let stored = 0
for (const partitionId of partitions) {
  const texts = await readAll(reader, partitionId)
  stored += texts.length
  const own = new Set(texts)
  const here = producers.filter(({ offsets }) => [...offsets.keys()].some(text => own.has(text)))
  violations.push(...judgeLog(texts, here))
}
const acknowledged = producers.reduce((sum, { offsets }) => sum + offsets.size, 0)
const failed = producers.slice(0, 3).reduce((sum, { unknown }) => sum + unknown, 0)
if (stored < acknowledged) violations.push(`${acknowledged} were acknowledged, ${stored} are there`)
if (failed > 0) violations.push(`${failed} sends of the library failed`)
if (acknowledged < 100 * seconds) violations.push(`only ${acknowledged} messages in ${seconds} s`)
console.log(JSON.stringify({ seed, seconds, kills, acknowledged, stored, violations: violations.length }, null, 2))
for (const violation of violations.slice(0, 20)) console.error(violation)
reader.socket.destroy()
process.exitCode = violations.length > 0 ? 1 : 0
server!.removeAllListeners('exit')
server!.kill('SIGKILL')
