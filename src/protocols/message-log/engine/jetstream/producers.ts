/**
 * The kept answers of the producers of one partition. They lie in JetStream with the messages: the first message of a batch has the
 * answers before it, and where the batch is says the rest. So every node knows them, after any crash, as of some end of the stream;
 * when another node has written since, they are read again.
 */
import type { StoredMsg } from '@nats-io/jetstream'
import { type KeptAnswer, KeptAnswers } from '../kept-answers.ts'
import type { StoreNames } from './names.ts'
import { unpackAnswers } from './packed-answers.ts'
import { answersHeader, decodeRecord } from './stored-record.ts'
import type { Streams } from './streams.ts'

/** A batch whose writer did not live to append it whole. */
export interface TornBatch extends KeptAnswer {
  /** Messages that it was to have. */
  readonly count: number
}

/** What is known of one producer. */
export interface ProducerState {
  readonly answers: KeptAnswers
  /** Its last batch, if that is not whole. */
  readonly torn: TornBatch | undefined
}

interface Known extends ProducerState {
  readonly epoch: number
  readonly usedMs: number
}

/** Producers that are kept in memory for a partition: with more, all are read again when they append. */
const knownMax = 1_024

/** Producers of one partition. */
export class Producers {
  readonly #streams: Streams
  readonly #names: StoreNames
  readonly #partitionId: number
  readonly #known = new Map<bigint, Known>()
  #epoch = 0
  #usedAfterMs = Number.NEGATIVE_INFINITY

  constructor(streams: Streams, names: StoreNames, partitionId: number) {
    this.#streams = streams
    this.#names = names
    this.#partitionId = partitionId
  }

  /** What is known is to be read again: others may have written. */
  distrust(): void {
    this.#epoch++
  }

  /** Lets go of them if they are too many: not while a batch of one is on its way. */
  trim(): void {
    if (this.#known.size > knownMax) this.#known.clear()
  }

  /** Those that appended nothing since then are as new. */
  expire(usedAfterMs: number): void {
    this.#usedAfterMs = Math.max(this.#usedAfterMs, usedAfterMs)
  }

  /** What is known of a producer; undefined when it has to be {@link load}ed. */
  get(id: bigint): ProducerState | undefined {
    const known = this.#known.get(id)
    if (known === undefined || known.epoch !== this.#epoch) return undefined
    if (known.usedMs >= this.#usedAfterMs) return known
    return this.#set(id, { answers: new KeptAnswers(), torn: undefined, usedMs: Number.POSITIVE_INFINITY })
  }

  /** Reads what JetStream has of a producer. @throws `STORAGE_FAILED`. */
  async load(id: bigint): Promise<ProducerState> {
    const stream = this.#names.partition(this.#partitionId)
    const last = await this.#streams.lastOf(stream, this.#names.partitionSubject(this.#partitionId, id))
    const record = last === undefined ? undefined : decodeRecord(last.header)
    const fresh = { answers: new KeptAnswers(), torn: undefined }
    if (last === undefined || record === undefined || record.sequence === undefined)
      return this.#set(id, { ...fresh, usedMs: Number.POSITIVE_INFINITY })
    if (record.storedMs < this.#usedAfterMs) return this.#set(id, { ...fresh, usedMs: Number.POSITIVE_INFINITY })
    const { index, count, sequence, storedMs } = record
    const first = index === 0 ? last : await this.#streams.message(stream, last.seq - index)
    const answers = answersIn(first)
    const answer = { sequence, baseOffset: last.seq - 1 - index, stored: index + 1 }
    answers.keep(answer)
    return this.#set(id, { answers, torn: index + 1 < count ? { ...answer, count } : undefined, usedMs: storedMs })
  }

  /** A batch of the producer is on its way. */
  keep(id: bigint, answer: KeptAnswer, nowMs: number): void {
    const answers = this.get(id)?.answers ?? new KeptAnswers()
    answers.keep(answer)
    this.#set(id, { answers, torn: undefined, usedMs: nowMs })
  }

  #set(id: bigint, state: Omit<Known, 'epoch'>): ProducerState {
    const known = { ...state, epoch: this.#epoch }
    this.#known.set(id, known)
    return known
  }
}

/** Retention may have removed the batch meanwhile. */
function answersIn(first: StoredMsg | undefined): KeptAnswers {
  return unpackAnswers(first?.header?.get(answersHeader) ?? '')
}
