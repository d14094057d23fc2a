/** Creates and deletes the topics of a store. What is answered is on the disk. */
import type { StatementSync } from 'node:sqlite'
import type { Topic } from '../contract.ts'
import { checkTopic, topicExists, topicNotFound } from '../engine-errors.ts'
import type { Store } from './store.ts'

/** Statements over topics. */
export class StoreTopics {
  readonly #store: Store
  readonly #find: StatementSync
  readonly #insert: StatementSync
  readonly #insertPartition: StatementSync
  readonly #partitions: StatementSync
  readonly #orphan: StatementSync
  readonly #remove: StatementSync
  readonly #moveOn: StatementSync

  constructor(store: Store) {
    const { connection } = store
    this.#store = store
    this.#find = connection.prepare('SELECT id FROM topics WHERE name = ?')
    this.#insert = connection.prepare('INSERT INTO topics (name) VALUES (?)')
    this.#insertPartition = connection.prepare('INSERT INTO partitions (topic_id) VALUES (?)')
    this.#partitions = connection.prepare('SELECT id FROM partitions WHERE topic_id = ? ORDER BY id')
    this.#orphan = connection.prepare('UPDATE partitions SET topic_id = NULL WHERE topic_id = ?')
    this.#remove = connection.prepare('DELETE FROM topics WHERE id = ?')
    this.#moveOn = connection.prepare('UPDATE catalogue SET version = version + 1')
  }

  /** @throws `BAD_CONFIG`, `TOPIC_EXISTS`. */
  create(name: string, partitions: number): Topic {
    checkTopic(name, partitions)
    if (this.#idOf(name) !== undefined) throw topicExists(name)
    const partitionIds: number[] = []
    this.#store.transaction(true, () => {
      partitionIds.length = 0
      this.#moveOn.run()
      const { lastInsertRowid: topicId } = this.#insert.run(name)
      for (let index = 0; index < partitions; index++) {
        partitionIds.push(Number(this.#insertPartition.run(topicId).lastInsertRowid))
      }
    })
    return { name, partitionIds }
  }

  /** Answers the partitions that are gone; their batches are removed later. @throws `TOPIC_NOT_FOUND`. */
  delete(name: string): number[] {
    const id = this.#idOf(name)
    if (id === undefined) throw topicNotFound(name)
    const partitionIds = (this.#partitions.all(id) as { id: number }[]).map(({ id }) => id)
    this.#store.transaction(true, () => {
      this.#moveOn.run()
      this.#orphan.run(id)
      this.#remove.run(id)
    })
    return partitionIds
  }

  #idOf(name: string): number | undefined {
    return (this.#find.get(name) as { id: number } | undefined)?.id
  }
}
