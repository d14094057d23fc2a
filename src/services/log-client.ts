import type { LogTopic } from '../messages/log/list-topics-v1.ts'
import type { ProduceResponse } from '../messages/log/produce-v1.ts'
import { topicLimits } from '../protocols/message-log/engine/contract.ts'
import { closeWaitMs, type ServerOption } from './clients/client-options.ts'
import type { ClientFigures } from './clients/connection-pool.ts'
import { checkFaults, topicFault, wholeFault } from './clients/log/check-arguments.ts'
import type { ConsumerOptions } from './clients/log/consumer/consumer-options.ts'
import { createConsumer, type LogConsumer } from './clients/log/consumer/log-consumer.ts'
import { type FetchOptions, type FetchResult, fetchMessages } from './clients/log/fetch-messages.ts'
import { logCall } from './clients/log/log-calls.ts'
import { type LogClientOptions, resolveLogClient } from './clients/log/log-client-options.ts'
import { type LogRequestOptions, LogRequests } from './clients/log/log-requests.ts'
import type { ProducerMessage } from './clients/log/message.ts'
import { type ProduceOptions, produceMessages } from './clients/log/produce-messages.ts'
import { createProducer, type LogProducer } from './clients/log/producer/log-producer.ts'
import type { ProducerOptions } from './clients/log/producer/producer-options.ts'
import { TopicDirectory } from './clients/log/topic-directory.ts'

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
  /**
   * Sends messages as one batch of one request; their `partition` does not count. They must not change until it is answered. A
   * producer batches, spreads and repeats for you.
   */
  produce(partition: number, messages: readonly ProducerMessage[], options?: ProduceOptions): Promise<ProduceResponse>
  /** Messages from `offset` on, up to `bytesMax` (each counts 8 more than its bytes, 16 of which it has anyway), one at least if there is one. */
  fetch(partition: number, offset: number, bytesMax: number, options?: FetchOptions): Promise<FetchResult>
  /** A producer: batches messages, spreads them over partitions, and resends without repeats. Throws BAD_CONFIG. */
  producer(options?: ProducerOptions): LogProducer
  /** A consumer: reads a topic, waiting for what is not there yet. Throws BAD_CONFIG. */
  consumer(options: ConsumerOptions): LogConsumer
  /** Counts, and what it holds now. */
  stats(): ClientFigures
  /**
   * Takes no further request, waits for those that are open for up to `timeoutMs` (5,000), rejects the rest with
   * CLIENT_CLOSED and closes every connection. Settles when no handle is left.
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>
}

const none = {}

/**
 * Creates a client of the log that `brokers` serve; an address alone (`host:port`, or what `start` of a server answers) is taken
 * too. Throws BAD_CONFIG for options that cannot be used.
 */
export function createLogClient(options: LogClientOptions | ServerOption): LogClient {
  const config = resolveLogClient(options)
  const requests = new LogRequests(config)

  const topics = new TopicDirectory(requests)
  const producers = new Set<LogProducer>()
  const consumers = new Set<LogConsumer>()

  async function close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    const timeoutMs = closeWaitMs(options)
    const untilMs = config.clock.now() + timeoutMs
    await Promise.all([...consumers].map(consumer => consumer.close()))
    await Promise.all([...producers].map(producer => producer.close({ timeoutMs })))
    topics.close()
    await requests.close(Math.max(0, untilMs - config.clock.now()))
  }

  return {
    async createTopic(name, partitions = 1, given) {
      checkFaults(topicFault('name', name), wholeFault('partitions', partitions, 1, topicLimits.partitionsMax))
      const topic = await requests.ask(logCall.createTopic, { name, partitions }, false, given)
      return { name, partitions: topic.partitions }
    },
    async deleteTopic(name, given) {
      checkFaults(topicFault('name', name))
      return await requests.ask(logCall.deleteTopic, { name }, false, given)
    },
    listTopics: given => requests.ask(logCall.listTopics, none, true, given),
    async getOffset(partition, given) {
      checkFaults(wholeFault('partition', partition))
      return await requests.ask(logCall.getOffset, { partitionId: partition }, true, given)
    },
    healthCheck: given => requests.ask(logCall.healthCheck, none, true, given),
    produce: (partition, messages, given) => produceMessages(requests, partition, messages, given),
    fetch: (partition, offset, bytesMax, given) => fetchMessages(requests, partition, offset, bytesMax, given),
    producer(given = none) {
      const producer = createProducer(requests, topics, given, () => producers.delete(producer))
      producers.add(producer)
      return producer
    },
    consumer(given) {
      const consumer = createConsumer(requests, topics, given, () => consumers.delete(consumer))
      consumers.add(consumer)
      return consumer
    },
    stats: () => requests.figures(),
    close,
    [Symbol.asyncDispose]: close,
  }
}
