/** The engine that stores a message log in an SQLite file, as a log server takes it. */
import { defineLogEngine } from '../define-log-engine.ts'
import { resolveSqliteLogConfig, type SqliteLogOptions } from './config.ts'
import { SqliteEngine } from './sqlite-engine.ts'
import { SqliteReader } from './sqlite-reader.ts'
import { probeStore } from './store.ts'

/**
 * The default engine: one file, with `node:sqlite`.
 *
 * @example createLogServer(system, { port: 7401, engine: sqliteLogEngine.with({ path: './data/log.db' }) })
 */
export const sqliteLogEngine = defineLogEngine(import.meta.url, 'sqliteLogEngine', {
  probe: (options: SqliteLogOptions) => probeStore(resolveSqliteLogConfig(options)),
  open: (options: SqliteLogOptions, context) => new SqliteEngine(resolveSqliteLogConfig(options), context),
  openReader: (options, context) => new SqliteReader(resolveSqliteLogConfig(options), context),
})
