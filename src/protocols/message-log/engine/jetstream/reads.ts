/**
 * Reads a log in JetStream, over one connection. How far a partition goes is asked of the leader of its stream for each read, so that what
 * was acknowledged to anybody is seen by everybody; messages come from a consumer, which is kept for who reads on from there.
 */
import type { LogReader, ReadResult, Topic } from '../contract.ts'
import { offsetOutOfRange, partitionNotFound, storageFailed, storeClosed } from '../engine-errors.ts'
import type { JetstreamConnection } from './connection.ts'
import { isStreamNotFound, jetstreamFault } from './jetstream-faults.ts'
import type { StoreNames } from './names.ts'
import { ReadCursors } from './read-cursors.ts'
import type { StreamState, Streams } from './streams.ts'
import { type Followed, Tails } from './tails.ts'
import type { Topics } from './topics.ts'

const emptyStream: StreamState = { firstSequence: 1, lastSequence: 0, messages: 0, bytes: 0 }

/** The parts that reader and writer share. */
export interface JetstreamStore {
  readonly connection: JetstreamConnection
  readonly names: StoreNames
  readonly streams: Streams
  readonly topics: Topics
  readonly replicas: number
}

/** A reader; also the reading half of the engine. */
export class JetstreamReads implements LogReader {
  readonly #store: JetstreamStore
  readonly #tails: Tails
  readonly #cursors: ReadCursors
  readonly #closing = new AbortController()
  /** Partitions whose stream was seen to be there, by anybody: all readers tell each other. */
  readonly #seen = new Set<number>()

  constructor(store: JetstreamStore) {
    this.#store = store
    this.#tails = new Tails(store.connection)
    this.#cursors = new ReadCursors(store.connection)
    store.connection.subscribe(store.names.seen, message => void this.#seen.add(Number(message.string())))
    void store.topics.follow(this.#tails, this.#closing.signal)
  }

  async listTopics(): Promise<readonly Topic[]> {
    this.#checkOpen()
    await this.#store.topics.refresh()
    return this.#store.topics.list()
  }

  async highWaterMark(partitionId: number): Promise<number> {
    return (await this.stateOf(partitionId)).lastSequence
  }

  async read(partitionId: number, offset: number, maxBytes: number): Promise<ReadResult> {
    const state = await this.stateOf(partitionId)
    const highWaterMark = state.lastSequence
    if (offset === highWaterMark) return { highWaterMark, batches: [] }
    const firstOffset = state.messages === 0 ? highWaterMark : state.firstSequence - 1
    const outOfRange = (): Error => offsetOutOfRange(partitionId, offset, firstOffset, highWaterMark)
    if (!(offset >= firstOffset && offset < highWaterMark)) throw outOfRange()
    const batch = await this.#messages(partitionId, offset, maxBytes, state)
    if (batch !== undefined) return { highWaterMark, batches: [batch] }
    const { firstSequence } = await this.stateOf(partitionId)
    if (firstSequence > offset + 1) throw offsetOutOfRange(partitionId, offset, firstSequence - 1, highWaterMark)
    const text = `partition ${partitionId} does not give the message at offset ${offset}`
    throw storageFailed('io', this.#store.connection.store, text, 'no')
  }

  async whenPast(partitionId: number, offset: number, signal: AbortSignal): Promise<void> {
    this.#checkOpen()
    const { names, topics } = this.#store
    const followed: Followed = {
      stream: names.partition(partitionId),
      lastSequence: () => this.highWaterMark(partitionId),
      isGone: () => !topics.has(partitionId),
      ensure: () => this.ensure(partitionId),
    }
    await this.#tails.whenAbove(followed, offset, signal)
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#tails.close()
    this.#closing.abort()
    this.#cursors.close()
    await this.#store.connection.close()
  }

  /** Makes the stream of a partition that never had one. @throws `STORAGE_FAILED`, `corrupt`, when it had; `PARTITION_NOT_FOUND`. */
  async ensure(partitionId: number): Promise<void> {
    if ((await this.#seenState(partitionId)) !== undefined) return
    const { names, streams, replicas } = this.#store
    const [name, subjects] = [names.partition(partitionId), names.partitionSubjects(partitionId)]
    const description = `partition ${partitionId} of a Starfish message log`
    await streams.ensure({ name, subjects, description, replicas })
    this.#see(partitionId)
  }

  #see(partitionId: number): void {
    if (this.#seen.has(partitionId)) return
    this.#seen.add(partitionId)
    const { connection, names } = this.#store
    try {
      connection.publish(names.seen, `${partitionId}`)
    } catch {
      // Not connected any more: nobody hears of it who does not look himself.
    }
  }

  /** Undefined for one that nobody has seen. It is looked at after others were heard of it. */
  async #seenState(partitionId: number): Promise<StreamState | undefined> {
    if (!this.#seen.has(partitionId)) return undefined
    const { names, streams, topics } = this.#store
    const state = await streams.state(names.partition(partitionId))
    if (state !== undefined) return state
    // A topic is deleted before its streams are removed.
    await topics.refresh()
    throw topics.has(partitionId) ? this.#streamGone(partitionId) : partitionNotFound(partitionId)
  }

  /** It was removed, by no engine: a new one in its place would give out the offsets of what was lost once more. */
  #streamGone(partitionId: number): Error {
    const { connection, names } = this.#store
    const text = `the stream ${names.partition(partitionId)} is gone, and the messages of partition ${partitionId} with it`
    return storageFailed('corrupt', connection.store, text, 'no')
  }

  /**
   * Where a partition begins and ends; it may have no stream yet. @throws `PARTITION_NOT_FOUND`; `STORAGE_FAILED`, `corrupt` when it
   * had one.
   */
  async stateOf(partitionId: number): Promise<StreamState> {
    return (await this.streamOf(partitionId)) ?? emptyStream
  }

  /** The same, or undefined where there is no stream yet. */
  async streamOf(partitionId: number): Promise<StreamState | undefined> {
    this.#checkOpen()
    const { names, streams, topics } = this.#store
    const state = await streams.state(names.partition(partitionId))
    if (state === undefined || !topics.has(partitionId)) {
      await topics.refresh()
      if (!topics.has(partitionId)) throw partitionNotFound(partitionId)
    }
    if (state === undefined) return this.#seenState(partitionId)
    this.#see(partitionId)
    return state
  }

  /** Messages from an offset on; undefined when the first of them is not there. */
  async #messages(partitionId: number, offset: number, maxBytes: number, state: StreamState) {
    const { names, connection } = this.#store
    try {
      return await this.#cursors.read(names.partition(partitionId), offset, maxBytes, state)
    } catch (error) {
      if (isStreamNotFound(error)) return undefined
      throw jetstreamFault(error, connection.store, 'no')
    }
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw storeClosed(this.#store.connection.store)
  }
}
