/** Removes batches from a store, a few at a time: appends are committed in between. */
import type { StatementSync } from 'node:sqlite'
import type { RetentionPolicy, RetentionResult } from '../contract.ts'
import { producersATime, removeProducers } from './producer-answers.ts'
import type { Store } from './store.ts'

/** Of one transaction, which is as long as an append may have to wait. */
const sliceRows = 64
const sliceBytes = 4_194_304
/** Partitions that are looked at in one go. */
const partitionsATime = 128

interface OldRow {
  readonly baseOffset: number
  readonly storedMs: number
  readonly endBytes: number
  readonly bytes: number
}

interface Partition {
  readonly id: number
  /** Its topic is deleted: all goes. */
  readonly deleted: number
}

/** Statements that remove. */
export class Retention {
  readonly #store: Store
  readonly #partitions: StatementSync
  readonly #deletedPartitions: StatementSync
  readonly #newest: StatementSync
  readonly #oldest: StatementSync
  readonly #remove: StatementSync
  readonly #removePartition: StatementSync
  readonly #removeProducers: StatementSync

  constructor(store: Store) {
    const { connection } = store
    this.#store = store
    const next = `ORDER BY id LIMIT ${partitionsATime}`
    this.#partitions = connection.prepare(`SELECT id, topic_id IS NULL AS deleted FROM partitions WHERE id > ? ${next}`)
    this.#deletedPartitions = connection.prepare(
      `SELECT id, 1 AS deleted FROM partitions WHERE topic_id IS NULL AND id > ? ${next}`,
    )
    this.#newest = connection.prepare(
      `SELECT base_offset AS baseOffset, stored_ms AS storedMs, end_bytes AS endBytes, length(messages) AS bytes
       FROM batches WHERE partition_id = ? ORDER BY base_offset DESC LIMIT 1`,
    )
    this.#oldest = connection.prepare(
      `SELECT base_offset AS baseOffset, stored_ms AS storedMs, end_bytes AS endBytes, length(messages) AS bytes
       FROM batches WHERE partition_id = ? ORDER BY base_offset LIMIT ${sliceRows}`,
    )
    this.#remove = connection.prepare('DELETE FROM batches WHERE partition_id = ? AND base_offset <= ?')
    this.#removePartition = connection.prepare('DELETE FROM partitions WHERE id = ?')
    this.#removeProducers = removeProducers(connection, 'partition_id = ?')
  }

  /** Removes what the policy does not keep, and what is left of deleted topics. Yields after each slice, and each look at a few. */
  *run(policy: RetentionPolicy, nowMs: number): Generator<RetentionResult> {
    const keepsAll = policy.ageMs === Number.POSITIVE_INFINITY && policy.partitionBytesMax === Number.POSITIVE_INFINITY
    const partitions = keepsAll ? this.#deletedPartitions : this.#partitions
    let lastId = 0
    for (;;) {
      const some = partitions.all(lastId) as unknown as Partition[]
      if (some.length === 0) return
      for (const partition of some) yield* this.#runOne(partition, policy, nowMs)
      lastId = some.at(-1)!.id
      yield { batches: 0, bytes: 0 }
    }
  }

  *#runOne({ id, deleted }: Partition, policy: RetentionPolicy, nowMs: number): Generator<RetentionResult> {
    const keeps = deleted ? () => false : this.#keeps(id, policy, nowMs)
    for (let slice = this.#slice(id, keeps); slice.length > 0; slice = this.#slice(id, keeps)) {
      this.#store.transaction(false, () => this.#remove.run(id, slice.at(-1)!.baseOffset))
      yield { batches: slice.length, bytes: slice.reduce((sum, { bytes }) => sum + bytes, 0) }
    }
    if (deleted) yield* this.#forget(id)
  }

  #keeps(id: number, { ageMs, partitionBytesMax }: RetentionPolicy, nowMs: number): (row: OldRow) => boolean {
    const newest = this.#newest.get(id) as OldRow | undefined
    return ({ baseOffset, storedMs, endBytes, bytes }) =>
      newest === undefined ||
      baseOffset >= newest.baseOffset ||
      (nowMs - storedMs <= ageMs && newest.endBytes - endBytes + bytes <= partitionBytesMax)
  }

  /** The oldest batches that go. */
  #slice(id: number, keeps: (row: OldRow) => boolean): OldRow[] {
    const slice: OldRow[] = []
    let bytes = 0
    for (const row of this.#oldest.iterate(id) as Iterable<unknown> as Iterable<OldRow>) {
      if (bytes >= sliceBytes || keeps(row)) break
      slice.push(row)
      bytes += row.bytes
    }
    return slice
  }

  *#forget(id: number): Generator<RetentionResult> {
    for (let isDone = false; !isDone; ) {
      this.#store.transaction(false, () => {
        isDone = Number(this.#removeProducers.run(id).changes) < producersATime
        if (isDone) this.#removePartition.run(id)
      })
      yield { batches: 0, bytes: 0 }
    }
  }
}
