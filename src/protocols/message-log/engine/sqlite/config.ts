/** The options of the SQLite engine. */
import { resolve } from 'node:path'
import { createFaults } from '../../../../messages/option-faults.ts'

/** What the SQLite engine has to be told. */
export interface SqliteLogOptions {
  /** The file of the store. It, its folder, and the files beside it (`-wal`, `-shm`, `-lock`) are made if they are not there. */
  readonly path: string
  /** The file is not let grow beyond that: appends are refused, `full`. Left out: as far as the disk goes. */
  readonly fileBytesMax?: number | undefined
  /**
   * Bytes of the disk that the store leaves free: appends that would have its file grow are refused, `full`, so that there is
   * room to remove messages. Left out: 32 MiB, of a disk of less than 128 MiB a quarter.
   */
  readonly diskFreeBytesMin?: number | undefined
}

const memoryHint = 'is no file: memoryLogEngine.with(undefined) keeps a log in memory'

/** The options with nothing left open. */
export interface SqliteLogConfig {
  /** Absolute. */
  readonly path: string
  readonly fileBytesMax: number
  /** Undefined: by the size of the disk. */
  readonly diskFreeBytesMin: number | undefined
}

/** An empty store has less. */
const fileBytesMin = 262_144

/** Less would not take a slice of what retention removes. */
export const diskFreeBytesLeast = 1_048_576

/** @throws `BAD_CONFIG` that names what cannot be. */
export function resolveSqliteLogConfig(options: SqliteLogOptions): SqliteLogConfig {
  const faults = createFaults()
  if (faults.options('', options, ['path', 'fileBytesMax', 'diskFreeBytesMin'])) {
    faults.name('path', options.path)
    if (options.fileBytesMax !== undefined)
      faults.whole('fileBytesMax', options.fileBytesMax, fileBytesMin, Number.MAX_SAFE_INTEGER)
    if (options.diskFreeBytesMin !== undefined)
      faults.whole('diskFreeBytesMin', options.diskFreeBytesMin, diskFreeBytesLeast, Number.MAX_SAFE_INTEGER)
    if (options.path === ':memory:') faults.add('path', memoryHint)
  }
  faults.throwIfAny('BAD_CONFIG', 'sqliteLogEngine')
  return {
    path: resolve(options.path),
    fileBytesMax: options.fileBytesMax ?? Number.POSITIVE_INFINITY,
    diskFreeBytesMin: options.diskFreeBytesMin,
  }
}
