/**
 * Rows that were read lately: those who follow the end of a partition, and polls that look twice, read them from memory. SQLite keeps
 * no pages over a commit of somebody else, and joins the pages of a large row anew for each read.
 *
 * What a row has never changes, so a cached one is good as long as the store has a row of its number, place and checksum. Its memory is
 * given back when it is pushed out, or as soon as all who were given it have said that they are done with it: see `LogReader.release`.
 */
import { type Keyed, KeyedTable } from '../../../../actors/runtime/keyed-table.ts'
import { freeMemory } from '../../../../messages/wire/own-memory.ts'
import type { StoredBatch } from '../contract.ts'

/** What rows have at most that are kept. */
export const cachedBytesMax = 16_777_216

/** A row as the table of batches describes it. */
export interface RowHead {
  /** Of the row. A number is used again when the last row was removed. */
  readonly id: number
  readonly baseOffset: number
  readonly count: number
  readonly checksum: number
}

/** A row in memory, linked from the one that was used least lately to the last. */
export class CachedRow implements Keyed, StoredBatch {
  readonly key: number
  readonly partitionId: number
  readonly baseOffset: number
  readonly count: number
  readonly checksum: number
  readonly messages: Uint8Array
  readonly sums: Uint32Array | undefined
  /** Who was given it, and looks at it. */
  holders = 0
  isCached = false
  previous: CachedRow | undefined
  next: CachedRow | undefined

  constructor(
    partitionId: number,
    { id, baseOffset, count, checksum }: RowHead,
    messages: Uint8Array,
    sums?: Uint32Array,
  ) {
    this.key = id
    this.partitionId = partitionId
    this.baseOffset = baseOffset
    this.count = count
    this.checksum = checksum
    this.messages = messages
    this.sums = sums
    this.previous = undefined
    this.next = undefined
  }
}

/** The rows of one connection. */
export class RowCache {
  readonly #bytesMax: number
  readonly #rows = new KeyedTable<CachedRow>()
  #bytes = 0
  #oldest: CachedRow | undefined
  #newest: CachedRow | undefined

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Bytes of the rows that are kept. */
  get bytes(): number {
    return this.#bytes
  }

  /** The row that the head describes, held for who asks; undefined when it has to be read. */
  hold(partitionId: number, { id, baseOffset, count, checksum }: RowHead): CachedRow | undefined {
    const row = this.#rows.get(id)
    if (row === undefined) return undefined
    this.#unlink(row)
    if (
      row.partitionId !== partitionId ||
      row.baseOffset !== baseOffset ||
      row.count !== count ||
      row.checksum !== checksum
    ) {
      this.#letGo(row)
      return undefined
    }
    this.#append(row)
    row.holders++
    return row
  }

  /** Keeps a row that was read, and is sound, in place of those that were used least lately; it is held for who read it. */
  keep(row: CachedRow): void {
    row.holders++
    const { length } = row.messages
    if (length > this.#bytesMax) return
    while (this.#oldest !== undefined && this.#bytes + length > this.#bytesMax) {
      const oldest: CachedRow = this.#oldest
      this.#unlink(oldest)
      this.#letGo(oldest)
    }
    this.#rows.add(row)
    this.#bytes += length
    row.isCached = true
    this.#append(row)
  }

  /** Who held a row looks at it no more. */
  release(row: CachedRow): void {
    row.holders--
    if (row.holders === 0 && !row.isCached) freeMemory(row.messages.buffer)
  }

  /** Lets go of all. */
  clear(): void {
    for (const row of this.#rows.inOrder()) {
      this.#unlink(row)
      this.#letGo(row)
    }
  }

  #letGo(row: CachedRow): void {
    this.#rows.take(row.key)
    this.#bytes -= row.messages.length
    row.isCached = false
    if (row.holders === 0) freeMemory(row.messages.buffer)
  }

  #append(row: CachedRow): void {
    row.previous = this.#newest
    if (this.#newest === undefined) this.#oldest = row
    else this.#newest.next = row
    this.#newest = row
  }

  #unlink(row: CachedRow): void {
    if (row.previous === undefined) this.#oldest = row.next
    else row.previous.next = row.next
    if (row.next === undefined) this.#newest = row.previous
    else row.next.previous = row.previous
    row.previous = undefined
    row.next = undefined
  }
}
