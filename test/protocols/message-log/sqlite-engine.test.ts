/** The engine in an SQLite file keeps the contract of log engines. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createVirtualClock } from '../../../src/actors/runtime/clock.ts'
import { createAdvances } from '../../../src/protocols/message-log/engine/advances.ts'
import { sqliteLogEngine } from '../../../src/protocols/message-log/engine/sqlite/sqlite-log-engine.ts'
import { failOnLost, runEngineConformance } from './engine-conformance.ts'
import type { EngineWorld } from './engine-world.ts'

const clock = createVirtualClock(1_000_000)

async function openAt(folder: string): Promise<EngineWorld> {
  const context = { clock, advances: createAdvances(), onLost: failOnLost }
  const options = { path: join(folder, 'log.db') }
  const engine = await sqliteLogEngine.opener.open(options, context)
  const reader = await sqliteLogEngine.opener.openReader!(options, context)
  async function close(): Promise<void> {
    await reader.close()
    await engine.close()
  }
  return {
    clock,
    engine,
    reader,
    async reopen() {
      await close()
      return openAt(folder)
    },
    async close() {
      await close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

runEngineConformance({
  name: 'sqlite',
  outlivesClose: true,
  open: () => openAt(mkdtempSync(join(tmpdir(), 'starfish-log-'))),
})
