/**
 * The topics of a log, kept in a stream: the last record of each topic says which partitions it has, or had.
 *
 * ```
 * {"name":"orders","firstPartitionId":1,"partitions":4}                   created
 * {"name":"orders","firstPartitionId":1,"partitions":4,"deleted":true}    deleted: what keeps its numbers from being used again
 * ```
 * A record is appended on the condition that nothing else was since its writer looked (`Nats-Expected-Last-Sequence`); of two
 * nodes that create at once one is refused, looks again, and then has a topic that exists or other partitions.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { headers, type Msg, RequestError } from '@nats-io/transport-node'
import type { Topic } from '../contract.ts'
import { checkTopic, storageFailed, topicExists, topicNotFound } from '../engine-errors.ts'
import type { JetstreamConnection } from './connection.ts'
import { Cursor } from './cursor.ts'
import { isConflict, isUnheard, jetstreamFault, publishRefused, unheard } from './jetstream-faults.ts'
import type { StoreNames } from './names.ts'
import { type PublishAnswer, readPublishAnswer } from './publish-answer.ts'
import type { Streams } from './streams.ts'
import type { Tails } from './tails.ts'

interface TopicRecord {
  readonly name: string
  readonly firstPartitionId: number
  readonly partitions: number
  readonly deleted?: true
}

interface KnownTopic extends TopicRecord {
  readonly sequence: number
}

/** What the stream of topics is known by; another description is something else's, or of another version. */
const description = 'topics of a Starfish message log, version 1'
const partitionIdMax = 0xffff_ffff
/** Before a record that nobody heard is sent again, ms. */
const retryMs = 5

/** Topics as one connection knows them. */
export class Topics {
  readonly #connection: JetstreamConnection
  readonly #streams: Streams
  readonly #names: StoreNames
  readonly #known = new Map<string, KnownTopic>()
  readonly #partitions = new Set<number>()
  #list: readonly Topic[] | undefined
  #lastSequence = 0
  #nextPartitionId = 1
  #refreshing: Promise<void> | undefined
  #onDeleted: (partitionId: number) => void = () => undefined

  constructor(connection: JetstreamConnection, streams: Streams, names: StoreNames) {
    this.#connection = connection
    this.#streams = streams
    this.#names = names
  }

