/**
 * The client of a message log: requests to its servers over pooled TCP connections, producers and consumers on top of
 * them. Usable alone: it needs no system, runs in the thread that created it, and connects when it is first used.
 *
 * ```
 *   producer ─> batches ─┐
 *   consumer ─> fetches ─┼─> open requests (deadline, retries) ─> connection pool ─> LogStream on TCP, TLS
 *   request ─────────────┘
 * ```
 */
import { encodeLogBatch, readLogEntries } from '../messages/log/batch-v1.ts'
import { type Acknowledgement, acknowledgements } from '../messages/log/codes.ts'
import type { LongPoll } from '../messages/log/fetch-v1.ts'
import type { LogTopic } from '../messages/log/list-topics-v1.ts'
import type { ProduceResponse, ProducerSequence } from '../messages/log/produce-v1.ts'
import { createFaults, type OptionFault, show } from '../messages/option-faults.ts'
import { notSent } from './clients/client-options.ts'
import type { ClientFigures } from './clients/connection-pool.ts'
import { logCall } from './clients/log/log-calls.ts'
import { type LogClientOptions, resolveLogClient } from './clients/log/log-client-options.ts'
import { type LogRequestOptions, LogRequests } from './clients/log/log-requests.ts'
import {
  type ConsumedMessage,
  messagesFault,
  type ProducerMessage,
  toConsumedMessage,
  toLogMessage,
} from './clients/log/message.ts'
import { createProducer, type LogProducer } from './clients/log/producer/log-producer.ts'
import type { ProducerOptions } from './clients/log/producer/producer-options.ts'
import { TopicDirectory } from './clients/log/topic-directory.ts'

/** Options of {@link LogClient.produce}. */
export interface ProduceOptions extends LogRequestOptions {
  /** When it is answered. Default `committed`. */
  readonly acknowledgement?: Acknowledgement
  /** Who produces: a request that is sent again is stored once. It is tried again only with it, or if it was certainly not handled. */
  readonly producer?: ProducerSequence
}

/** Options of {@link LogClient.fetch}. */
export interface FetchOptions extends LogRequestOptions {
  /** Wait for messages rather than answer without. `maxWaitMs` counts beside the deadline. */
  readonly longPoll?: LongPoll
}

/** What {@link LogClient.fetch} tells. */
export interface FetchResult {
  /** In order and without gaps, from the offset asked for; none at its end. */
  readonly messages: readonly ConsumedMessage[]
  /** The offset that the next message of the partition gets. */
  readonly highWaterMark: number
}

/**
 * A client of a message log. `await using` closes it.
 *
 * What is asked rejects by its deadline at the latest, with a StarfishError that says by `handled` whether it may have been
 * handled: REQUEST_TIMEOUT, REQUEST_ABORTED, CONNECT_FAILED, CONNECTION_LOST, CLIENT_CLOSED, OVERLOADED (too many wait
 * here), REQUEST_REFUSED, PARTITION_NOT_FOUND, OFFSET_OUT_OF_RANGE, TOPIC_NOT_FOUND, TOPIC_EXISTS, STORAGE_FAILED,
 * SERVER_TIMEOUT, REQUEST_FAILED (those that an error code of the protocol stands for, which is in `details`), BAD_CONFIG.
 */
