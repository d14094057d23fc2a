/** The kept answers of producers: in the store, and for those that append just now in memory too. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type KeptAnswer, KeptAnswers } from '../kept-answers.ts'

/** Producers, of all partitions, that are kept in memory: with more, all are read from the store again when they append. */
const cachedMax = 4_096

/** Rows of producers that are removed in one transaction: up to 1 KiB each. */
export const producersATime = 256

/** Removes the first rows of producers that `condition` holds for. */
export function removeProducers(connection: DatabaseSync, condition: string): StatementSync {
  const some = `SELECT partition_id, producer_id FROM producers WHERE ${condition} LIMIT ${producersATime}`
  return connection.prepare(`DELETE FROM producers WHERE (partition_id, producer_id) IN (${some})`)
}

interface Cached {
  readonly partitionId: number
  readonly producerId: bigint
  readonly answers: KeptAnswers
  /** To be written with the next commit. */
  touched: boolean
}

/** Answers by partition and producer. */
export class ProducerAnswers {
  readonly #select: StatementSync
  readonly #upsert: StatementSync
  readonly #expire: StatementSync
  readonly #cached = new Map<number, Map<bigint, Cached>>()
  #touched: Cached[] = []
  #size = 0

  constructor(connection: DatabaseSync) {
    this.#select = connection.prepare('SELECT answers FROM producers WHERE partition_id = ? AND producer_id = ?')
    this.#upsert = connection.prepare(
      `INSERT INTO producers (partition_id, producer_id, used_ms, answers) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET used_ms = excluded.used_ms, answers = excluded.answers`,
    )
    this.#expire = removeProducers(connection, 'used_ms < ?')
  }

  /** See {@link KeptAnswers.find}. */
  find(partitionId: number, producerId: bigint, sequence: number): KeptAnswer | 'new' | 'expired' {
    return this.#of(partitionId, producerId).answers.find(sequence)
  }

  keep(partitionId: number, producerId: bigint, answer: KeptAnswer): void {
    this.#of(partitionId, producerId).answers.keep(answer)
    this.touch(partitionId, producerId)
  }

  /** Has them written again, though they are as they were. */
  touch(partitionId: number, producerId: bigint): void {
    const cached = this.#of(partitionId, producerId)
    if (!cached.touched) this.#touched.push(cached)
    cached.touched = true
  }

  /** Writes what changed, inside the transaction of the messages. */
  write(nowMs: number): void {
    for (const { partitionId, producerId, answers } of this.#touched) {
      this.#upsert.run(partitionId, BigInt.asIntN(64, producerId), Math.trunc(nowMs), answers.encode())
    }
  }

  /** Removes some producers that did nothing since; not while others are to be written. True when there may be more of them. */
  expire(usedBeforeMs: number): boolean {
    const removed = Number(this.#expire.run(Math.trunc(usedBeforeMs)).changes)
    if (removed > 0) this.forget()
    return removed === producersATime
  }

  /** After the commit: what was written is as it is in the store. */
  settle(): void {
    for (const cached of this.#touched) cached.touched = false
    this.#touched = []
    if (this.#size > cachedMax) this.forget()
  }

  /** Goes back to what is in the store. */
  forget(): void {
    this.#cached.clear()
    this.#touched = []
    this.#size = 0
  }

  #of(partitionId: number, producerId: bigint): Cached {
    const producers = this.#cached.get(partitionId) ?? new Map<bigint, Cached>()
    const known = producers.get(producerId)
    if (known !== undefined) return known
    const row = this.#select.get(partitionId, BigInt.asIntN(64, producerId)) as { answers: Uint8Array } | undefined
    const answers = row === undefined ? new KeptAnswers() : KeptAnswers.decode(row.answers)
    const cached = { partitionId, producerId, answers, touched: false }
    this.#cached.set(partitionId, producers.set(producerId, cached))
    this.#size++
    return cached
  }
}
