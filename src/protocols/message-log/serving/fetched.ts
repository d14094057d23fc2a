/** What a read found, as a Fetch is answered. Pure. */
import type { LogSlice } from '../../../messages/log/batch-v1.ts'
import type { FetchAnswer } from '../../../messages/log/fetch-v1.ts'
import { endOfLogMessageWithin } from '../../../messages/log/message-v1.ts'
import type { ReadResult, StoredBatch } from '../engine/contract.ts'
import { offsetBytes } from '../engine/taken-batches.ts'

/** What a Fetch is answered at most while as much output waits for slow readers as may: everybody gets on, and nothing piles up. */
export const scarceFetchBytes = 32_768

/** Messages of one answer: each is copied for itself, so that tiny ones would keep their shard from others. */
export const answerMessagesMax = 65_536

/** The answer that carries all of it, or as many messages as one may. */
export function fetchAnswer(partitionId: number, { highWaterMark, batches }: ReadResult): FetchAnswer {
  const slices: LogSlice[] = []
  let room = answerMessagesMax
  for (const batch of batches) {
    if (room === 0) break
    const slice = sliceOf(batch, room)
    slices.push(slice)
    room -= slice.count
  }
  return { partitionId, highWaterMark, slices }
}

function sliceOf({ baseOffset, count, messages, sums }: StoredBatch, countMax: number): LogSlice {
  const bytes = Buffer.from(messages.buffer, messages.byteOffset, messages.byteLength)
  const whole = { bytes, start: 0, end: bytes.length, count, offset: baseOffset, sums }
  if (count <= countMax) return whole
  let end = 0
  for (let left = countMax; left > 0 && end >= 0; left--) end = endOfLogMessageWithin(bytes, end, bytes.length)
  // What is not whole is found where it is written.
  return end < 0 ? whole : { ...whole, end, count: countMax }
}

/** Bytes of `(offset u64 | message)*`. */
export function fetchedBytes({ batches }: ReadResult): number {
  return batches.reduce((sum, { count, messages }) => sum + messages.length + count * offsetBytes, 0)
}

/** The offset behind what was found; `offset`, from which was read, if that is nothing. */
export function offsetBehind({ batches }: ReadResult, offset: number): number {
  const last = batches.at(-1)
  return last === undefined ? offset : last.baseOffset + last.count
}