  /** Makes the stream if there is none, and reads it. @throws `STORAGE_FAILED`, `foreign`. */
  async open(replicas: number): Promise<void> {
    const { topics: name, topicSubjects: subjects } = this.#names
    await this.#streams.ensure({ name, subjects, description, replicas, lastOnly: true })
    const found = await this.#streams.description(name)
    if (found !== description) {
      const text = `the stream ${name} is of something else: ${found === '' ? 'it has no description' : found}`
      throw storageFailed('foreign', this.#connection.store, text, 'no')
    }
    await this.refresh()
  }

  /** Keeps what is known up to date until `signal` aborts, and has those look again who wait for what is gone. */
  async follow(tails: Tails, signal: AbortSignal): Promise<void> {
    this.#onDeleted = id => tails.lookAgain(this.#names.partition(id))
    const followed = {
      stream: this.#names.topics,
      lastSequence: async () => (await this.#streams.state(this.#names.topics))?.lastSequence ?? 0,
      isGone: () => false,
      ensure: async () => undefined,
    }
    while (!signal.aborted) {
      try {
        await tails.whenAbove(followed, this.#lastSequence, signal)
        await this.refresh()
      } catch {
        // Whoever needs to know asks for himself, and is told.
        await this.#connection.whenConnected()
      }
    }
  }

  /** Whether that partition is known; of one that is not, {@link refresh} may tell. */
  has(partitionId: number): boolean {
    return this.#partitions.has(partitionId)
  }

  list(): readonly Topic[] {
    if (this.#list !== undefined) return this.#list
    const topics = [...this.#known.values()].filter(({ deleted }) => !deleted)
    this.#list = topics.sort((a, b) => a.sequence - b.sequence).map(topicOf)
    return this.#list
  }

  /** Learns all that was appended before the call. @throws `STORAGE_FAILED`: `corrupt` when the stream is gone. */
  async refresh(): Promise<void> {
    // One that began before may have looked too early.
    await this.#refreshing?.catch(() => undefined)
    this.#refreshing ??= this.#read().finally(() => {
      this.#refreshing = undefined
    })
    await this.#refreshing
  }

  /** @throws `BAD_CONFIG`, `TOPIC_EXISTS`, `STORAGE_FAILED`. */
  async create(name: string, partitions: number): Promise<Topic> {
    checkTopic(name, partitions)
    return this.#append(name, known => {
      if (known !== undefined && !known.deleted) throw topicExists(name)
      if (this.#nextPartitionId + partitions - 1 > partitionIdMax)
        throw storageFailed('full', this.#connection.store, 'all partition numbers are used', 'no')
      return { name, firstPartitionId: this.#nextPartitionId, partitions }
    })
  }

  /** Answers what it was. @throws `TOPIC_NOT_FOUND`, `STORAGE_FAILED`. */
  async delete(name: string): Promise<Topic> {
    return this.#append(name, known => {
      if (known === undefined || known.deleted) throw topicNotFound(name)
      const { firstPartitionId, partitions } = known
      return { name, firstPartitionId, partitions, deleted: true }
    })
  }

  async #append(name: string, next: (known: KnownTopic | undefined) => TopicRecord): Promise<Topic> {
    const giveUpAtMs = performance.now() + this.#connection.requestTimeoutMs
    for (;;) {
      await this.refresh()
      const record = next(this.#known.get(name))
      const answer = await this.#publish(record)
      if (answer.error === undefined) {
        this.#learn(record, answer.seq)
        return topicOf(record)
      }
      if (isUnheard(answer.error) && performance.now() < giveUpAtMs) await delay(retryMs)
      else if (!isConflict(answer.error)) throw publishRefused(answer.error, this.#connection.store)
    }
  }

  async #publish(record: TopicRecord): Promise<PublishAnswer> {
    const fence = headers()
    fence.set('Nats-Expected-Last-Sequence', String(this.#lastSequence))
    try {
      const subject = this.#names.topicSubject(record.name)
      return readPublishAnswer(await this.#connection.request(subject, JSON.stringify(record), fence))
    } catch (error) {
      if (error instanceof RequestError && error.isNoResponders()) return { seq: 0, error: unheard }
      throw jetstreamFault(error, this.#connection.store, 'unknown')
    }
  }

  async #read(): Promise<void> {
    const stream = this.#names.topics
    // What is appended here while JetStream answers is known before it.
    const knownSequence = this.#lastSequence
    const state = await this.#streams.state(stream)
    if (state === undefined || state.lastSequence < knownSequence) throw this.#gone()
    const { lastSequence } = state
    if (lastSequence <= this.#lastSequence) return
    const cursor = await Cursor.open(this.#connection, stream, this.#lastSequence + 1)
    try {
      while (this.#lastSequence < lastSequence) {
        const found = await cursor.pull({
          count: Math.max(1, cursor.pending),
          waitMs: this.#connection.requestTimeoutMs,
        })
        if (found.length === 0)
          throw storageFailed('io', this.#connection.store, 'JetStream did not answer in time', 'no')
        for (const { sequence, message } of found) this.#learn(recordIn(message), sequence)
      }
    } finally {
      cursor.close()
    }
  }

  #learn(record: TopicRecord, sequence: number): void {
    if (sequence <= this.#lastSequence) return
    this.#lastSequence = sequence
    this.#list = undefined
    const { name, firstPartitionId, partitions, deleted } = record
    // Only the last record of a topic is there: that it was deleted and created again shows in its numbers.
    const before = this.#known.get(name)
    if (before !== undefined)
      for (const id of topicOf(before).partitionIds) if (this.#partitions.delete(id)) this.#onDeleted(id)
    if (!deleted) for (const id of topicOf(record).partitionIds) this.#partitions.add(id)
    this.#known.set(name, { ...record, sequence })
    this.#nextPartitionId = Math.max(this.#nextPartitionId, firstPartitionId + partitions)
  }

  /** The stream was removed, or began anew: by no engine. What it had is not taken for deleted: nobody knows. */
  #gone(): Error {
    const text = `the stream ${this.#names.topics} is gone, and the topics of the log with it`
    return storageFailed('corrupt', this.#connection.store, text, 'no')
  }
}

function recordIn(message: Msg): TopicRecord {
  return message.json<TopicRecord>()
}

function topicOf({ name, firstPartitionId, partitions }: TopicRecord): Topic {
  return { name, partitionIds: Array.from({ length: partitions }, (_, index) => firstPartitionId + index) }
}
