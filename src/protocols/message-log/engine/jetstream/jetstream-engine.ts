/**
 * A message log in NATS JetStream: a partition is a stream, a message of the log is a message there, its offset is its sequence - 1.
 * Any number of nodes have the same log open, and each may write every partition: the order is JetStream's, see {@link AppendChain}.
 * All that a log is lies in JetStream, so that an engine can be killed at any moment and another one goes on.
 */
import { createInbox } from '@nats-io/transport-node'
import { StarfishError } from '../../../../messages/errors.ts'
import type {
  AppendRequest,
  AppendResult,
  LogEngine,
  LogEngineContext,
  LogReader,
  ReadResult,
  RetentionPolicy,
  RetentionResult,
  Topic,
} from '../contract.ts'
import { checkAppend, storeClosed } from '../engine-errors.ts'
import type { PartitionEnd } from './append-chain.ts'
import type { JetstreamLogConfig } from './config.ts'
import { JetstreamConnection } from './connection.ts'
import { storeNames } from './names.ts'
import { PartitionWriter } from './partition-writer.ts'
import { Producers } from './producers.ts'
import { PublishAnswers } from './publish-answers.ts'
import { JetstreamReads, type JetstreamStore } from './reads.ts'
import { retainPartition } from './retention.ts'
import { decodeRecord } from './stored-record.ts'
import { Streams } from './streams.ts'
import { Topics } from './topics.ts'
import { Turns } from './turns.ts'

/** Streams that are removed at once. */
const removalsMax = 32

interface Partition {
  readonly writer: PartitionWriter
  readonly producers: Producers
}

/** Opens a log to be read. @throws `STORAGE_FAILED`. */
export async function openJetstreamReader(config: JetstreamLogConfig): Promise<LogReader> {
  return new JetstreamReads(await openStore(config))
}

/** Opens a log to be written, beside any others that have it open. @throws `STORAGE_FAILED`. */
export async function openJetstreamEngine(config: JetstreamLogConfig, context: LogEngineContext): Promise<LogEngine> {
  return new JetstreamEngine(await openStore(config), context)
}

async function openStore(config: JetstreamLogConfig): Promise<JetstreamStore> {
  const connection = await JetstreamConnection.open(config)
  try {
    const names = storeNames(config.store)
    const streams = new Streams(connection)
    const topics = new Topics(connection, streams, names)
    await topics.open(config.replicas)
    return { connection, names, streams, topics, replicas: config.replicas }
  } catch (error) {
    await connection.close()
    throw error
  }
}

class JetstreamEngine implements LogEngine {
  readonly #store: JetstreamStore
  readonly #context: LogEngineContext
  readonly #reads: JetstreamReads
  readonly #answers: PublishAnswers
  readonly #turns: Turns
  readonly #partitions = new Map<number, Partition>()
  /** What no other engine is called. */
  readonly #node = createInbox().slice('_INBOX.'.length)
  #appends = 0
  #usedAfterMs = Number.NEGATIVE_INFINITY
  #closing: Promise<void> | undefined

