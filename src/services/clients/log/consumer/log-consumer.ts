/** A consumer, as its user has it: message by message or batch by batch. */
import { StarfishError } from '../../../../messages/errors.ts'
import { createFaults, type OptionFault, optionError, show } from '../../../../messages/option-faults.ts'
import { partitionsFault } from '../check-arguments.ts'
import { type FetchOptions, type FetchResult, fetchMessages } from '../fetch-messages.ts'
import type { LogRequests } from '../log-requests.ts'
import type { ConsumedMessage } from '../message.ts'
import type { TopicDirectory } from '../topic-directory.ts'
import type { ConsumedBatch } from './consumed-batch.ts'
import { type ConsumerOptions, resolveConsumer } from './consumer-options.ts'
import { type PartitionFigures, Reading } from './reading.ts'

/**
 * Reads a topic. Begins when the first message is asked for; `await using` closes it. One loop reads at a time.
 *
 * Messages of a partition come in order and once, those of several in turns of batches. What may be tried again is, without
 * end; whoever waits is rejected with what may not: OFFSET_OUT_OF_RANGE (unless `outOfRange` says where to go on),
 * PARTITION_NOT_FOUND, TOPIC_NOT_FOUND, REQUEST_REFUSED, REQUEST_ABORTED (by `signal`), CLIENT_CLOSED.
 */
export interface LogConsumer extends AsyncIterable<ConsumedMessage>, AsyncDisposable {
  /**
   * Message by message, until it is closed. A loop that is left can be taken up again by another. Rejects with REQUEST_REFUSED
   * while `eachBatch` reads.
   */
  [Symbol.asyncIterator](): AsyncIterator<ConsumedMessage, undefined>
  /**
   * Batch by batch, until it is closed; the next is handed out once `handle` has settled. When it fails so does this, and the
   * batch comes again to whoever reads next. Rejects with REQUEST_REFUSED while another reads, or a loop waits for a message.
   */
  eachBatch(handle: (batch: ConsumedBatch) => unknown): Promise<void>
  /**
   * Goes on at that offset of a partition; what was fetched ahead of it is thrown away. Throws PARTITION_NOT_FOUND for one that is
   * not read; before it is known which partitions the topic has, whoever reads is rejected with that. So do `pause` and `resume`.
   */
  seek(partition: number, offset: number): void
  /** Hands out and fetches nothing of these partitions, all unless told, until they are resumed. */
  pause(partitions?: readonly number[]): void
  resume(partitions?: readonly number[]): void
  /** One request, whatever the consumer does besides: messages of a partition from `offset` on. */
  fetch(partition: number, offset: number, bytesMax: number, options?: FetchOptions): Promise<FetchResult>
  /** By partition; empty before it has begun. */
  stats(): readonly PartitionFigures[]
  /** Ends it at once: a loop ends, what is in flight is aborted. */
  close(): Promise<void>
}

