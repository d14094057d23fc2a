/**
 * A producer: spreads messages over the partitions of their topic, batches them, and resends so that nothing is stored twice.
 *
 * ```
 *   send ─> line ── topic known, room ──> lanes, one for each partition ─> requests
 *    └─ delivery <── stored, given up ──────┘
 * ```
 */
import type { OptionFault } from '../../../../messages/option-faults.ts'
import { closeWaitMs, notSent } from '../../client-options.ts'
import { optionsFault, signalFault, topicFault } from '../check-arguments.ts'
import type { LogRequests } from '../log-requests.ts'
import { messagesFault, type ProducerMessage } from '../message.ts'
import type { TopicDirectory } from '../topic-directory.ts'
import { notTaken, type SentMessage } from './delivery.ts'
import { type ProducerOptions, resolveProducer } from './producer-options.ts'
import { type ProducerFigures, SendDesk } from './send-desk.ts'

/** What {@link LogProducer.send} takes. */
export interface Sending {
  /** Name of the topic, which has to be there. */
  readonly topic: string
  /** At least one. They are taken as they are at the call, but for the bytes of keys and values, which must not change before the answer. */
  readonly messages: readonly ProducerMessage[]
}

/** Produces messages. `await using` closes it. */
export interface LogProducer extends AsyncDisposable {
  /**
   * Stores messages: those with a key in the partition of the key (murmur2, as Kafka's clients), those without where a batch is
   * being filled, unless they name one. Answers where each is. Messages to one partition are stored in the order of the sends.
   *
   * Rejects by the deadline at the latest with a StarfishError: those of a request, TOPIC_NOT_FOUND, PARTITION_NOT_FOUND,
   * OVERLOADED (too many sends wait), BAD_CONFIG. `handled` is `no` when none of the messages can have been stored;
   * `details.sent` tells of each message where it certainly is, or null. `signal` ends the waiting: messages that are in a batch
   * are sent all the same.
   */
  send(sending: Sending, options?: { readonly signal?: AbortSignal }): Promise<readonly SentMessage[]>
  /** Resolves when the next send need not wait in line. For those who do not wait for each send to be answered. */
  ready(): Promise<void>
  /** Sends what is gathered without lingering; resolves when nothing is held any more. */
  flush(): Promise<void>
  /** What it holds now. */
  stats(): ProducerFigures
  /** Takes no further send, flushes for up to `timeoutMs` (5,000), and rejects with CLIENT_CLOSED what is open then. */
  close(options?: { readonly timeoutMs?: number }): Promise<void>
}

/** Creates the producer of a client. Throws BAD_CONFIG. `whenOver` is called when it is closed. */
export function createProducer(
  requests: LogRequests,
  topics: TopicDirectory,
  options: ProducerOptions,
  whenOver: () => void,
): LogProducer {
  const desk = new SendDesk(requests, topics, resolveProducer(options, requests.config.frameBytesMax))
  const close: LogProducer['close'] = async (options = {}) => {
    await desk.close(closeWaitMs(options, 'producer')).finally(whenOver)
  }
  return {
    send: (sending, options = none) =>
      new Promise((resolve, reject) => {
        const fault = sendingFault(sending) ?? (options === none ? undefined : sendOptionsFault(options))
        if (fault === undefined) desk.send(sending.topic, sending.messages, options.signal, resolve, reject)
        else reject(notTaken(notSent([fault]), Array.isArray(sending?.messages) ? sending.messages.length : 0))
      }),
    ready: () => desk.ready(),
    flush: () => desk.flush(),
    stats: () => desk.figures(),
    close,
    [Symbol.asyncDispose]: close,
  }
}

interface SendOptions {
  readonly signal?: AbortSignal
}

const none: SendOptions = {}

function sendOptionsFault(options: SendOptions): OptionFault | undefined {
  return optionsFault(options, ['signal'], 'options') ?? signalFault(options.signal)
}

const sendingNames = ['topic', 'messages']

function sendingFault(sending: Sending): OptionFault | undefined {
  const fault = optionsFault(sending, sendingNames)
  if (fault !== undefined) return fault
  return topicFault('topic', sending.topic) ?? messagesFault(sending.messages)
}