export interface LogClient extends AsyncDisposable {
  /** Creates a topic with so many partitions, 1 unless told; answers their ids. Not tried again once it may have been handled. */
  createTopic(name: string, partitions?: number, options?: LogRequestOptions): Promise<LogTopic>
  /** Deletes a topic with its messages. Not tried again once it may have been handled. */
  deleteTopic(name: string, options?: LogRequestOptions): Promise<void>
  /** All topics, in the order in which they were created. */
  listTopics(options?: LogRequestOptions): Promise<readonly LogTopic[]>
  /** The offset that the next message of a partition gets. */
  getOffset(partition: number, options?: LogRequestOptions): Promise<number>
  /** Resolves when a server has answered. */
  healthCheck(options?: LogRequestOptions): Promise<void>
  /** Sends messages as one batch of one request; their `partition` does not count. A producer batches, spreads and repeats for you. */
  produce(partition: number, messages: readonly ProducerMessage[], options?: ProduceOptions): Promise<ProduceResponse>
  /** Messages from `offset` on, up to `bytesMax` (each counts 8 more than its bytes, 16 of which it has anyway), one at least if there is one. */
  fetch(partition: number, offset: number, bytesMax: number, options?: FetchOptions): Promise<FetchResult>
  /** A producer: batches messages, spreads them over partitions, and resends without repeats. Throws BAD_CONFIG. */
  producer(options?: ProducerOptions): LogProducer
  /** Counts, and what it holds now. */
  stats(): ClientFigures
  /**
   * Takes no further request, waits for those that are open for up to `timeoutMs` (5,000), rejects the rest with
   * CLIENT_CLOSED and closes every connection. Settles when no handle is left.
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>
}

const closeTimeoutMs = 5_000

const requestOptions = ['timeoutMs', 'signal'] as const
const none = {}

/** Creates a client of the log that `brokers` serve; a plain address is taken too. Throws BAD_CONFIG for options that cannot be used. */
export function createLogClient(options: LogClientOptions | string): LogClient {
  const config = resolveLogClient(options)
  const requests = new LogRequests(config)

  const topics = new TopicDirectory(requests)
  const producers = new Set<LogProducer>()

  async function close({ timeoutMs = closeTimeoutMs }: { readonly timeoutMs?: number } = {}): Promise<void> {
    const untilMs = config.clock.now() + timeoutMs
    await Promise.all([...producers].map(producer => producer.close({ timeoutMs })))
    await requests.pool.close(Math.max(0, untilMs - config.clock.now()))
  }

  return {
    async createTopic(name, partitions = 1, given = none) {
      checkArguments(given, requestOptions, [textFault('name', name), wholeFault('partitions', partitions, 1)])
      const attempts = { ...given, isIdempotent: false }
      const topic = await requests.ask(logCall.createTopic, { name, partitions }, attempts)
      return { name, partitions: topic.partitions }
    },
    async deleteTopic(name, given = none) {
      checkArguments(given, requestOptions, [textFault('name', name)])
      return await requests.ask(logCall.deleteTopic, { name }, { ...given, isIdempotent: false })
    },
    async listTopics(given = none) {
      checkArguments(given, requestOptions, [])
      return await requests.ask(logCall.listTopics, {}, { ...given, isIdempotent: true })
    },
    async getOffset(partition, given = none) {
      checkArguments(given, requestOptions, [wholeFault('partition', partition)])
      return await requests.ask(logCall.getOffset, { partitionId: partition }, { ...given, isIdempotent: true })
    },
    healthCheck: (given = none) => requests.ask(logCall.healthCheck, none, { ...given, isIdempotent: true }),
    async produce(partition, messages, given = none) {
      const { acknowledgement = 'committed', producer } = given
      checkArguments(
        given,
        [...requestOptions, 'acknowledgement', 'producer'],
        [
          wholeFault('partition', partition),
          messagesFault(messages),
          acknowledgements.includes(acknowledgement)
            ? undefined
            : {
                path: 'acknowledgement',
                reason: `is ${show(acknowledgement)}, not one of ${acknowledgements.join(', ')}`,
              },
        ],
      )
      const nowMs = Math.floor(config.clock.now())
      const batch = encodeLogBatch(messages.map(message => toLogMessage(message, nowMs)))
      const content = { partitionId: partition, acknowledgement, producer, batch }
      return await requests.ask(logCall.produce, content, { ...given, isIdempotent: producer !== undefined })
    },
    async fetch(partition, offset, bytesMax, given = none) {
      checkArguments(
        given,
        [...requestOptions, 'longPoll'],
        [
          wholeFault('partition', partition),
          wholeFault('offset', offset, 0, Number.MAX_SAFE_INTEGER),
          wholeFault('bytesMax', bytesMax),
        ],
      )
      const { longPoll, timeoutMs = config.timeoutMs } = given
      const attempts = { ...given, timeoutMs: timeoutMs + (longPoll?.maxWaitMs ?? 0), isIdempotent: true }
      const content = { partitionId: partition, offset, maxBytes: bytesMax, longPoll }
      const { highWaterMark, entries } = await requests.ask(logCall.fetch, content, attempts)
      return { highWaterMark, messages: readLogEntries(entries).map(message => toConsumedMessage(partition, message)) }
    },
    producer(given = none) {
      const producer = createProducer(requests, topics, given)
      producers.add(producer)
      return producer
    },
    stats: () => requests.pool.figures(),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Throws what is wrong with the arguments of a request. */
function checkArguments(given: object, known: readonly string[], faults: readonly (OptionFault | undefined)[]): void {
  const found = faults.filter(fault => fault !== undefined)
  createFaults('', found).options('', given, known)
  if (found.length > 0) throw notSent(found)
}

function textFault(path: string, value: string): OptionFault | undefined {
  if (typeof value === 'string' && value !== '') return undefined
  return { path, reason: `is ${show(value)}, not a string that is not empty` }
}

function wholeFault(path: string, value: number, least = 0, most = 0xffff_ffff): OptionFault | undefined {
  if (Number.isInteger(value) && value >= least && value <= most) return undefined
  return { path, reason: `is ${show(value)}, not a whole number from ${least} to ${most}` }
}
