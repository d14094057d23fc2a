/**
 * What a message log is stored in. An engine takes whole batches and gives them back as they came; it never looks into a
 * message but to find where it ends.
 *
 * ```
 * topic       a name and a list of partitions
 * partition   a number that no other partition of the store has or will have; messages at offsets 0, 1, 2, …
 * message     timestampMs i64 | keyLen i32, -1 null | key | valueLen i32, -1 null | value          (big-endian, as on the wire)
 * batch       messages, one behind the other: appended together, there whole or not at all
 * ```
 * One {@link LogEngine} writes a store. A {@link LogReader} sees of it what is committed; there may be one on every thread.
 * What is refused is a StarfishError: `OFFSET_OUT_OF_RANGE`, `PARTITION_NOT_FOUND`, `TOPIC_NOT_FOUND`, `TOPIC_EXISTS`,
 * `STORAGE_FAILED` (its `details.reason` is a {@link StorageFault}), `BAD_CONFIG` for an argument that no store takes.
 */
import type { Clock } from '../../../actors/runtime/clock.ts'
import type { Acknowledgement } from '../../../messages/log/codes.ts'

/** A result, at once or later. What is refused is thrown or rejects: `await` inside `try` sees both. */
export type MaybeAsync<T> = T | Promise<T>

/** Answers that are kept of each producer and partition, so that a repeat stores nothing twice. */
export const keptAnswersMax = 64

/** Who appends, and which of its appends to this partition it is. */
export interface ProducerSequence {
  /** From 0 to 2^64 - 1. */
  readonly id: bigint
  /** From 0 to 2^32 - 1, by one more for each append of the producer to the partition. */
  readonly sequence: number
}

/** A batch to be appended. */
export interface AppendRequest {
  readonly partitionId: number
  /** Messages in it, 1 or more. */
  readonly count: number
  /**
   * The messages, checked by the caller, in memory that may be shared. They stay as they are until the append is answered, and
   * for good after `received`, or when it is refused: an engine that needs them longer copies them.
   */
  readonly messages: Uint8Array
  /**
   * When it is answered. `received`: an offset is its, and a failure after that loses it. `committed`: readers see it, and it
   * outlives the process. `flushed`: it outlives a power cut, and so does all that was committed before it.
   */
  readonly acknowledgement: Acknowledgement
  /** Left out: a repeat is stored again. */
  readonly producer?: ProducerSequence | undefined
}

/** What became of an append. */
export interface AppendResult {
  /** The offset of its first message. */
  readonly baseOffset: number
  /** Messages stored: all, but with an engine that can lose its store in the middle of a batch, the first so many. */
  readonly stored: number
}

/** Who is told what became of appends, by the number under which each was given. */
export interface AppendSink {
  stored(index: number, result: AppendResult): void
  refused(index: number, error: unknown): void
}

/** A topic. */
export interface Topic {
  readonly name: string
  readonly partitionIds: readonly number[]
}

/** Messages that lie one behind the other. */
export interface StoredBatch {
  /** The offset of the first. */
  readonly baseOffset: number
  readonly count: number
  readonly messages: Uint8Array
  /** CRC-32 (zlib) of each message, where the reader knows it: then nobody need look at the bytes again to send them. */
  readonly sums?: Uint32Array | undefined
}

/** What a read finds. */
export interface ReadResult {
  /** The offset that the next message of the partition gets. */
  readonly highWaterMark: number
  /** In order and without gaps, the first one begins at the offset asked for. None at the high-water mark. */
  readonly batches: readonly StoredBatch[]
}

/** How far a read would get that no bytes bound. */
export interface MeasureResult {
  /** As of a read. */
  readonly highWaterMark: number
  /** Behind the last message that it would give. */
  readonly nextOffset: number
  /** Of the messages that it would give, each with the 8 bytes of its offset. */
  readonly bytes: number
}

/** What may be removed. The newest batch of a partition never is, so that offsets go on from it. */
export interface RetentionPolicy {
  /** Batches that were stored longer ago are removed. Infinity keeps them. */
  readonly ageMs: number
  /** Bytes of messages in one partition: the oldest batches beyond them are removed. Infinity keeps them. */
  readonly partitionBytesMax: number
  /** Kept answers of a producer that has not appended to the partition for so long are removed. */
  readonly producerAgeMs: number
}

/** What was removed. */
export interface RetentionResult {
  readonly batches: number
  /** Bytes of messages. */
  readonly bytes: number
}

