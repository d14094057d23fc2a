/**
 * A process that serves the message log, or its baseline: `node served.ts bare|one|two`, forked. Says where it listens; it ends when
 * its parent does, and its store with it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where it listens, and the partition that there is. */
export interface LogPort {
  readonly port: number
}

async function serveBare(): Promise<LogPort> {
  const { listenBareCrc } = await import('./bare-crc.ts')
  return { port: ((await listenBareCrc()).address() as AddressInfo).port }
}

async function serveLog(shards: number): Promise<LogPort> {
  const [{ default: pino }, { createSystem }, { createLogServer }, { sqliteLogEngine }] = await Promise.all([
    import('pino'),
    import('../../src/supervisor/system.ts'),
    import('../../src/services/log-server.ts'),
    import('../../src/protocols/message-log/engine/sqlite/sqlite-log-engine.ts'),
  ])
  const folder = mkdtempSync(join(tmpdir(), 'starfish-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const logger = pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true }))
  const system = await createSystem({ shards, logger })
  const engine = sqliteLogEngine.with({ path: join(folder, 'log.db') })
  const { port } = await createLogServer(system, { port: 0, accept: 'reusePort', engine }).start()
  return { port }
}

process.on('disconnect', () => process.exit())
process.send!(await (process.argv[2] === 'bare' ? serveBare() : serveLog(process.argv[2] === 'one' ? 1 : 2)))
