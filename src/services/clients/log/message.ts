/** Messages as users write and read them, and their way into batches. */
import { type LogEntries, mapLogEntries } from '../../../messages/log/batch-v1.ts'
import { LOG_MESSAGE_BYTES_MIN, type LogMessage } from '../../../messages/log/message-v1.ts'
import { type OptionFault, show } from '../../../messages/option-faults.ts'

/** Bytes, a text that is sent as UTF-8, or nothing, which is not the same as an empty one. */
export type MessageBody = Uint8Array | string | null

/** A message to be produced. */
export interface ProducerMessage {
  /** What it is about: messages of one key go to one partition. Default null. */
  readonly key?: MessageBody
  readonly value: MessageBody
  /** Of the topic's partitions, the id. By key when left out; else whichever has the open batch. */
  readonly partition?: number
  /** Milliseconds since the epoch. Default now. */
  readonly timestamp?: number
}

/** A message that was fetched. Key and value are views of what was fetched at once: kept, they keep all of it in memory. */
export interface ConsumedMessage {
  /** Id of its partition. */
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** A message as it is now, whatever becomes of it. The bytes of key and value are still its sender's. */
export function takenMessage({ key = null, value, partition, timestamp }: ProducerMessage): ProducerMessage {
  const taken = { key, value, ...(partition === undefined ? {} : { partition }) }
  return timestamp === undefined ? taken : { ...taken, timestamp }
}

/** By a constructor: thousands live until they are answered, and V8 may make what literals make as old. */
class WrittenMessage implements LogMessage {
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null

  constructor(timestampMs: number, key: Uint8Array | null, value: Uint8Array | null) {
    this.timestampMs = timestampMs
    this.key = key
    this.value = value
  }
}

/** A message as the codec takes it. */
export function toLogMessage({ key = null, value, timestamp }: ProducerMessage, nowMs: number): LogMessage {
  return new WrittenMessage(timestamp ?? nowMs, bytesOf(key), bytesOf(value))
}

/** Bytes of a message as the codec writes it. */
export function producerMessageBytes({ key = null, value }: ProducerMessage): number {
  return LOG_MESSAGE_BYTES_MIN + lengthOf(key) + lengthOf(value)
}

function lengthOf(body: MessageBody): number {
  if (body === null) return 0
  return typeof body === 'string' ? Buffer.byteLength(body) : body.length
}

/** The messages of a fetch as their user takes them. */
export function readConsumed(partition: number, entries: LogEntries): ConsumedMessage[] {
  return mapLogEntries(entries, (offset, { timestampMs, key, value }) => {
    return { partition, offset, timestamp: timestampMs, key, value }
  })
}

function bytesOf(body: MessageBody): Uint8Array | null {
  return typeof body === 'string' ? Buffer.from(body) : body
}

/** What is wrong with a message, and with which field of it. */
interface MessageFault {
  readonly field: string
  readonly reason: string
}

function messageFault(message: ProducerMessage): MessageFault | undefined {
  if (typeof message !== 'object' || message === null) {
    return { field: '', reason: `is ${show(message)}, not a message such as { key: 'k', value: 'v' }` }
  }
  const { key, value, partition, timestamp } = message
  if (!isBody(value)) return { field: '.value', reason: bodyReason(value) }
  if (key !== undefined && !isBody(key)) return { field: '.key', reason: bodyReason(key) }
  if (partition !== undefined && !(typeof partition === 'number' && partition >>> 0 === partition)) {
    return { field: '.partition', reason: `is ${show(partition)}, not the id of a partition` }
  }
  if (timestamp !== undefined && !Number.isSafeInteger(timestamp)) {
    return { field: '.timestamp', reason: `is ${show(timestamp)}, not a whole number of ms` }
  }
  return undefined
}

function isBody(body: unknown): body is MessageBody {
  return typeof body === 'string' || body === null || body instanceof Uint8Array
}

function bodyReason(body: unknown): string {
  return `is ${show(body)}, not a Uint8Array, a string or null`
}

/** What is wrong with a list of messages, if anything is. */
export function messagesFault(messages: readonly ProducerMessage[]): OptionFault | undefined {
  if (!Array.isArray(messages)) return { path: 'messages', reason: `is ${show(messages)}, not a list of messages` }
  if (messages.length === 0) return { path: 'messages', reason: 'is an empty list' }
  for (let at = 0; at < messages.length; at++) {
    const fault = messageFault(messages[at])
    if (fault !== undefined) return { path: `messages[${at}]${fault.field}`, reason: fault.reason }
  }
  return undefined
}
