/** What each request of the message log does, on one shard. */
import type { ProtocolEnvironment } from '../../../actors/serving/protocol.ts'
import { logError } from '../../../messages/log/codes.ts'
import type { CreateTopicRequest } from '../../../messages/log/create-topic-v1.ts'
import type { DeleteTopicRequest } from '../../../messages/log/delete-topic-v1.ts'
import type { FetchRequest } from '../../../messages/log/fetch-v1.ts'
import type { GetOffsetRequest } from '../../../messages/log/get-offset-v1.ts'
import type { AnyLogOperation } from '../../../messages/log/operation.ts'
import { logOperation } from '../../../messages/log/operations.ts'
import type { ProduceRequest, ProduceResponse } from '../../../messages/log/produce-v1.ts'
import { fetchBytesMax } from '../../../messages/log/response.ts'
import type { LogReader, MaybeAsync } from '../engine/contract.ts'
import type { FilledLogOptions } from '../log-options.ts'
import { type AppendOutcome, AppendQueue, type KnownOwner, type PendingAppend } from './append-queue.ts'
import { fetchAnswer, scarceFetchBytes } from './fetched.ts'
import { LateAnswers } from './late-answers.ts'
import { LateAnswer, type LogCall } from './log-call.ts'
import { LogFailures } from './log-failure.ts'
import { LongPolls } from './long-polls.ts'
import type { StoreLink } from './store-link.ts'
import { TopicList } from './topic-list.ts'

/** Does one request: answers it, or puts the answer off. What it throws is answered. */
export type LogHandler<R = never> = (call: LogCall, request: R) => void

/** A Produce that waits for what becomes of it. */
class PendingProduce extends LateAnswer implements PendingAppend {
  readonly partitionId: number
  outcome: AppendOutcome | undefined = undefined
  behind: PendingProduce | undefined = undefined
  readonly #count: number
  readonly #failures: LogFailures

  constructor(partitionId: number, count: number, failures: LogFailures) {
    super()
    this.partitionId = partitionId
    this.#count = count
    this.#failures = failures
  }

  settled(outcome: AppendOutcome): void {
    if ('error' in outcome) {
      const { errorCode, text } = this.#failures.answerTo(outcome.error)
      this.fail(errorCode, text)
      return
    }
    const { baseOffset, stored } = outcome
    const partial = stored === this.#count ? undefined : { stored, errorCode: logError.storageError }
    this.answer({ partitionId: this.partitionId, baseOffset, partial } satisfies ProduceResponse)
  }
}

/** The requests of one shard, and the store they are for. */
export class LogServices {
  readonly #link: StoreLink
  readonly #reader: LogReader
  readonly #appends: AppendQueue
  readonly #failures: LogFailures
  readonly #answers: LateAnswers
  readonly #topics: TopicList
  /** Those that wait. */
  readonly polls: LongPolls
  readonly #timeoutMs: number
  readonly #fetchBytesMax: number
  readonly #longPollsMax: number
  readonly #appendBytesMax: number

