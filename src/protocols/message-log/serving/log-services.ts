/** What each request of the message log does, on one shard. */
import { Deadline, Deadlines } from '../../../actors/runtime/deadlines.ts'
import type { ProtocolEnvironment } from '../../../actors/serving/protocol.ts'
import type { LogSlice } from '../../../messages/log/batch-v1.ts'
import { logError } from '../../../messages/log/codes.ts'
import type { CreateTopicRequest } from '../../../messages/log/create-topic-v1.ts'
import type { DeleteTopicRequest } from '../../../messages/log/delete-topic-v1.ts'
import type { FetchAnswer, FetchRequest } from '../../../messages/log/fetch-v1.ts'
import type { GetOffsetRequest } from '../../../messages/log/get-offset-v1.ts'
import type { AnyLogOperation } from '../../../messages/log/operation.ts'
import { logOperation } from '../../../messages/log/operations.ts'
import type { ProduceRequest, ProduceResponse } from '../../../messages/log/produce-v1.ts'
import { fetchBytesMax } from '../../../messages/log/response.ts'
import type { LogReader, MaybeAsync, ReadResult, StoredBatch, Topic } from '../engine/contract.ts'
import type { FilledLogOptions } from '../log-options.ts'
import { type AppendOutcome, AppendQueue, type PendingAppend } from './append-queue.ts'
import { LateAnswer, type LogCall } from './log-call.ts'
import { LogFailures, timedOut } from './log-failure.ts'
import type { StoreLink } from './store-link.ts'

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

/** An answer that has to come in time. */
class TimedAnswer extends Deadline {
  readonly late: LateAnswer

  constructor(late: LateAnswer) {
    super()
    this.late = late
  }
}

/** The requests of one shard, and the store they are for. */
export class LogServices {
  readonly #link: StoreLink
  readonly #reader: LogReader
  readonly #appends: AppendQueue
  readonly #failures: LogFailures
  readonly #deadlines: Deadlines<TimedAnswer>
  readonly #clock: ProtocolEnvironment['clock']
  readonly #timeoutMs: number
  readonly #fetchBytesMax: number

  /** `incarnation` is that of the owner. */
  constructor(
    { requestTimeoutMs, frameBytesMax }: FilledLogOptions,
    { clock, log }: ProtocolEnvironment,
    link: StoreLink,
    reader: LogReader,
    incarnation: number,
  ) {
    this.#link = link
    this.#reader = reader
    this.#clock = clock
    this.#timeoutMs = requestTimeoutMs
    this.#fetchBytesMax = fetchBytesMax(frameBytesMax)
    this.#appends = new AppendQueue(link, clock, requestTimeoutMs, incarnation)
    this.#failures = new LogFailures(log, clock, requestTimeoutMs)
    this.#deadlines = new Deadlines(clock, true, ({ late }) => {
      const { errorCode, text } = timedOut(requestTimeoutMs)
      late.fail(errorCode, text)
    })
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
    const pending = call.defer(new PendingProduce(partitionId, batch.count, this.#failures))
    this.#appends.add(
      {
        partitionId,
        count: batch.count,
        messages: batch.bytes.subarray(batch.start + countBytes, batch.end),
        acknowledgement,
        producer: producer && { id: producer.producerId, sequence: producer.sequence },
      },
      pending,
    )
  }

  readonly #fetch = (call: LogCall, { partitionId, offset, maxBytes }: FetchRequest): void => {
    const read = this.#reader.read(partitionId, offset, Math.min(maxBytes, this.#fetchBytesMax))
    this.#answer(call, read, result => fetchAnswer(partitionId, result))
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
    this.#answer(call, this.#reader.listTopics(), topics => ({ topics: topics.map(topicAnswer) }))
  }

  readonly #healthCheck = (call: LogCall): void => call.answer(nothing)

  /** Answers what there is at once, and what comes later when it has come, or that it did not come in time. */
  #answer<T>(call: LogCall, result: MaybeAsync<T>, answerOf: (value: T) => unknown): void {
    if (!(result instanceof Promise)) {
      call.answer(answerOf(result))
      return
    }
    const late = call.defer(new LateAnswer())
    const timed = new TimedAnswer(late)
    this.#deadlines.set(timed, this.#timeoutMs, this.#clock.now())
    const fail = (error: unknown): void => {
      this.#deadlines.clear(timed)
      const { errorCode, text } = this.#failures.answerTo(error)
      late.fail(errorCode, text)
    }
    result
      .then(value => {
        this.#deadlines.clear(timed)
        late.answer(answerOf(value))
      })
      .catch(fail)
  }
}

const countBytes = 4
const nothing = {}

function topicAnswer({ name, partitionIds }: Topic) {
  return { name, partitions: partitionIds }
}

function fetchAnswer(partitionId: number, { highWaterMark, batches }: ReadResult): FetchAnswer {
  return { partitionId, highWaterMark, slices: batches.map(sliceOf) }
}

function sliceOf({ baseOffset, count, messages }: StoredBatch): LogSlice {
  const bytes = Buffer.from(messages.buffer, messages.byteOffset, messages.byteLength)
  return { bytes, start: 0, end: bytes.length, count, offset: baseOffset }
}
