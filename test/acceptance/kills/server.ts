/**
 * The server process of a run under kills: an event server on two shards that kills its own actors and workers by a
 * seeded schedule, in each two seconds one of each, and tells its parent whom it killed.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { createRandom } from '../../../src/actors/runtime/clock.ts'
import { protocolReference } from '../../../src/actors/serving/protocol.ts'
import { createLogger } from '../../../src/logger.ts'
import { createFrameServer } from '../../../src/services/frame-server.ts'
import { createSystem, internalsOf } from '../../../src/supervisor/system.ts'
import { untilBound } from '../../services/until-bound.ts'
import { type FromServer, type Kill, type Mode, monotonicMs, shards } from './account.ts'
import { createBoard, incarnationsOf, namedProtocol } from './named-protocol.ts'

const [mode, seedText, killsText] = process.argv.slice(2) as [Mode, string, string]
const random = createRandom(Number(seedText))
const periodMs = 2_000
const jitterMs = 500

const board = createBoard()
const system = await createSystem({ shards, logger: createLogger({ level: 'error' }) })
const server = createFrameServer(system, 'events', {
  port: 0,
  accept: mode,
  protocol: protocolReference(namedProtocol, { board }),
})
const { port } = await server.start()
void server.failed.then(exit => giveUp(`the server ended: ${exit.reason.type}`))
void system.failed.then(error => giveUp(error.message))
process.on('disconnect', () => process.exit(1))

function tell(message: FromServer): void {
  process.send?.(message)
}

function giveUp(why: string): void {
  console.error(why)
  process.exit(1)
}

/** Kills an actor or a worker; settles when its successor listens. */
async function kill(kind: Kill['kind'], shard: number): Promise<void> {
  const victim = kind === 'listener' ? 'events/listener' : `events/s${shard}`
  const worker = internalsOf(system).shards!.worker(shard)
  if (kind !== 'listener' && worker === undefined) throw new Error(`shard ${shard} is down before it is killed`)
  const incarnations = kind === 'listener' ? [] : incarnationsOf(board, worker!.threadId)
  const atMs = monotonicMs()
  if (kind === 'worker') await worker!.terminate({ type: 'killed' })
  else if (!(await system.kill(victim))) throw new Error(`${victim} did not live`)
  await untilBound(system, victim)
  if (kind === 'listener') await Promise.all([untilBound(system, 'events/s0'), untilBound(system, 'events/s1')])
  tell({ type: 'kill', kind, shard, incarnations, atMs, againAtMs: monotonicMs() })
}

function anActor(): Promise<void> {
  if (mode === 'handoff' && random() < 0.25) return kill('listener', -1)
  return kill('actor', Math.floor(random() * shards))
}

tell({ type: 'ready', port })
const beganAtMs = monotonicMs()
const running: Promise<void>[] = []
for (let period = 0; period < Number(killsText) / 2; period++) {
  for (const half of [0, 1]) {
    const dueMs = 1_000 + period * periodMs + half * (periodMs / 2) + random() * jitterMs
    await pause(Math.max(0, beganAtMs + dueMs - monotonicMs()))
    running.push(half === 0 ? anActor() : kill('worker', Math.floor(random() * shards)))
  }
}
await Promise.all(running)
tell({ type: 'over' })

process.on('message', async () => {
  await server.stop()
  await system.stop()
  process.exit(0)
})
