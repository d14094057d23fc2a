/**
 * GetOffset, version 1: how far a partition has got. Big-endian.
 *
 * | request field | size |
 * |---------------|------|
 * | partitionId   | u32  |
 *
 * | response field | size                                       |
 * |----------------|--------------------------------------------|
 * | highWaterMark  | u64, the offset that the next message gets |
 */
import { checkField } from '../wire/check-field.ts'
import { writeU32, writeU64 } from '../wire/in-place.ts'
import { LOG_VERSION, logType } from './codes.ts'
import { type LogOperation, plainOperation } from './operation.ts'

/** A GetOffset as its sender means it. */
export interface GetOffsetRequest {
  readonly partitionId: number
}

/** How far the partition has got. */
export interface GetOffsetResponse {
  /** The offset that the next message gets. */
  readonly highWaterMark: number
}

export const getOffsetV1: LogOperation<GetOffsetRequest, GetOffsetResponse> = {
  ...plainOperation,
  name: 'GetOffset',
  type: logType.getOffset,
  version: LOG_VERSION,

  requestBytes({ partitionId }) {
    checkField('GetOffset request', 'partitionId', partitionId, 0xffff_ffff)
    return 4
  },
  writeRequest(target, at, { partitionId }) {
    writeU32(target, at, partitionId)
  },
  readRequest: reader => ({ partitionId: reader.u32('partitionId') }),

  answerBytes({ highWaterMark }) {
    checkField('GetOffset response', 'highWaterMark', highWaterMark, Number.MAX_SAFE_INTEGER)
    return 8
  },
  writeAnswer(target, at, { highWaterMark }) {
    writeU64(target, at, highWaterMark)
  },
  readResponse: reader => ({ highWaterMark: reader.safeU64('highWaterMark') }),
}
