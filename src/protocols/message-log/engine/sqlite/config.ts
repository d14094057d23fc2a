/** The options of the SQLite engine. */
import { resolve } from 'node:path'
import { createFaults } from '../../../../messages/option-faults.ts'

/** What the SQLite engine has to be told. */
export interface SqliteLogOptions {
  /** The file of the store. It, its folder, and the files beside it (`-wal`, `-shm`, `-lock`) are made if they are not there. */
  readonly path: string
  /** The file is not let grow beyond that: appends are refused, `full`. Left out: as far as the disk goes. */
  readonly fileBytesMax?: number | undefined
}

/** The options with nothing left open. */
export interface SqliteLogConfig {
  /** Absolute. */
  readonly path: string
  readonly fileBytesMax: number
}

/** An empty store has less. */
const fileBytesMin = 262_144

/** @throws `BAD_CONFIG` that names what cannot be. */
export function resolveSqliteLogConfig(options: SqliteLogOptions): SqliteLogConfig {
  const faults = createFaults()
  if (faults.options('', options, ['path', 'fileBytesMax'])) {
    faults.name('path', options.path)
    if (options.fileBytesMax !== undefined)
      faults.whole('fileBytesMax', options.fileBytesMax, fileBytesMin, Number.MAX_SAFE_INTEGER)
  }
  faults.throwIfAny('BAD_CONFIG', 'sqliteLogEngine')
  return { path: resolve(options.path), fileBytesMax: options.fileBytesMax ?? Number.POSITIVE_INFINITY }
}
