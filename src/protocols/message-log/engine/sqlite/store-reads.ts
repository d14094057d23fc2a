/**
 * What is asked of a store, over one connection. Other threads commit meanwhile, so that two statements may see two states:
 * what was read last is the truth.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { MeasureResult, ReadResult, StoredBatch, Topic } from '../contract.ts'
import { offsetOutOfRange, partitionNotFound, storageFailed } from '../engine-errors.ts'
import { offsetBytes, readBatchesMax, takenBatches } from '../taken-batches.ts'
import { CachedRow, type RowCache, type RowHead } from './row-cache.ts'
import { rowChecksums } from './row-checksum.ts'

/** Rows of so many bytes are read one by one, if the cache has them not; smaller ones as they come. */
const largeBytes = 16_384

interface StoredRow extends RowHead {
  /** Null for a large one. */
  readonly messages: Uint8Array | null
}

/** What a read found, and the rows that it holds. */
interface HeldResult extends ReadResult {
  readonly held?: readonly CachedRow[]
}

/** The end of a partition. */
export interface PartitionEnd {
  /** The offset of the next message. */
  readonly nextOffset: number
  /** Bytes of all messages that were ever stored in it. */
  readonly endBytes: number
}

type RowSpan = Pick<RowHead, 'baseOffset' | 'count'>

/** The row that holds an offset, but for its messages. */
interface HoldingRow extends RowSpan {
  readonly endBytes: number
  readonly bytes: number
}

/** Prepared statements that look at a store. */
export class StoreReads {
  readonly #path: string
  readonly #version: StatementSync
  readonly #topics: StatementSync
  readonly #end: StatementSync
  readonly #first: StatementSync
  readonly #batches: StatementSync
  readonly #messages: StatementSync
  readonly #holding: StatementSync
  readonly #lastOfRead: StatementSync
  readonly #cache: RowCache | undefined
  #list: readonly Topic[] = []
  #listVersion = -1

