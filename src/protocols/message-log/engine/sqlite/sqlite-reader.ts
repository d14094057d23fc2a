/** A message log in an SQLite file: its readers, one on every thread that wants one. No commit blocks them. */
import type { DatabaseSync } from 'node:sqlite'
import { Advances, whenAdvanced } from '../advances.ts'
import type { LogEngineContext, LogReader, MeasureResult, ReadResult, Topic } from '../contract.ts'
import { storeClosed } from '../engine-errors.ts'
import type { SqliteLogConfig } from './config.ts'
import { openDatabase } from './open-database.ts'
import { cachedBytesMax, RowCache } from './row-cache.ts'
import { checkVersion } from './schema.ts'
import { guarded } from './sqlite-faults.ts'
import { StoreReads } from './store-reads.ts'

/** Looks at what the engine of the store has committed, over a connection that cannot write. */
export class SqliteReader implements LogReader {
  readonly #path: string
  readonly #connection: DatabaseSync
  readonly #cache = new RowCache(cachedBytesMax)
  readonly #reads: StoreReads
  readonly #advances: Advances
  #closed = false

  /** @throws `STORAGE_FAILED`: also where no engine has made a store yet. */
  constructor({ path }: SqliteLogConfig, { advances }: LogEngineContext) {
    this.#path = path
    this.#advances = new Advances(advances)
    this.#connection = guarded(path, () => openToRead(path))
    this.#reads = new StoreReads(this.#connection, path, this.#cache)
  }

  listTopics(): readonly Topic[] {
    return this.#open(() => this.#reads.listTopics())
  }

  highWaterMark(partitionId: number): number {
    return this.#open(() => this.#reads.endOf(partitionId).nextOffset)
  }

  read(partitionId: number, offset: number, maxBytes: number): ReadResult {
    return this.#open(() => this.#reads.read(partitionId, offset, maxBytes))
  }

  measure(partitionId: number, offset: number): MeasureResult {
    return this.#open(() => this.#reads.measure(partitionId, offset))
  }

  release(result: ReadResult): void {
    this.#reads.release(result)
  }

  whenPast(partitionId: number, offset: number, signal: AbortSignal): Promise<void> {
    return whenAdvanced(this.#advances, partitionId, offset, id => this.highWaterMark(id), signal)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#advances.wakeOwn()
    this.#connection.close()
    this.#cache.clear()
  }

  #open<T>(call: () => T): T {
    if (this.#closed) throw storeClosed(this.#path)
    return guarded(this.#path, call)
  }
}

function openToRead(path: string): DatabaseSync {
  const connection = openDatabase(path, { readOnly: true, timeout: 1_000 })
  try {
    checkVersion(connection, path)
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}
