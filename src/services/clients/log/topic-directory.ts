/** Which partitions topics have, as far as the client has asked. What is known is used until a server says otherwise. */
import { StarfishError } from '../../../messages/errors.ts'
import type { LogTopic } from '../../../messages/log/list-topics-v1.ts'
import { logCall } from './log-calls.ts'
import type { LogRequests } from './log-requests.ts'
import type { PendingLog } from './pending-log.ts'

/** TOPIC_NOT_FOUND. */
export function topicNotFound(topic: string): StarfishError {
  return new StarfishError('TOPIC_NOT_FOUND', `there is no topic ${topic}`, { details: { topic }, handled: 'no' })
}

/** PARTITION_NOT_FOUND. */
export function partitionNotFound(topic: string, partition: number): StarfishError {
  const text = `topic ${topic} has no partition ${partition}`
  return new StarfishError('PARTITION_NOT_FOUND', text, { details: { topic, partition }, handled: 'no' })
}

/** The topics of a client. */
export class TopicDirectory {
  readonly #requests: LogRequests
  readonly #known = new Map<string, readonly number[]>()
  #asked: Promise<void> | undefined
  #pending: PendingLog | undefined

  constructor(requests: LogRequests) {
    this.#requests = requests
  }

  /** The ids of the partitions of a topic, if it is known. */
  partitionsOf(topic: string): readonly number[] | undefined {
    return this.#known.get(topic)
  }

  /** Asks a server unless it is known. Rejects with TOPIC_NOT_FOUND. */
  async lookUp(topic: string): Promise<readonly number[]> {
    if (!this.#known.has(topic)) await this.#ask()
    const partitions = this.#known.get(topic)
    if (partitions !== undefined && partitions.length > 0) return partitions
    throw topicNotFound(topic)
  }

  /** What the last attempt failed with, while topics are asked for. */
  get trouble(): StarfishError | undefined {
    return this.#pending?.lastFailure
  }

  /** Nobody waits any more for what is asked. */
  close(): void {
    if (this.#pending !== undefined) this.#requests.open.abort(this.#pending)
  }

  /** What was known of it is not true any more. */
  forget(topic: string): void {
    this.#known.delete(topic)
  }

  /** One request at a time, for all who want to know. */
  async #ask(): Promise<void> {
    this.#asked ??= this.#refresh().finally(() => {
      this.#asked = undefined
    })
    await this.#asked
  }

  async #refresh(): Promise<void> {
    const topics = await this.#list()
    this.#known.clear()
    for (const { name, partitions } of topics) this.#known.set(name, partitions)
  }

  async #list(): Promise<readonly LogTopic[]> {
    const { config, open } = this.#requests
    const { promise, resolve, reject } = Promise.withResolvers<readonly LogTopic[]>()
    const attempts = { timeoutMs: config.timeoutMs, isIdempotent: true }
    this.#pending = this.#requests.create(logCall.listTopics, {}, attempts, resolve, reject)
    open.open(this.#pending)
    try {
      return await promise
    } finally {
      this.#pending = undefined
    }
  }
}
