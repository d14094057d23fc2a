/**
 * What is kept beside each message in its headers: its place in its batch, and sums that make retention a matter of a few looks.
 *
 * ```
 * Nats-Msg-Id                <id of the batch>.<index>: a message that is sent twice is stored once
 * Starfish-Batch             index count storedMs batch endBytes [sequence]      each in base 36
 * Starfish-Answers           answers to the producer before this batch, packed: with index 0
 * ```
 */
import type { MsgHdrs } from '@nats-io/transport-node'

/** The place of a message. */
export interface StoredRecord {
  /** In its batch, from 0. */
  readonly index: number
  /** Messages of its batch. */
  readonly count: number
  /** By the clock of the engine. */
  readonly storedMs: number
  /** Batches that the partition ever had, this one too. */
  readonly batch: number
  /** Bytes of all messages that the partition ever had, this one too. */
  readonly endBytes: number
  /** Of its producer, if it has one. */
  readonly sequence: number | undefined
}

/** The headers that hold it. */
export const recordHeader = 'Starfish-Batch'
export const answersHeader = 'Starfish-Answers'

const radix = 36

/** @see StoredRecord */
export function encodeRecord({ index, count, storedMs, batch, endBytes, sequence }: StoredRecord): string {
  const fields = [index, count, storedMs, batch, endBytes, ...(sequence === undefined ? [] : [sequence])]
  return fields.map(field => field.toString(radix)).join(' ')
}

/** Undefined for what no engine wrote. */
export function decodeRecord(headers: MsgHdrs | undefined): StoredRecord | undefined {
  const fields = headers?.get(recordHeader).split(' ') ?? []
  const numbers = fields.map(field => Number.parseInt(field, radix))
  if (numbers.length < 5 || numbers.some(Number.isNaN)) return undefined
  const [index, count, storedMs, batch, endBytes, sequence] = numbers as [
    number,
    number,
    number,
    number,
    number,
    number?,
  ]
  return { index, count, storedMs, batch, endBytes, sequence }
}
