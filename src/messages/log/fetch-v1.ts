/**
 * Fetch, version 1: messages of a partition from an offset on. Big-endian.
 *
 * | request field | size                                                        |
 * |---------------|-------------------------------------------------------------|
 * | partitionId   | u32                                                         |
 * | offset        | u64                                                         |
 * | maxBytes      | u32, of `(offset u64 \| message)*`; one message may be more |
 * | maxWaitMs     | u32, with flag longPoll                                     |
 * | minBytes      | u32, with flag longPoll                                     |
 *
 * | response field            | size                                           |
 * |---------------------------|------------------------------------------------|
 * | partitionId               | u32                                            |
 * | highWaterMark             | u64, the offset that the next message gets     |
 * | count                     | u32                                            |
 * | (offset u64 \| message)*  | see message-v1.ts                              |
 */
import { checkField } from '../wire/check-field.ts'
import { writeU32, writeU64 } from '../wire/in-place.ts'
import {
  entriesBytes,
  knownEntrySums,
  type LogEntries,
  type LogSlice,
  takeLogEntries,
  writeLogEntries,
} from './batch-v1.ts'
import { LOG_VERSION, logFlag, logType } from './codes.ts'
import { type LogOperation, plainOperation } from './operation.ts'

/** Wait for messages rather than answer without. */
export interface LongPoll {
  /** How long. */
  readonly maxWaitMs: number
  /** Until there are so many bytes of `(offset u64 | message)*`. */
  readonly minBytes: number
}

/** A Fetch as its sender means it. */
export interface FetchRequest {
  readonly partitionId: number
  /** Reads as a number above 2^53 - 1 when it is: no partition has such an offset. */
  readonly offset: number
  /** Bytes of `(offset u64 | message)*` at most, but for a single message. */
  readonly maxBytes: number
  readonly longPoll?: LongPoll | undefined
}

/** What a server answers to a Fetch: messages out of stored batches. */
export interface FetchAnswer {
  readonly partitionId: number
  readonly highWaterMark: number
  readonly slices: readonly LogSlice[]
}

/** What a client reads of it. */
export interface FetchResponse {
  readonly partitionId: number
  /** The offset that the next message gets. */
  readonly highWaterMark: number
  readonly entries: LogEntries
}

const u32Max = 0xffff_ffff
const requestName = 'Fetch request'
const responseName = 'Fetch response'

export const fetchV1: LogOperation<FetchRequest, FetchAnswer, FetchResponse> = {
  ...plainOperation,
  name: 'Fetch',
  type: logType.fetch,
  version: LOG_VERSION,
  flags: logFlag.longPoll,

  flagsOf: ({ longPoll }) => (longPoll === undefined ? 0 : logFlag.longPoll),
  requestBytes({ partitionId, offset, maxBytes, longPoll }) {
    checkField(requestName, 'partitionId', partitionId, u32Max)
    checkField(requestName, 'offset', offset, Number.MAX_SAFE_INTEGER)
    checkField(requestName, 'maxBytes', maxBytes, u32Max)
    if (longPoll === undefined) return 16
    checkField(requestName, 'maxWaitMs', longPoll.maxWaitMs, u32Max)
    checkField(requestName, 'minBytes', longPoll.minBytes, u32Max)
    return 24
  },
  writeRequest(target, at, { partitionId, offset, maxBytes, longPoll }) {
    writeU32(target, at, partitionId)
    writeU64(target, at + 4, offset)
    writeU32(target, at + 12, maxBytes)
    if (longPoll === undefined) return
    writeU32(target, at + 16, longPoll.maxWaitMs)
    writeU32(target, at + 20, longPoll.minBytes)
  },
  readRequest(reader, flags) {
    const partitionId = reader.u32('partitionId')
    const offset = reader.u64('offset')
    const maxBytes = reader.u32('maxBytes')
    if ((flags & logFlag.longPoll) === 0) return { partitionId, offset, maxBytes }
    const longPoll = { maxWaitMs: reader.u32('maxWaitMs'), minBytes: reader.u32('minBytes') }
    return { partitionId, offset, maxBytes, longPoll }
  },

  answerBytes({ partitionId, highWaterMark, slices }) {
    checkField(responseName, 'partitionId', partitionId, u32Max)
    checkField(responseName, 'highWaterMark', highWaterMark, Number.MAX_SAFE_INTEGER)
    return 12 + entriesBytes(slices)
  },
  writeAnswer(target, at, { partitionId, highWaterMark, slices }) {
    writeU32(target, at, partitionId)
    writeU64(target, at + 4, highWaterMark)
    writeLogEntries(target, at + 12, slices)
  },
  knownSums: (at, { slices }) => knownEntrySums(at + 12, slices),
  readResponse(reader) {
    const partitionId = reader.u32('partitionId')
    const highWaterMark = reader.safeU64('highWaterMark')
    return { partitionId, highWaterMark, entries: takeLogEntries(reader) }
  },
}
