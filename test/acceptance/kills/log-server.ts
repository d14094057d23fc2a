/**
 * The server process of a run of the message log under kills: a log server on two shards that kills, each second, one of its
 * actors or workers by a seeded schedule, until it is told that it is over, or killed itself: `node log-server.ts port folder seed`,
 * forked.
 */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createRandom } from '../../../src/actors/runtime/clock.ts'
import { createLogger } from '../../../src/logger.ts'
import { sqliteLogEngine } from '../../../src/protocols/message-log/engine/sqlite/sqlite-log-engine.ts'
import { logStore } from '../../../src/protocols/message-log/owner/log-store.ts'
import { createLogServer } from '../../../src/services/log-server.ts'
import { createSystem, internalsOf } from '../../../src/supervisor/system.ts'
import { untilBound } from '../../services/until-bound.ts'

const [port, folder, seed] = process.argv.slice(2) as [string, string, string]
const random = createRandom(Number(seed))
const periodMs = 1_000

const system = await createSystem({ shards: 2, logger: createLogger({ level: 'fatal' }) })
const engine = sqliteLogEngine.with({ path: join(folder, 'log.db') })
const server = createLogServer(system, { port: Number(port), engine })
await server.start()
void server.failed.then(exit => giveUp(`the server ended: ${exit.reason.type}`))
void system.failed.then(error => giveUp(error.message))
process.on('disconnect', () => process.exit(1))

function giveUp(why: string): void {
  console.error(why)
  process.exit(1)
}

/** A worker by its number; the owner of the store has the one behind those that serve. */
async function killWorker(number: number): Promise<void> {
  await internalsOf(system).shards!.worker(number)?.terminate({ type: 'killed' })
}

const untilOpen = () => system.ref(logStore, 'log/store').ask({ type: 'store.whenOpen' }, { timeoutMs: 20_000 })

const kills: readonly { readonly name: string; kill(): Promise<unknown>; serves(): Promise<unknown> }[] = [
  { name: 'owner', kill: () => system.kill('log/store'), serves: untilOpen },
  { name: 'worker of the owner', kill: () => killWorker(system.shards), serves: untilOpen },
  { name: 'worker', kill: () => killWorker(1), serves: () => untilBound(system, 'log/s1') },
  { name: 'acceptor', kill: () => system.kill('log/s0'), serves: () => untilBound(system, 'log/s0') },
]

let isOver = false
process.on('message', () => {
  isOver = true
})

process.send!('ready')
for (;;) {
  // Never so often that the server's own budget is spent.
  await pause(periodMs * (0.9 + 0.2 * random()))
  if (isOver) break
  const { name, kill, serves } = kills[Math.floor(random() * kills.length)]!
  await kill()
  await serves()
  process.send!(name)
}
process.send!('over')
