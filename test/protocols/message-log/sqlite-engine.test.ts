/** The engine in an SQLite file keeps the contract of log engines. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OpenedLog } from '../../../src/protocols/message-log/engine/conformance/index.ts'
import type { LogEngineContext } from '../../../src/protocols/message-log/engine/contract.ts'
import { sqliteLogEngine } from '../../../src/protocols/message-log/engine/sqlite/sqlite-log-engine.ts'
import { runEngineConformance } from './engine-conformance.ts'

async function openAt(folder: string, context: LogEngineContext): Promise<OpenedLog> {
  const options = { path: join(folder, 'log.db') }
  const engine = await sqliteLogEngine.opener.open(options, context)
  const reader = await sqliteLogEngine.opener.openReader!(options, context)
  async function close(): Promise<void> {
    await reader.close()
    await engine.close()
  }
  return {
    engine,
    reader,
    async reopen() {
      await close()
      return openAt(folder, context)
    },
    async close() {
      await close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

runEngineConformance('sqlite', {
  outlivesClose: true,
  open: context => openAt(mkdtempSync(join(tmpdir(), 'starfish-log-')), context),
})
