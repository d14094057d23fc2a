/** Which partitions topics have, as far as the client has asked. What is known is used until a server says otherwise. */
import { StarfishError } from '../../../messages/errors.ts'
import { logCall } from './log-calls.ts'
import type { LogRequests } from './log-requests.ts'

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
    const topics = await this.#requests.ask(logCall.listTopics, {}, true)
    this.#known.clear()
    for (const { name, partitions } of topics) this.#known.set(name, partitions)
  }
}