/** Looks at what is committed. */
export interface LogReader {
  /**
   * In the order in which they were created. What was given is never changed; while nothing has, it is best the same array
   * again: what is made of it is made once.
   */
  listTopics(): MaybeAsync<readonly Topic[]>
  /** The offset that the next message of a partition gets. `PARTITION_NOT_FOUND`. */
  highWaterMark(partitionId: number): MaybeAsync<number>
  /**
   * Messages from `offset` on, each counted with the 8 bytes of its offset, up to `maxBytes`; one at least, if there is one. What
   * would keep its thread from others may be less than that: who wants more reads on.
   * `OFFSET_OUT_OF_RANGE` below the first kept offset and above the high-water mark, with both in `details`;
   * `PARTITION_NOT_FOUND`.
   */
  read(partitionId: number, offset: number, maxBytes: number): MaybeAsync<ReadResult>
  /**
   * What `read` of the same would find, and refuse, without looking at all of it: how those who wait for more than there is are
   * counted. A reader that has nothing cheaper than to read leaves it out.
   */
  measure?(partitionId: number, offset: number): MeasureResult
  /**
   * Who was given a result of `read` looks at its messages no more: their memory may be gone at once. Nobody has to say so. A reader
   * that has nothing to win leaves it out.
   */
  release?(result: ReadResult): void
  /**
   * Resolves when the high-water mark is above `offset`, or when `signal` aborts: which of the two, the high-water mark says.
   * Rejects with `PARTITION_NOT_FOUND` when there is no such partition any more, with `STORAGE_FAILED` when it is closed.
   */
  whenPast(partitionId: number, offset: number, signal: AbortSignal): Promise<void>
  /** Whatever waits is refused, as is all that comes later: `STORAGE_FAILED`, `closed`. Closing again does nothing. */
  close(): MaybeAsync<void>
}

/** Writes a store, and reads it. There is one for a store at a time. */
export interface LogEngine extends LogReader {
  /** `TOPIC_EXISTS`; `BAD_CONFIG` for a name or a number of partitions that {@link topicLimits} do not allow. */
  createTopic(name: string, partitions: number): MaybeAsync<Topic>
  /** Its partitions are gone with it, and their numbers are not used again. `TOPIC_NOT_FOUND`. */
  deleteTopic(name: string): MaybeAsync<void>
  /**
   * Appends a batch whole, or not at all. Those to one partition are stored in the order of the calls. A repeat (same
   * producer, sequence and partition) is answered as the first was, once that is committed. `PARTITION_NOT_FOUND`;
   * `STORAGE_FAILED`, with `handled: 'unknown'` if it may have been stored.
   */
  append(request: AppendRequest): MaybeAsync<AppendResult>
  /**
   * The same, for who appends by the thousand: tells `sink` under `index`, now or later, once, and throws nothing. An engine that
   * has nothing to win leaves it out.
   */
  appendTo?(request: AppendRequest, index: number, sink: AppendSink): void
  /**
   * Appends of one message each that follow each other, to one partition, with one acknowledgement and no producer, may be given
   * as one: what becomes of one becomes of all, whole or not at all. Left out: each is given by itself.
   */
  readonly takesJoined?: true
  /** Removes what the policy does not keep, a little at a time. */
  retain(policy: RetentionPolicy): Promise<RetentionResult>
}

/**
 * Why a store fails. `busy`: another process or thread has it open. `full`: no space, or the bound of the store. `corrupt`:
 * what is in the file cannot be, or the file is no database. `foreign`: it is of another version, or a database of something
 * else. `sequenceExpired`: an append of a producer that is older than the answers that are kept, so that nobody knows whether
 * it was stored.
 */
export type StorageFault = 'closed' | 'busy' | 'full' | 'corrupt' | 'foreign' | 'io' | 'sequenceExpired'

/** What an engine is given beside its options. */
export interface LogEngineContext {
  readonly clock: Clock
  /** Told of what nobody else is: an append that was answered as received, and failed. */
  onLost(error: unknown): void
  /** Memory that engine and readers of one store share, made by `createAdvances`: how readers hear of new messages. */
  readonly advances: SharedArrayBuffer
}

/** What topics may be. */
export const topicLimits = {
  /** In UTF-8. */
  nameBytesMax: 255,
  /** Of one topic. */
  partitionsMax: 4_096,
} as const