  /** `path` is for errors. Without a cache each read loads what it finds. */
  constructor(connection: DatabaseSync, path: string, cache?: RowCache) {
    this.#path = path
    this.#cache = cache
    this.#version = connection.prepare('SELECT version FROM catalogue')
    this.#topics = connection.prepare(
      'SELECT name, partitions.id FROM topics JOIN partitions ON topic_id = topics.id ORDER BY topics.id, partitions.id',
    )
    this.#end = connection.prepare(
      `SELECT ifnull(base_offset + count, 0) AS nextOffset, ifnull(end_bytes, 0) AS endBytes
       FROM partitions LEFT JOIN batches ON partition_id = partitions.id
       WHERE partitions.id = ? AND topic_id IS NOT NULL ORDER BY base_offset DESC LIMIT 1`,
    )
    this.#first = connection.prepare('SELECT min(base_offset) AS firstOffset FROM batches WHERE partition_id = ?')
    this.#batches = connection.prepare(
      `SELECT rowid AS id, base_offset AS baseOffset, count, checksum,
         CASE WHEN length(messages) < ${largeBytes} THEN messages END AS messages FROM batches
       WHERE partition_id = ? AND base_offset >=
         (SELECT max(base_offset) FROM batches WHERE partition_id = ? AND base_offset <= ?)
       ORDER BY base_offset`,
    )
    this.#messages = connection.prepare('SELECT messages FROM batches WHERE rowid = ?')
    this.#holding = connection.prepare(
      `SELECT base_offset AS baseOffset, count, end_bytes AS endBytes, length(messages) AS bytes FROM batches
       WHERE partition_id = ? AND base_offset <= ? ORDER BY base_offset DESC LIMIT 1`,
    )
    this.#lastOfRead = connection.prepare(
      `SELECT base_offset + count AS nextOffset, end_bytes AS endBytes FROM batches
       WHERE partition_id = ? AND base_offset >= ? ORDER BY base_offset LIMIT 1 OFFSET ${readBatchesMax - 1}`,
    )
  }

  /** The same array while nothing has changed. */
  listTopics(): readonly Topic[] {
    // What changes between the two statements moves the version on, and is looked at again.
    const { version } = this.#version.get() as { version: number }
    if (version === this.#listVersion) return this.#list
    this.#list = this.#readTopics()
    this.#listVersion = version
    return this.#list
  }

  #readTopics(): Topic[] {
    const topics = new Map<string, { name: string; partitionIds: number[] }>()
    for (const { name, id } of this.#topics.iterate() as Iterable<{ name: string; id: number }>) {
      const topic = topics.get(name) ?? { name, partitionIds: [] }
      topic.partitionIds.push(id)
      topics.set(name, topic)
    }
    return [...topics.values()]
  }

  /** @throws `PARTITION_NOT_FOUND`. */
  endOf(partitionId: number): PartitionEnd {
    const end = this.#end.get(partitionId) as PartitionEnd | undefined
    if (end === undefined) throw partitionNotFound(partitionId)
    return end
  }

  /**
   * What is before a damaged row is found, what is in it is refused.
   * @throws `PARTITION_NOT_FOUND`, `OFFSET_OUT_OF_RANGE`; `STORAGE_FAILED`, `corrupt`.
   */
  read(partitionId: number, offset: number, maxBytes: number): ReadResult {
    const { nextOffset } = this.endOf(partitionId)
    if (offset === nextOffset) return { highWaterMark: nextOffset, batches: [] }
    const isInside = offset >= 0 && offset < nextOffset
    const held: CachedRow[] = []
    const batches = isInside ? this.#batchesFrom(partitionId, offset, maxBytes, held) : []
    const last = batches.at(-1)
    if (last === undefined) throw this.#outOfRange(partitionId, offset)
    const found: HeldResult = { highWaterMark: Math.max(nextOffset, last.baseOffset + last.count), batches, held }
    return found
  }

  /**
   * See `LogReader.measure`: of the rows that a read would take the first is looked at, if `offset` is inside it.
   * @throws as {@link read}.
   */
  measure(partitionId: number, offset: number): MeasureResult {
    const end = this.endOf(partitionId)
    const highWaterMark = end.nextOffset
    if (offset === highWaterMark) return { highWaterMark, nextOffset: offset, bytes: 0 }
    const isInside = offset >= 0 && offset < highWaterMark
    const first = isInside ? (this.#holding.get(partitionId, offset) as HoldingRow | undefined) : undefined
    if (first === undefined) throw this.#outOfRange(partitionId, offset)
    const gap = gapBefore(first, offset)
    if (gap !== undefined) throw this.#corruptRow(partitionId, offset, first, gap)
    const firstBytes = offset === first.baseOffset ? first.bytes : this.#bytesInside(partitionId, offset)
    const last = (this.#lastOfRead.get(partitionId, first.baseOffset) as PartitionEnd | undefined) ?? end
    const bytes = firstBytes + last.endBytes - first.endBytes + (last.nextOffset - offset) * offsetBytes
    return { highWaterMark: Math.max(highWaterMark, last.nextOffset), nextOffset: last.nextOffset, bytes }
  }

  /** Bytes of the messages from an offset inside a row to its end. */
  #bytesInside(partitionId: number, offset: number): number {
    const held: CachedRow[] = []
    const [part] = this.#batchesFrom(partitionId, offset, Number.POSITIVE_INFINITY, held, 1)
    for (const row of held) this.#cache?.release(row)
    return part?.messages.length ?? 0
  }

  /** See `LogReader.release`. */
  release({ held = [] }: HeldResult): void {
    for (const row of held) this.#cache?.release(row)
  }

  #batchesFrom(
    partitionId: number,
    offset: number,
    maxBytes: number,
    held: CachedRow[],
    batchesMax?: number,
  ): StoredBatch[] {
    const rows = this.#batches.iterate(partitionId, partitionId, offset) as Iterable<unknown> as Iterable<StoredRow>
    return takenBatches(this.#soundRows(rows, partitionId, offset, held), offset, maxBytes, batchesMax)
  }

  /** Rows that hold the messages from `offset` on, without gaps. */
  *#soundRows(
    rows: Iterable<StoredRow>,
    partitionId: number,
    offset: number,
    held: CachedRow[],
  ): Generator<StoredBatch> {
    let next = offset
    for (const row of rows) {
      const { baseOffset, count } = row
      const batch = this.#soundRow(partitionId, row, held)
      const fault = batch === undefined ? 'its checksum is wrong' : gapBefore(row, next)
      if (fault !== undefined && next > offset) return
      if (batch === undefined || fault !== undefined) throw this.#corruptRow(partitionId, next, row, fault)
      yield batch
      next = baseOffset + count
    }
  }

  /** The batch of a row; undefined when it is not what was written. */
  #soundRow(partitionId: number, row: StoredRow, held: CachedRow[]): StoredBatch | undefined {
    const { id, baseOffset, count, checksum, messages: small } = row
    const known = small === null ? this.#cache?.hold(partitionId, row) : undefined
    if (known !== undefined) {
      held.push(known)
      return known
    }
    const messages = small ?? (this.#messages.get(id) as Pick<StoredRow, 'messages'> | undefined)?.messages
    // Of a damaged table.
    if (!messages) return undefined
    const found = rowChecksums(partitionId, { baseOffset, count, messages })
    if (found.checksum !== checksum) return undefined
    if (small !== null || this.#cache === undefined) return { baseOffset, count, messages }
    const read = new CachedRow(partitionId, row, messages, found.sums)
    this.#cache.keep(read)
    held.push(read)
    return read
  }

  #corruptRow(partitionId: number, offset: number, { baseOffset }: RowSpan, fault: string | undefined): Error {
    const text = `partition ${partitionId} is corrupt at offset ${offset}: the row of offsets ${baseOffset} and on: ${fault}`
    return storageFailed('corrupt', this.#path, text, 'no')
  }

  #outOfRange(partitionId: number, offset: number): Error {
    const { firstOffset } = this.#first.get(partitionId) as { firstOffset: number | null }
    return offsetOutOfRange(partitionId, offset, firstOffset ?? 0, this.endOf(partitionId).nextOffset)
  }
}

function gapBefore({ baseOffset, count }: RowSpan, offset: number): string | undefined {
  return baseOffset <= offset && offset < baseOffset + count ? undefined : 'the one that holds it is gone'
}
