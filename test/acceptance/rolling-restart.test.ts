/** Rolling restarts under clients that always have a request in flight or on its way, however long commands take. */
import t from 'tap'
import { createEventClient } from '../../src/index.ts'
import { isStarfishError } from '../../src/messages/index.ts'
import { number } from '../services/fixtures/commands.ts'
import { serveCommands } from '../services/fixtures/served.ts'

t.setTimeout(180_000)

/** Shorter and longer than a connection that drains waits for silence. */
const commandsMs = [0, 260, 400, 900]

for (const accept of ['reusePort', 'handoff'] as const) {
  t.test(`${accept}: a rolling restart fails no request, whatever its command takes`, async t => {
    const { system, server } = await serveCommands(t, 2, { accept, pool: { threads: 4 } })
    const failed: unknown[] = []
    let answered = 0
    let isOver = false
    const load = async (command: number, commandMs: number, inFlight: number): Promise<void> => {
      const client = createEventClient({ ...server.address!, pool: { connectionsPerServer: 1 } })
      t.teardown(() => client.close())
      const ask = async (): Promise<void> => {
        try {
          await client.request(command, String(commandMs))
          answered++
        } catch (error) {
          failed.push(isStarfishError(error) ? [command, commandMs, inFlight, error.code, error.message] : error)
        }
      }
      while (!isOver && failed.length === 0) await Promise.all(Array.from({ length: inFlight }, ask))
    }
    const loads = commandsMs.flatMap(commandMs => [
      load(number.last, commandMs, 1),
      load(number.last, commandMs, 3),
      load(number.lastInPool, commandMs, 1),
    ])
    await system.rollingRestart()
    isOver = true
    await Promise.all(loads)
    t.same(failed, [])
    t.ok(answered > 50, `${answered} were answered`)
    t.equal(server.stats().pool?.lost, 0)
  })
}
