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
 * grown, syncs the log before and the file behind it in both: most of that is done beside, see {@link Checkpointer}. The log takes
 * room beside the file: see {@link DiskRoom}.
 *
 * @see https://sqlite.org/wal.html, https://sqlite.org/pragma.html#pragma_synchronous
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Clock } from '../../../../actors/runtime/clock.ts'
import { Checkpointer } from './checkpointer.ts'
import type { SqliteLogConfig } from './config.ts'
import { DiskRoom, defaultReserveBytes, isFull } from './disk-room.ts'
import { openDatabase } from './open-database.ts'
import { makeTables, pragma, versionOf } from './schema.ts'
import { guarded } from './sqlite-faults.ts'
import { lockStore } from './store-lock.ts'

/**
 * Of a new store; one that is there keeps its own. Each page is two writes to the log and one to the file: larger ones make a
 * tick of many messages cheaper, smaller ones a tick of one.
 */
const pageBytes = 16_384
/** Bytes of log after which it is moved into the file. More makes it rarer, and the next opening after a crash slower. */
const checkpointBytesMax = 16_777_216
/** Of the log, for each commit: pages that have been written before, as those of an index. */
const commitBytes = 4 * pageBytes

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
  readonly #clock: Clock
  readonly #room: DiskRoom
  /** Missing on a small disk: then commits checkpoint. */
  readonly #checkpointer: Checkpointer | undefined
  /** Committed since the last checkpoint, as far as is known. */
  #logBytes = 0
  #flushes = false

  /** @throws `STORAGE_FAILED`, `busy` while it is open elsewhere. */
  constructor(config: SqliteLogConfig, clock: Clock) {
    const { path } = config
    this.path = path
    this.#clock = clock
    this.#unlock = lock(path)
    try {
      const opened = guarded(path, () => openConnection(config, clock))
      this.connection = opened.connection
      this.#room = opened.room
      this.#checkpointer = opened.isRoomy
        ? new Checkpointer(
            path,
            () => this.#endCheckpoint(),
            () => this.#checkpointAlone(),
          )
        : undefined
    } catch (error) {
      this.#unlock()
      throw error
    }
    this.#begin = this.connection.prepare('BEGIN IMMEDIATE')
    this.#commit = this.connection.prepare('COMMIT')
    this.#rollback = this.connection.prepare('ROLLBACK')
  }

  /**
   * Commits what `body` does, or nothing of it. `flushed`: it is on the disk then. Where there is no room, `body` is called
   * once more when some was made. `bytes` are what it adds, about.
   */
  transaction(flushed: boolean, body: () => void, bytes = 0): void {
    this.#room.look(this.#clock.now())
    if (flushed !== this.#flushes) {
      this.connection.exec(`PRAGMA synchronous = ${flushed ? 'FULL' : 'NORMAL'}`)
      this.#flushes = flushed
    }
    try {
      this.#attempt(body)
    } catch (error) {
      if (!isFull(error)) throw error
      this.#checkpointer?.settle()
      this.#room.make()
      this.#attemptAgain(body)
    }
    this.#logBytes += bytes + commitBytes
    if (this.#logBytes >= checkpointBytesMax && !this.#room.isTight) this.#checkpointer?.start()
  }

  /** What its thread has left of a checkpoint: a few pages. */
  #endCheckpoint(): void {
    this.#logBytes = 0
    try {
      this.connection.exec('PRAGMA wal_checkpoint(PASSIVE)')
    } catch {
      // As after a commit: what it is about, the next one will tell.
    }
  }

  #checkpointAlone(): void {
    this.connection.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages(this.connection, checkpointBytesMax)}`)
  }

  #attemptAgain(body: () => void): void {
    try {
      this.#attempt(body)
    } catch (error) {
      throw this.#room.told(error)
    }
  }

  #attempt(body: () => void): void {
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
    this.#checkpointer?.close()
    this.connection.close()
    this.#unlock()
  }
}

interface OpenStore {
  readonly connection: DatabaseSync
  readonly room: DiskRoom
  /** The log may grow for the time that a checkpoint takes. */
  readonly isRoomy: boolean
}

function openConnection(config: SqliteLogConfig, clock: Clock): OpenStore {
  const { path } = config
  const connection = openDatabase(path, { timeout: 1_000 })
  try {
    versionOf(connection, path)
    // On macOS only a full fsync reaches the disk; elsewhere the two say nothing.
    connection.exec('PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON')
    connection.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL`)
    const reserveBytes = config.diskFreeBytesMin ?? defaultReserveBytes(path)
    const checkpointBytes = Math.min(checkpointBytesMax, reserveBytes / 2)
    const isRoomy = checkpointBytes === checkpointBytesMax
    // Of one that is moved by another thread: when that cannot keep up.
    const ownBytes = isRoomy ? 2 * checkpointBytes : checkpointBytes
    connection.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages(connection, ownBytes)}`)
    connection.exec(`PRAGMA journal_size_limit = ${2 * checkpointBytes}`)
    makeTables(connection, path)
    const room = new DiskRoom(connection, config, reserveBytes, clock.now())
    syncFolder(dirname(path))
    return { connection, room, isRoomy }
  } catch (error) {
    connection.close()
    throw error
  }
}

function checkpointPages(connection: DatabaseSync, bytes: number): number {
  return Math.ceil(bytes / pragma(connection, 'page_size'))
}

/** Makes a folder and those above it, so that they are found after a power cut. */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  const above = dirname(path)
  if (above !== path) makeFolder(above)
  try {
    // Each by itself: where no folder can be, as in /proc, Node's `recursive` tries for ever.
    mkdirSync(path)
  } catch (error) {
    // Another may have made it meanwhile.
    if (!existsSync(path)) throw error
  }
  syncFolder(above)
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