  constructor(store: JetstreamStore, context: LogEngineContext) {
    this.#store = store
    this.#context = context
    this.#reads = new JetstreamReads(store)
    this.#answers = new PublishAnswers(store.connection)
    this.#turns = new Turns(store.connection, store.names.turns, this.#node, id => {
      this.#partitions.get(id)?.writer.makePause()
    })
  }

  async createTopic(name: string, partitions: number): Promise<Topic> {
    this.#checkOpen()
    return this.#store.topics.create(name, partitions)
  }

  async deleteTopic(name: string): Promise<void> {
    this.#checkOpen()
    const { partitionIds } = await this.#store.topics.delete(name)
    for (const id of partitionIds) this.#partitions.delete(id)
    await this.#removeStreams(partitionIds)
  }

  listTopics(): Promise<readonly Topic[]> {
    return this.#reads.listTopics()
  }

  append(request: AppendRequest): Promise<AppendResult> {
    this.#checkOpen()
    checkAppend(request)
    this.#store.connection.check()
    const { writer } = this.#partition(request.partitionId)
    return writer.append(request, `${this.#node}.${(this.#appends++).toString(36)}`)
  }

  highWaterMark(partitionId: number): Promise<number> {
    return this.#reads.highWaterMark(partitionId)
  }

  read(partitionId: number, offset: number, maxBytes: number): Promise<ReadResult> {
    return this.#reads.read(partitionId, offset, maxBytes)
  }

  whenPast(partitionId: number, offset: number, signal: AbortSignal): Promise<void> {
    return this.#reads.whenPast(partitionId, offset, signal)
  }

  async retain(policy: RetentionPolicy): Promise<RetentionResult> {
    this.#checkOpen()
    const nowMs = this.#context.clock.now()
    this.#usedAfterMs = Math.max(this.#usedAfterMs, nowMs - policy.producerAgeMs)
    for (const { producers } of this.#partitions.values()) producers.expire(this.#usedAfterMs)
    const { streams, topics, names } = this.#store
    const found = await streams.namesOf(names.allPartitions)
    await topics.refresh()
    const total = { batches: 0, bytes: 0 }
    for (const stream of found) {
      this.#checkOpen()
      const id = names.partitionOf(stream)
      if (id === undefined) continue
      if (!topics.has(id)) {
        // Who deleted its topic did not live to remove it, or another made it meanwhile.
        await streams.remove(stream)
      } else if (Number.isFinite(policy.ageMs) || Number.isFinite(policy.partitionBytesMax)) {
        const { batches, bytes } = await retainPartition(streams, stream, policy, nowMs)
        total.batches += batches
        total.bytes += bytes
      }
    }
    return total
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#partitions.values()].map(({ writer }) => writer.idle()))
    this.#turns.close()
    this.#answers.close()
    await this.#reads.close()
  }

  #partition(partitionId: number): Partition {
    const known = this.#partitions.get(partitionId)
    if (known !== undefined) return known
    const { connection, names, streams } = this.#store
    const producers = new Producers(streams, names, partitionId)
    producers.expire(this.#usedAfterMs)
    const writer = new PartitionWriter({
      partitionId,
      connection,
      streams,
      producers,
      answers: this.#answers,
      stream: names.partition(partitionId),
      subjectOf: producerId => names.partitionSubject(partitionId, producerId),
      end: () => this.#end(partitionId),
      askForTurn: () => this.#turns.ask(partitionId),
      now: () => this.#context.clock.now(),
    })
    const partition = { writer, producers }
    this.#partitions.set(partitionId, partition)
    return partition
  }

  /** Makes the stream of the partition if it has none. */
  async #end(partitionId: number): Promise<PartitionEnd> {
    const { streams, names } = this.#store
    const state = await this.#streamOf(partitionId)
    if (state === undefined) await this.#reads.ensure(partitionId)
    const sequence = state?.lastSequence ?? 0
    const last = sequence === 0 ? undefined : await streams.message(names.partition(partitionId), sequence)
    const { batch = 0, endBytes = 0 } = decodeRecord(last?.header) ?? {}
    return { sequence, batch, endBytes }
  }

  async #streamOf(partitionId: number): ReturnType<JetstreamReads['streamOf']> {
    try {
      return await this.#reads.streamOf(partitionId)
    } catch (error) {
      if (error instanceof StarfishError && error.code === 'PARTITION_NOT_FOUND') this.#partitions.delete(partitionId)
      throw error
    }
  }

  async #removeStreams(partitionIds: readonly number[]): Promise<void> {
    const { streams, names } = this.#store
    for (let from = 0; from < partitionIds.length; from += removalsMax) {
      const slice = partitionIds.slice(from, from + removalsMax)
      await Promise.all(slice.map(id => streams.remove(names.partition(id))))
    }
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw storeClosed(this.#store.connection.store)
  }
}
