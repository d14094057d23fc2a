/**
 * The cursors of those who read: one that has read to an offset is kept there, with what it brought too much, for the read that goes
 * on from it.
 */
import { endOfLogMessageWithin } from '../../../../messages/log/message-v1.ts'
import type { StoredBatch } from '../contract.ts'
import { storageFailed } from '../engine-errors.ts'
import type { JetstreamConnection } from './connection.ts'
import { Cursor, cursorLifeMs, type PulledMessage } from './cursor.ts'
import type { StreamState } from './streams.ts'

/** Cursors that are kept, and how long. JetStream keeps them longer, so that one that is taken is there. */
const keptMax = 64
const keptMs = cursorLifeMs / 2
/** What a cursor may hold of messages that nobody asked for yet. */
const aheadBytesMax = 1_048_576
/** A pull may bring so much, however little is asked for. */
const pullBytesMin = 262_144
/** Room for the subject and the headers of the largest message. */
const overheadBytes = 65_536
const pullCountMax = 16_384
/** The offset that travels with every fetched message. */
const offsetBytes = 8

interface Place {
  readonly cursor: Cursor
  readonly stream: string
  /** Brought, and not asked for yet. */
  ahead: readonly PulledMessage[]
  usedMs: number
}

/** All of one connection. */
export class ReadCursors {
  readonly #connection: JetstreamConnection
  readonly #places = new Set<Place>()
  readonly #stop: () => void

  constructor(connection: JetstreamConnection) {
    this.#connection = connection
    // JetStream may have lost them too.
    this.#stop = connection.onLost(() => this.#forget())
  }

  /**
   * Messages from `offset` on as one batch, as many as are in `maxBytes` or more; undefined when the first of them is not there.
   * There is one by `state`. @throws what JetStream throws; `STORAGE_FAILED`, `corrupt`, when the first is no message of a log.
   */
  async read(stream: string, offset: number, maxBytes: number, state: StreamState): Promise<StoredBatch | undefined> {
    const sequence = offset + 1
    const place = this.#taken(stream, sequence) ?? (await this.#opened(stream, sequence))
    try {
      return this.#settle(place, await this.#found(place, maxBytes, state), sequence, maxBytes)
    } catch (error) {
      this.#drop(place)
      throw error
    }
  }

  close(): void {
    this.#stop()
    this.#forget()
  }

  async #found(place: Place, maxBytes: number, state: StreamState): Promise<PulledMessage[]> {
    const found: PulledMessage[] = [...place.ahead]
    let bytes = found.reduce((sum, { payload }) => sum + payload.length + offsetBytes, 0)
    while (bytes < maxBytes || found.length === 0) {
      const left = state.lastSequence - place.cursor.nextSequence + 1
      if (left <= 0) break
      const average = found.length > 0 ? bytes / found.length : state.bytes / Math.max(1, state.messages)
      const more = await place.cursor.pull({
        count: Math.min(left, pullCountMax, Math.ceil((maxBytes - bytes) / Math.max(1, average)) + 1),
        bytesMax: Math.max(2 * (maxBytes - bytes), pullBytesMin, this.#connection.payloadBytesMax + overheadBytes),
        waitMs: this.#connection.requestTimeoutMs,
      })
      if (more.length === 0) break
      for (const { payload } of more) bytes += payload.length + offsetBytes
      found.push(...more)
    }
    return found
  }

  /** Keeps the cursor at the end of what the read takes. */
  #settle(place: Place, found: PulledMessage[], from: number, maxBytes: number): StoredBatch | undefined {
    let taken = 0
    let bytes = 0
    for (const [index, { sequence, payload }] of found.entries()) {
      bytes += payload.length + offsetBytes
      if (sequence !== from + index || (bytes > maxBytes && taken > 0)) break
      if (!isOneMessage(payload)) {
        if (taken === 0) throw this.#corrupt(place, sequence)
        break
      }
      taken++
    }
    this.#keep(place, found.slice(taken))
    if (taken === 0) return undefined
    const messages = Buffer.concat(found.slice(0, taken).map(({ payload }) => payload))
    return { baseOffset: from - 1, count: taken, messages }
  }

  #corrupt({ stream }: Place, sequence: number): Error {
    const text = `${stream} is corrupt at offset ${sequence - 1}: what is stored there is no message of a log`
    return storageFailed('corrupt', this.#connection.store, text, 'no')
  }

  async #opened(stream: string, sequence: number): Promise<Place> {
    const cursor = await Cursor.open(this.#connection, stream, sequence)
    return { cursor, stream, ahead: [], usedMs: 0 }
  }

  #taken(stream: string, sequence: number): Place | undefined {
    const nowMs = performance.now()
    for (const place of [...this.#places]) {
      if (nowMs - place.usedMs > keptMs) this.#drop(place)
      else if (place.stream === stream && sequenceOf(place) === sequence) {
        this.#places.delete(place)
        return place
      }
    }
    return undefined
  }

  #keep(place: Place, ahead: readonly PulledMessage[]): void {
    if (ahead.reduce((sum, { payload }) => sum + payload.length, 0) > aheadBytesMax) {
      this.#drop(place)
      return
    }
    place.ahead = ahead
    place.usedMs = performance.now()
    this.#places.add(place)
    const [oldest] = this.#places
    if (this.#places.size > keptMax && oldest !== undefined) this.#drop(oldest)
  }

  #drop(place: Place): void {
    this.#places.delete(place)
    place.cursor.close()
  }

  #forget(): void {
    for (const place of [...this.#places]) this.#drop(place)
  }
}

/** Nobody keeps others from publishing to the stream. */
function isOneMessage(payload: Uint8Array): boolean {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  return endOfLogMessageWithin(bytes, 0, bytes.length) === bytes.length
}

function sequenceOf({ ahead, cursor }: Place): number {
  return ahead[0]?.sequence ?? cursor.nextSequence
}
