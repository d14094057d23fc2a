/**
 * Messages as they are produced, stored and fetched, version 1. Big-endian.
 *
 * ```
 * Produce carries a batch    count u32 | message message message …
 *                                      |   stored as it came, with its base offset beside it
 * Fetch carries entries      count u32 | offset u64 message | offset u64 message | …
 * ```
 *
 * What storage and fetch ask of the format, and get:
 * - **A batch is stored as it came.** It knows nothing of partition, offset or connection, so the bytes of the Produce are the
 *   bytes of the row: one copy out of the chunk ({@link copyLogBatch}), no decoding. The base offset is kept beside it, its
 *   messages have the offsets from there on. Whoever reads one back points a batch at the bytes: they were checked when they
 *   came in, so what follows walks them without checks.
 * - **A fetch joins batches.** {@link sliceLogBatches} says which messages of which batches go into an answer, before a byte
 *   of it is written. The size of a whole batch is known without looking into it (its bytes, and 8 for each message), so
 *   only the first, which may begin before the offset, and the last, which may not fit, are walked. The writer then copies each
 *   message once, straight into the output, behind its offset.
 * - **An answer has at least one message** if there is one, whatever `bytesMax` says: a consumer always gets on. That one
 *   message makes an answer up to 15 bytes longer than the Produce that brought it; see `judgeLogResponseHeader`.
 * - **A part of a batch** can be stored (status partial) by its first messages: {@link firstOfLogBatch}.
 */
import { StarfishError } from '../errors.ts'
import type { KnownSum } from '../wire/crc32-join.ts'
import { copyBytes, readU32, readU64, writeU32, writeU64 } from '../wire/in-place.ts'
import {
  endOfLogMessage,
  endOfLogMessageWithin,
  LOG_MESSAGE_BYTES_MIN,
  type LogMessage,
  type LogMessageView,
  logMessageBytes,
  passLogMessages,
  readLogMessage,
  writeLogMessage,
} from './message-v1.ts'
import type { PayloadReader } from './payload-reader.ts'

/** A batch: `bytes[start, end)` is `count u32 | message*`, at least one message, all whole. Valid as long as `bytes` is. */
export interface LogBatch {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly count: number
}

/** Entries: `bytes[start, end)` is `count u32 | (offset u64 | message)*`, all whole. Valid as long as `bytes` is. */
export interface LogEntries {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly count: number
}

/** A message of entries. */
export interface FetchedMessage extends LogMessageView {
  readonly offset: number
}

/** A batch in its place in a partition. */
export interface StoredLogBatch {
  /** Offset of its first message. */
  readonly baseOffset: number
  readonly batch: LogBatch
}

/** Messages of a stored batch that are one behind the other: `bytes[start, end)` is `message*`. */
export interface LogSlice {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly count: number
  /** Offset of the first of them. */
  readonly offset: number
  /** CRC-32 of each of them, where that is known. */
  readonly sums?: Uint32Array | undefined
}

const offsetBytes = 8

/** Encodes messages, at least one; `BAD_FRAME` when a field does not fit. */
export function encodeLogBatch(messages: readonly LogMessage[]): LogBatch {
  let size = 4
  for (const message of messages) size += logMessageBytes(message)
  const bytes = Buffer.allocUnsafe(size)
  writeU32(bytes, 0, messages.length)
  let at = 4
  for (const message of messages) at = writeLogMessage(bytes, at, message)
  return { bytes, start: 0, end: size, count: messages.length }
}

/** A batch in bytes that hold nothing else and are known to be one: a row of a store, or the copy of a batch. */
export function logBatchOf(bytes: Buffer): LogBatch {
  return { bytes, start: 0, end: bytes.length, count: readU32(bytes, 0) }
}

/** A batch of its own bytes, to be kept, or transferred to another thread. */
export function copyLogBatch({ bytes, start, end, count }: LogBatch): LogBatch {
  const copy = Buffer.from(new ArrayBuffer(end - start))
  bytes.copy(copy, 0, start, end)
  return { bytes: copy, start: 0, end: copy.length, count }
}

/** The first `count` messages of a batch, at least one, as a batch of their own bytes. */
export function firstOfLogBatch({ bytes, start }: LogBatch, count: number): LogBatch {
  let end = start + 4
  for (let left = count; left > 0; left--) end = endOfLogMessage(bytes, end)
  const first = copyLogBatch({ bytes, start, end, count })
  writeU32(first.bytes, 0, count)
  return first
}

/** The messages of a batch: views of its bytes. */
export function readLogBatch({ bytes, start, count }: LogBatch): LogMessageView[] {
  const messages: LogMessageView[] = new Array(count)
  for (let index = 0, at = start + 4; index < count; index++, at = endOfLogMessage(bytes, at)) {
    messages[index] = readLogMessage(bytes, at)
  }
  return messages
}

/** The messages of entries: views of their bytes. */
export function readLogEntries(entries: LogEntries): FetchedMessage[] {
  return mapLogEntries(entries, (offset, { timestampMs, key, value }) => ({ offset, timestampMs, key, value }))
}

/** The first offset of entries that is not the one behind the one before it; the first of all is to be `first`. */
export function offsetOutOfStep({ bytes, start, count }: LogEntries, first: number): number | undefined {
  for (let done = 0, at = start + 4; done < count; done++, at = endOfLogMessage(bytes, at + offsetBytes)) {
    const offset = readU64(bytes, at)
    if (offset !== first + done) return offset
  }
  return undefined
}

