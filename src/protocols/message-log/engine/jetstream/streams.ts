/** Streams, as the engine asks for them: what is not there is undefined, what fails is `STORAGE_FAILED`. */
import { setTimeout as delay } from 'node:timers/promises'
import { JetStreamApiError, type JetStreamManager, type StoredMsg, type StreamInfo } from '@nats-io/jetstream'
import type { JetstreamConnection } from './connection.ts'
import { isStreamNotFound, jetstreamFault } from './jetstream-faults.ts'

/** Where a stream begins and ends. */
export interface StreamState {
  /** Sequence of the first message that is there. */
  readonly firstSequence: number
  /** Sequence of the last one that ever was there; 0 when none was. */
  readonly lastSequence: number
  /** Messages in it. */
  readonly messages: number
  /** As JetStream counts them, headers included. */
  readonly bytes: number
}

/** What a stream is made with. */
export interface StreamSpec {
  readonly name: string
  readonly subjects: string
  readonly description: string
  readonly replicas: number
  /** Only the last message of a subject is kept. */
  readonly lastOnly?: boolean
}

/** How long JetStream knows the ids of messages, so that one that is sent twice is stored once. Fences hold without it. */
const duplicateWindowMs = 10_000
const nanoseconds = 1_000_000
const nameInUse = 10_058
const subjectsOverlap = 10_065
/** How long a stream that another makes may take to appear, and between two looks at it, ms. */
const appearsWithinMs = 1_000
const lookAgainMs = 5

/** Questions to JetStream. Those that change something may be asked again: they settle on the same. */
export class Streams {
  readonly #connection: JetstreamConnection

  constructor(connection: JetstreamConnection) {
    this.#connection = connection
  }

  async state(stream: string): Promise<StreamState | undefined> {
    return stateOf(await this.#found(manager => manager.streams.info(stream)))
  }

  async description(stream: string): Promise<string | undefined> {
    return (await this.#found(manager => manager.streams.info(stream)))?.config.description
  }

  /** The message at a sequence; undefined when it is not there. */
  async message(stream: string, sequence: number): Promise<StoredMsg | undefined> {
    const message = await this.#found(manager => manager.streams.getMessage(stream, { seq: sequence }))
    return message ?? undefined
  }

  /** The last message of a subject. */
  async lastOf(stream: string, subject: string): Promise<StoredMsg | undefined> {
    const message = await this.#found(manager => manager.streams.getMessage(stream, { last_by_subj: subject }))
    return message ?? undefined
  }

  /** Makes a stream unless there is one of that name. */
  async ensure({ name, subjects, description, replicas, lastOnly = false }: StreamSpec): Promise<void> {
    try {
      await this.#connection.ask(
        manager =>
          manager.streams.add({
            name,
            subjects: [subjects],
            description,
            num_replicas: replicas,
            storage: 'file',
            discard: 'new',
            duplicate_window: duplicateWindowMs * nanoseconds,
            ...(lastOnly ? { max_msgs_per_subject: 1 } : {}),
          }),
        'unknown',
      )
    } catch (error) {
      const code = error instanceof JetStreamApiError ? error.code : undefined
      if (code === nameInUse || (code === subjectsOverlap && (await this.#appears(name)))) return
      throw jetstreamFault(error, this.#connection.store, 'unknown')
    }
  }

  /** Whether it is the stream itself that takes its subjects: another makes it at this moment. */
  async #appears(stream: string): Promise<boolean> {
    const giveUpAtMs = performance.now() + appearsWithinMs
    while (performance.now() < giveUpAtMs) {
      if ((await this.state(stream)) !== undefined) return true
      await delay(lookAgainMs)
    }
    return false
  }

  /** Removes a stream; nothing happens where there is none. */
  async remove(stream: string): Promise<void> {
    await this.#found(manager => manager.streams.delete(stream))
  }

  /** Removes the messages below a sequence. */
  async removeBelow(stream: string, sequence: number): Promise<void> {
    await this.#found(manager => manager.streams.purge(stream, { seq: sequence }))
  }

  /** The names of all streams that have such subjects. */
  async namesOf(subjects: string): Promise<string[]> {
    const names = await this.#found(async manager => {
      const found: string[] = []
      for await (const name of manager.streams.names(subjects)) found.push(name)
      return found
    })
    return names ?? []
  }

  async #found<T>(question: (manager: JetStreamManager) => Promise<T>): Promise<T | undefined> {
    try {
      return await this.#connection.ask(question)
    } catch (error) {
      if (isStreamNotFound(error)) return undefined
      throw jetstreamFault(error, this.#connection.store, 'no')
    }
  }
}

function stateOf(info: StreamInfo | undefined): StreamState | undefined {
  if (info === undefined) return undefined
  const { first_seq, last_seq, messages, bytes } = info.state
  return { firstSequence: first_seq, lastSequence: last_seq, messages, bytes }
}