  constructor(
    { requestTimeoutMs, frameBytesMax, longPollsMax }: FilledLogOptions,
    { clock, log, limits }: ProtocolEnvironment,
    link: StoreLink,
    reader: LogReader,
    owner: KnownOwner,
    figures: Float64Array,
  ) {
    this.#link = link
    this.#reader = reader
    this.#topics = new TopicList(frameBytesMax)
    this.#timeoutMs = requestTimeoutMs
    this.#fetchBytesMax = fetchBytesMax(frameBytesMax)
    this.#appends = new AppendQueue(link, clock, requestTimeoutMs, owner)
    this.#failures = new LogFailures(log, clock, requestTimeoutMs)
    this.#answers = new LateAnswers(this.#failures, clock, requestTimeoutMs)
    this.polls = new LongPolls(reader, this.#answers, clock, figures)
    this.#longPollsMax = longPollsMax
    this.#appendBytesMax = limits.shardInFlightBytesMax
  }

  /** The operations of version 1. */
  get handlers(): ReadonlyMap<AnyLogOperation, LogHandler> {
    const table: readonly (readonly [AnyLogOperation, LogHandler])[] = [
      [logOperation.produce as AnyLogOperation, this.#produce],
      [logOperation.fetch as AnyLogOperation, this.#fetch],
      [logOperation.getOffset as AnyLogOperation, this.#getOffset],
      [logOperation.createTopic as AnyLogOperation, this.#createTopic],
      [logOperation.deleteTopic as AnyLogOperation, this.#deleteTopic],
      [logOperation.listTopics as AnyLogOperation, this.#listTopics],
      [logOperation.healthCheck as AnyLogOperation, this.#healthCheck],
    ]
    return new Map(table)
  }

  /** The answer to a request whose handler threw. */
  refuse(call: LogCall, error: unknown): void {
    const { errorCode, text } = this.#failures.answerTo(error)
    call.fail(errorCode, text)
  }

  readonly #produce = (call: LogCall, { partitionId, acknowledgement, producer, batch }: ProduceRequest): void => {
    if (this.#appends.bytes >= this.#appendBytesMax) {
      // Its connections were not read any more; what is too much is left behind by connections that are gone.
      call.fail(logError.storageError, 'the store is behind by as much as may be: nothing was done')
      return
    }
    const pending = call.defer(new PendingProduce(partitionId, batch.count, this.#failures))
    this.#appends.add(
      {
        partitionId,
        count: batch.count,
        acknowledgement,
        producer: producer && { id: producer.producerId, sequence: producer.sequence },
      },
      batch.bytes,
      batch.start + countBytes,
      batch.end,
      pending,
    )
  }

  readonly #fetch = (call: LogCall, request: FetchRequest): void => {
    const { partitionId, offset, longPoll } = request
    const maxBytes = Math.min(request.maxBytes, call.link.isOutputFull ? scarceFetchBytes : this.#fetchBytesMax)
    if (longPoll !== undefined && this.polls.count < this.#longPollsMax) {
      this.polls.fetch(call, { partitionId, offset, maxBytes }, longPoll)
    } else if (longPoll !== undefined) {
      call.fail(logError.storageError, `as many long polls wait as may: ${this.#longPollsMax}`)
    } else {
      const found = this.#reader.read(partitionId, offset, maxBytes)
      this.#answer(call, found, result => fetchAnswer(partitionId, result))
      if (!(found instanceof Promise)) this.#reader.release?.(found)
    }
  }

  readonly #getOffset = (call: LogCall, { partitionId }: GetOffsetRequest): void => {
    this.#answer(call, this.#reader.highWaterMark(partitionId), highWaterMark => ({ highWaterMark }))
  }

  readonly #createTopic = (call: LogCall, { name, partitions }: CreateTopicRequest): void => {
    const created = this.#link.ask({ type: 'store.createTopic', name, partitions }, this.#timeoutMs)
    this.#answer(call, created, ({ partitionIds }) => ({ partitions: partitionIds }))
  }

  readonly #deleteTopic = (call: LogCall, { name }: DeleteTopicRequest): void => {
    this.#answer(call, this.#link.ask({ type: 'store.deleteTopic', name }, this.#timeoutMs), () => nothing)
  }

  readonly #listTopics = (call: LogCall): void => {
    this.#answer(call, this.#reader.listTopics(), topics => this.#topics.answerOf(topics))
  }

  readonly #healthCheck = (call: LogCall): void => call.answer(nothing)

  /** Answers what there is at once, and what comes later when it has come, or that it did not come in time. */
  #answer<T>(call: LogCall, result: MaybeAsync<T>, answerOf: (value: T) => unknown): void {
    if (!(result instanceof Promise)) {
      call.answer(answerOf(result))
      return
    }
    void this.#answers.await(call.defer(new LateAnswer()), result, answerOf)
  }
}

const countBytes = 4
const nothing = {}
