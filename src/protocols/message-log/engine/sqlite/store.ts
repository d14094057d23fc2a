/**
 * The file of a store, opened to be written.
 *
 * SQLite keeps a write-ahead log beside it. What a commit survives:
 *
 * ```
 * synchronous  a commit has            kill -9 of the process      power cut, crash of the system
 * NORMAL       written to the log      survived: the kernel has it  may be lost, with what came after; the file stays sound
 * FULL         and fsync()s it         survived                    survived, and so is every commit before it
 * ```
 * So an append `committed` is one of NORMAL, one `flushed` of FULL. A checkpoint, which moves the log into the file when it has
 * grown, syncs the log before and the file behind it in both.
 *
 * @see https://sqlite.org/wal.html, https://sqlite.org/pragma.html#pragma_synchronous
 */
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { SqliteLogConfig } from './config.ts'
import { openDatabase } from './open-database.ts'
import { makeTables, pragma, versionOf } from './schema.ts'
import { guarded } from './sqlite-faults.ts'
import { lockStore } from './store-lock.ts'

/**
 * Of a new store; one that is there keeps its own. Each page is two writes to the log and one to the file: larger ones make a
 * tick of many messages cheaper, smaller ones a tick of one.
 */
const pageBytes = 16_384
/** Bytes of log after which a commit checkpoints. More makes it rarer, and the next opening after a crash slower. */
const checkpointBytes = 16_777_216

/** Looks whether a store could be opened now. @throws `STORAGE_FAILED`, `busy` while it is open elsewhere. */
export function probeStore({ path }: SqliteLogConfig): void {
  lock(path)()
}

function lock(path: string): () => void {
  return guarded(path, () => {
    makeFolder(dirname(path))
    return lockStore(path)
  })
}

/** One store, locked. */
export class Store {
  readonly path: string
  readonly connection: DatabaseSync
  readonly #unlock: () => void
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #rollback: StatementSync
  #flushes = false

  /** @throws `STORAGE_FAILED`, `busy` while it is open elsewhere. */
  constructor({ path, fileBytesMax }: SqliteLogConfig) {
    this.path = path
    this.#unlock = lock(path)
    try {
      this.connection = guarded(path, () => openConnection(path, fileBytesMax))
    } catch (error) {
      this.#unlock()
      throw error
    }
    this.#begin = this.connection.prepare('BEGIN IMMEDIATE')
    this.#commit = this.connection.prepare('COMMIT')
    this.#rollback = this.connection.prepare('ROLLBACK')
  }

  /** Commits what `body` does, or nothing of it. `flushed`: it is on the disk then. */
  transaction(flushed: boolean, body: () => void): void {
    if (flushed !== this.#flushes) {
      this.connection.exec(`PRAGMA synchronous = ${flushed ? 'FULL' : 'NORMAL'}`)
      this.#flushes = flushed
    }
    this.#begin.run()
    try {
      body()
      this.#commit.run()
    } catch (error) {
      if (this.connection.isTransaction) this.#rollback.run()
      throw error
    }
  }

  close(): void {
    this.connection.close()
    this.#unlock()
  }
}

function openConnection(path: string, fileBytesMax: number): DatabaseSync {
  const connection = openDatabase(path, { timeout: 1_000 })
  try {
    versionOf(connection, path)
    // On macOS only a full fsync reaches the disk; elsewhere the two say nothing.
    connection.exec('PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON')
    connection.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL`)
    const ownPageBytes = pragma(connection, 'page_size')
    connection.exec(`PRAGMA wal_autocheckpoint = ${checkpointBytes / ownPageBytes}`)
    connection.exec(`PRAGMA journal_size_limit = ${4 * checkpointBytes}`)
    if (Number.isFinite(fileBytesMax))
      connection.exec(`PRAGMA max_page_count = ${Math.floor(fileBytesMax / ownPageBytes)}`)
    makeTables(connection, path)
    syncFolder(dirname(path))
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

/** Makes a folder and those above it, so that they are found after a power cut. */
function makeFolder(path: string): void {
  const topmost = mkdirSync(path, { recursive: true })
  if (topmost === undefined) return
  for (let made = path; made.length >= topmost.length; made = dirname(made)) syncFolder(dirname(made))
}

/** So that a file that is new in it is found after a power cut. */
function syncFolder(path: string): void {
  // Windows opens no folder, and needs no such thing.
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