/** Creates the consumer of a client. Throws BAD_CONFIG. `whenOver` is called when it ends. */
export function createConsumer(
  requests: LogRequests,
  topics: TopicDirectory,
  options: ConsumerOptions,
  whenOver: () => void,
): LogConsumer {
  const config = resolveConsumer(options, requests.config.pool.silenceTimeoutMs)
  const { signal } = options
  const reading = new Reading(requests, topics, config, () => {
    signal?.removeEventListener('abort', abort)
    whenOver()
  })
  /** What a loop that was left has not handed out. */
  let rest: ConsumedBatch | undefined
  let at = 0
  /** Whether a loop waits for a batch: it may be given out, and not have come to the loop yet. */
  let isWaiting = false
  /** Whether `eachBatch` reads. */
  let isByBatch = false
  /** The message that was asked for last and has not come yet: who asks meanwhile comes behind. */
  let asked: Promise<unknown> | undefined

  function abort(): void {
    const text = `the consumer of topic ${config.topic} was aborted`
    reading.end(new StarfishError('REQUEST_ABORTED', text, { handled: 'no', cause: signal?.reason }))
  }

  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted) queueMicrotask(abort)

  function take(): ConsumedMessage {
    const message = rest!.messages[at++]!
    reading.passed(message.offset + 1)
    if (at === rest!.count) rest = undefined
    return message
  }

  async function takeNext(): Promise<IteratorResult<ConsumedMessage, undefined>> {
    if (rest !== undefined && !reading.isOver) return { done: false, value: take() }
    return withNext(batch => {
      if (batch === undefined) return { done: true, value: undefined }
      rest = batch
      at = 0
      return { done: false, value: take() }
    })
  }

  /** Waits for the next batch. `work` gets it in the moment in which it is known not to have been taken back. */
  async function withNext<T>(work: (batch: ConsumedBatch | undefined) => T | Promise<T>): Promise<T> {
    for (;;) {
      isWaiting = true
      let batch: ConsumedBatch | undefined
      try {
        batch = await reading.next()
      } finally {
        isWaiting = false
      }
      if (batch === undefined || reading.isInHand(batch)) return work(batch)
    }
  }

  function nextMessage(): Promise<IteratorResult<ConsumedMessage, undefined>> {
    if (isByBatch && !reading.isOver) return Promise.reject(alreadyRead('eachBatch reads it already'))
    if (asked === undefined && rest !== undefined && !reading.isOver) {
      return Promise.resolve({ done: false, value: take() })
    }
    const own = asked === undefined ? takeNext() : asked.then(takeNext, takeNext)
    const settle = () => {
      if (asked === own) asked = undefined
    }
    asked = own
    own.then(settle, settle)
    return own
  }

  const iterator: AsyncIterator<ConsumedMessage, undefined> = {
    next: nextMessage,
    return: () => Promise.resolve({ done: true, value: undefined }),
  }

  /** What a loop has left over, as a batch. */
  function takeRest(): ConsumedBatch | undefined {
    if (rest === undefined || reading.isOver) return undefined
    const left = rest.from(rest.baseOffset + at)
    rest = undefined
    return left
  }

  function alreadyRead(why: string): StarfishError {
    const text = `the consumer of topic ${config.topic} has one reader at a time: ${why}`
    return new StarfishError('REQUEST_REFUSED', text, { details: { topic: config.topic }, handled: 'no' })
  }

  async function close(): Promise<void> {
    reading.end()
  }

  return {
    [Symbol.asyncIterator]: () => iterator,
    async eachBatch(handle) {
      if (typeof handle !== 'function')
        refuseFault('eachBatch', { path: 'handle', reason: `is ${show(handle)}, not a function` })
      const handleOne = async (batch: ConsumedBatch | undefined): Promise<boolean> => {
        if (batch === undefined) return false
        try {
          await handle(batch)
        } catch (error) {
          reading.seek(batch.partition, batch.baseOffset, batch.skipped)
          throw error
        }
        reading.passed(batch.nextOffset)
        return true
      }
      if (!reading.isOver && isByBatch) throw alreadyRead('another eachBatch reads it already')
      if (!reading.isOver && asked !== undefined) throw alreadyRead('a loop waits for its next message')
      isByBatch = true
      try {
        for (let goesOn = true; goesOn; ) {
          const left = takeRest()
          goesOn = await (left === undefined ? withNext(handleOne) : handleOne(left))
        }
      } finally {
        isByBatch = false
      }
    },
    seek(partition, offset) {
      const faults = createFaults()
      faults.whole('partition', partition, 0, 0xffff_ffff)
      faults.whole('offset', offset, 0, Number.MAX_SAFE_INTEGER)
      faults.throwIfAny('BAD_CONFIG', 'seek')
      if (rest?.partition === partition) rest = undefined
      reading.seek(partition, offset)
    },
    pause(partitions) {
      if (partitions !== undefined) refuseFault('pause', partitionsFault('partitions', partitions))
      reading.setPaused(partitions, true)
      if (isWaiting) reading.takeBack(partitions)
      if (rest === undefined || partitions?.includes(rest.partition) === false) return
      // It is handed out again once it may be.
      reading.seek(rest.partition, rest.baseOffset + at)
      rest = undefined
    },
    resume(partitions) {
      if (partitions !== undefined) refuseFault('resume', partitionsFault('partitions', partitions))
      reading.setPaused(partitions, false)
    },
    fetch: (partition, offset, bytesMax, given) => fetchMessages(requests, partition, offset, bytesMax, given),
    stats: () => reading.figures(),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Throws BAD_CONFIG if there is a fault. */
function refuseFault(call: string, fault: OptionFault | undefined): void {
  if (fault !== undefined) throw optionError('BAD_CONFIG', call, [fault])
}