/** What `make` makes of each message of entries, a view of their bytes, and its offset. */
export function mapLogEntries<T>(
  { bytes, start, count }: LogEntries,
  make: (offset: number, message: LogMessageView) => T,
): T[] {
  const made: T[] = []
  for (let left = count, at = start + 4; left > 0; left--) {
    made.push(make(readU64(bytes, at), readLogMessage(bytes, at + offsetBytes)))
    at = endOfLogMessage(bytes, at + offsetBytes)
  }
  return made
}

/** Reads `count u32 | message*`, count at least 1. */
export function takeLogBatch(reader: PayloadReader): LogBatch {
  return takeMessages(reader, 0, 1)
}

/** Reads `count u32 | (offset u64 | message)*`; an offset above 2^53 - 1 is refused. */
export function takeLogEntries(reader: PayloadReader): LogEntries {
  const entries = takeMessages(reader, offsetBytes, 0)
  if (reader.fault === undefined) checkOffsets(reader, entries)
  return entries
}

function takeMessages(reader: PayloadReader, prefixBytes: number, countMin: 0 | 1): LogBatch {
  const { bytes, at: start } = reader
  const count = reader.count('count', prefixBytes + LOG_MESSAGE_BYTES_MIN, countMin)
  passLogMessages(reader, count, prefixBytes)
  return { bytes, start, end: reader.at, count }
}

function checkOffsets(reader: PayloadReader, { bytes, start, count }: LogEntries): void {
  for (let left = count, at = start + 4; left > 0; left--, at = endOfLogMessage(bytes, at + offsetBytes)) {
    if (readU64(bytes, at) > Number.MAX_SAFE_INTEGER) reader.refuse('offset', at, 'offset is above 2^53 - 1')
  }
}

/**
 * The messages from `offset` on that an answer carries: as many as fit `bytesMax` as entries (8 bytes more than the message),
 * and at least one. `stored` has batches one behind the other, the first of which holds `offset`; it is not asked for
 * more than are needed.
 */
export function sliceLogBatches(stored: Iterable<StoredLogBatch>, offset: number, bytesMax: number): LogSlice[] {
  const slices: LogSlice[] = []
  let room = bytesMax
  for (const { baseOffset, batch } of stored) {
    const slice = sliceOf(batch, baseOffset, Math.max(0, offset - baseOffset), room, slices.length === 0)
    if (slice.count > 0) slices.push(slice)
    room -= bytesOfSlice(slice)
    if (slice.offset + slice.count < baseOffset + batch.count || room < offsetBytes + LOG_MESSAGE_BYTES_MIN) break
  }
  return slices
}

function sliceOf(batch: LogBatch, baseOffset: number, skip: number, room: number, isFirst: boolean): LogSlice {
  const { bytes, count } = batch
  let start = batch.start + 4
  for (let left = skip; left > 0; left--) start = endOfLogMessage(bytes, start)
  const whole = { bytes, start, end: batch.end, count: count - skip, offset: baseOffset + skip }
  if (bytesOfSlice(whole) <= room) return whole
  let taken = 0
  let end = start
  for (let at = start; taken < whole.count; taken++) {
    at = endOfLogMessage(bytes, at)
    const fits = at - start + (taken + 1) * offsetBytes <= room
    if (!fits && !(isFirst && taken === 0)) break
    end = at
  }
  return { ...whole, end, count: taken }
}

function bytesOfSlice({ start, end, count }: LogSlice): number {
  return end - start + count * offsetBytes
}

/** Bytes of slices as entries, their count included. */
export function entriesBytes(slices: readonly LogSlice[]): number {
  return slices.reduce((sum, slice) => sum + bytesOfSlice(slice), 4)
}

/** Writes slices as entries; returns where they end. @throws `BAD_FRAME` when a slice is not as many whole messages as it says. */
export function writeLogEntries(target: Buffer, from: number, slices: readonly LogSlice[]): number {
  let count = 0
  let at = from + 4
  for (const slice of slices) {
    at = writeSlice(target, at, slice)
    count += slice.count
  }
  writeU32(target, from, count)
  return at
}

const noSums: readonly KnownSum[] = []

/** The messages of entries that were written to `from` whose sums are known. */
export function knownEntrySums(from: number, slices: readonly LogSlice[]): readonly KnownSum[] {
  if (slices.every(({ sums }) => sums === undefined)) return noSums
  const known: KnownSum[] = []
  let at = from + 4
  for (const { bytes, start: sliceStart, end: sliceEnd, count, sums } of slices) {
    const sliceAt = at
    at += sliceEnd - sliceStart + count * offsetBytes
    if (sums === undefined) continue
    let source = sliceStart
    for (let done = 0; done < count; done++) {
      const messageEnd = endOfLogMessage(bytes, source)
      const start = sliceAt + source - sliceStart + (done + 1) * offsetBytes
      known.push({ start, end: start + messageEnd - source, sum: sums[done]! })
      source = messageEnd
    }
  }
  return known
}

/** Looks at each length: what is not written here would be what another answer left in the buffer. */
function writeSlice(target: Buffer, from: number, slice: LogSlice): number {
  const { bytes, start, end: sliceEnd, count, offset } = slice
  let at = from
  let source = start
  for (let done = 0; done < count; done++) {
    const end = endOfLogMessageWithin(bytes, source, sliceEnd)
    if (end < 0) throw notWhole(offset + done)
    writeU64(target, at, offset + done)
    copyBytes(bytes, source, end, target, at + offsetBytes)
    at += offsetBytes + end - source
    source = end
  }
  if (source !== sliceEnd) throw notWhole(offset + count)
  return at
}

function notWhole(offset: number): StarfishError {
  const details = { message: 'stored messages', field: 'message', offset }
  return new StarfishError('BAD_FRAME', `the stored message at offset ${offset} is not whole`, { details })
}
