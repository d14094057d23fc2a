/** The list of topics as it is answered: encoded once for each state that the topics have. */

import { StarfishError } from '../../../messages/errors.ts'
import { LOG_RESPONSE_HEADER_BYTES } from '../../../messages/log/codes.ts'
import { type EncodedTopics, encodeTopics } from '../../../messages/log/list-topics-v1.ts'
import type { Topic } from '../engine/contract.ts'

/** The list of one shard. */
export class TopicList {
  readonly #payloadBytesMax: number
  #topics: readonly Topic[] | undefined
  #encoded: EncodedTopics = encodeTopics([])

  /** `frameBytesMax` is the length that no answer may be beyond. */
  constructor(frameBytesMax: number) {
    this.#payloadBytesMax = frameBytesMax - LOG_RESPONSE_HEADER_BYTES
  }

  /** What `topics` are answered as; the array that was given last is not looked into again. @throws `STORAGE_FAILED`. */
  answerOf(topics: readonly Topic[]): EncodedTopics {
    if (topics !== this.#topics) {
      this.#encoded = encodeTopics(topics.map(({ name, partitionIds }) => ({ name, partitions: partitionIds })))
      this.#topics = topics
    }
    const { length } = this.#encoded.encoded
    if (length <= this.#payloadBytesMax) return this.#encoded
    const text = `the list of ${topics.length} topics has ${length} bytes, an answer at most ${this.#payloadBytesMax} (frameBytesMax)`
    throw new StarfishError('STORAGE_FAILED', text, {
      details: { topics: topics.length, bytes: length },
      handled: 'no',
    })
  }
}
