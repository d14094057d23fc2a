/**
 * Messages that are sent one behind the other without waiting, each on the condition that it comes right behind the one before it:
 *
 * ```
 * first   Nats-Expected-Last-Sequence: 41
 * second  Nats-Expected-Last-Sequence: 42 | Nats-Expected-Last-Msg-Id: <id of the first>
 * third   Nats-Expected-Last-Sequence: 43 | Nats-Expected-Last-Msg-Id: <id of the second>
 * ```
 * The sequence keeps base offsets true; the id sees to it that when a message is refused none behind it is stored in the place of
 * another node's. So what is stored is the beginning of the chain, and the answer to one message is the answer to all before
 * it: only some ask for one.
 *
 * @see https://docs.nats.io/nats-concepts/jetstream/headers
 */
import { headers, type MsgHdrs } from '@nats-io/transport-node'
import type { AppendEntry } from './append-entry.ts'
import { ChainFlight, type ChainOutcome } from './chain-flight.ts'
import type { JetstreamConnection } from './connection.ts'
import { jetstreamFault } from './jetstream-faults.ts'
import { packAnswers } from './packed-answers.ts'
import type { Producers } from './producers.ts'
import type { PublishAnswers } from './publish-answers.ts'
import { answersHeader, encodeRecord, recordHeader } from './stored-record.ts'

/** The end of a partition. */
export interface PartitionEnd {
  readonly sequence: number
  /** Batches that it ever had. */
  readonly batch: number
  /** Bytes of all messages that it ever had. */
  readonly endBytes: number
}

/** A message in so many asks for an answer, and one in so many bytes. */
const answerEvery = 256
const answerEveryBytes = 1_048_576
/** Messages and bytes that are sent beyond the last answer. */
const windowMessages = 4_096
const windowBytes = 8_388_608

interface Link {
  readonly entry: AppendEntry
  readonly index: number
  readonly id: string
  readonly payload: Uint8Array
}

/** One chain. It is sent once. */
export class AppendChain {
  readonly entries: readonly AppendEntry[]
  /** The sequence before its first message. */
  readonly startSequence: number
  readonly #links: Link[] = []
  /** Bytes sent, up to each message. */
  readonly #bytesUpTo: number[] = []
  readonly #nowMs: number
  #end: PartitionEnd

  /** `end`: behind which it goes. Gives places to entries that have none. */
  constructor(entries: readonly AppendEntry[], end: PartitionEnd, nowMs: number) {
    this.entries = entries
    this.startSequence = end.sequence
    this.#nowMs = Math.trunc(nowMs)
    this.#end = end
    let sequence = end.sequence
    for (const entry of entries) {
      entry.baseOffset ??= sequence
      for (let index = entry.stored; index < entry.count; index++) {
        this.#links.push({
          entry,
          index,
          id: `${entry.batchId}.${index.toString(36)}`,
          payload: entry.messages[index]!,
        })
      }
      sequence = entry.baseOffset + entry.count
    }
  }

  /** Messages in it. */
  get length(): number {
    return this.#links.length
  }

  /** The end of the partition, once all is stored. */
  get end(): PartitionEnd {
    return this.#end
  }

  /** The id of a message of it. */
  idOf(index: number): string {
    return this.#links[index]!.id
  }

  /** Sends it; resolves when its fate is known, or nothing is heard for the time of a request. */
  async send(to: ChainTarget): Promise<ChainOutcome> {
    const flight = new ChainFlight(this.length, to.connection, to.answers)
    try {
      const asking = { at: 0, bytes: 0 }
      let sentBytes = 0
      let sent = 0
      while (flight.outcome === undefined) {
        if (sent === this.length || this.#isFull(sent, sentBytes, flight.answered)) {
          await flight.changed()
          continue
        }
        const { entry, payload } = this.#links[sent]!
        sentBytes += payload.length
        this.#bytesUpTo[sent] = sentBytes
        const due = sent - asking.at >= answerEvery || sentBytes - asking.bytes >= answerEveryBytes
        const asks = due || entry.careful || sent + 1 === this.length
        const reply = asks ? { reply: flight.ask(sent) } : {}
        if (asks) Object.assign(asking, { at: sent, bytes: sentBytes })
        to.connection.publish(to.subjectOf(entry), payload, { headers: this.#headersOf(sent, to.producers), ...reply })
        sent++
      }
      return flight.outcome
    } catch (error) {
      return { type: 'unknown', error: jetstreamFault(error, to.connection.store, 'unknown') }
    } finally {
      flight.end()
    }
  }

  #isFull(sent: number, sentBytes: number, answered: number): boolean {
    if (sent - answered >= windowMessages) return true
    return sent > answered && sentBytes - (this.#bytesUpTo[answered - 1] ?? 0) >= windowBytes
  }

  /** Its place in the partition is given here: once, in order. */
  #headersOf(at: number, producers: Producers): MsgHdrs {
    const { entry, index, id, payload } = this.#links[at]!
    const { sequence, batch, endBytes } = this.#end
    const { producer } = entry.request
    this.#end = { sequence: sequence + 1, batch: index === 0 ? batch + 1 : batch, endBytes: endBytes + payload.length }
    const head = headers()
    head.append('Nats-Msg-Id', id)
    head.append('Nats-Expected-Last-Sequence', String(sequence))
    if (at > 0) head.append('Nats-Expected-Last-Msg-Id', this.#links[at - 1]!.id)
    const place = { index, count: entry.count, storedMs: this.#nowMs, sequence: producer?.sequence }
    head.append(recordHeader, encodeRecord({ ...place, batch: this.#end.batch, endBytes: this.#end.endBytes }))
    if (producer === undefined) return head
    if (index === 0) head.append(answersHeader, packAnswers(producers.get(producer.id)?.answers ?? []))
    if (index + 1 < entry.count) return head
    const answer = { sequence: producer.sequence, baseOffset: entry.baseOffset!, stored: entry.count }
    producers.keep(producer.id, answer, this.#nowMs)
    return head
  }
}

/** Where a chain is sent. */
export interface ChainTarget {
  readonly connection: Pick<JetstreamConnection, 'store' | 'requestTimeoutMs' | 'onLost' | 'publish'>
  readonly answers: PublishAnswers
  readonly producers: Producers
  subjectOf(entry: AppendEntry): string
}
