/** What a read found, as a Fetch is answered. Pure. */
import type { LogSlice } from '../../../messages/log/batch-v1.ts'
import type { FetchAnswer } from '../../../messages/log/fetch-v1.ts'
import type { ReadResult, StoredBatch } from '../engine/contract.ts'

/** The offset that travels with every fetched message. */
export const offsetBytes = 8

/** What a Fetch is answered at most while as much output waits for slow readers as may: everybody gets on, and nothing piles up. */
export const scarceFetchBytes = 32_768

/** The answer that carries all of it. */
export function fetchAnswer(partitionId: number, { highWaterMark, batches }: ReadResult): FetchAnswer {
  return { partitionId, highWaterMark, slices: batches.map(sliceOf) }
}

function sliceOf({ baseOffset, count, messages }: StoredBatch): LogSlice {
  const bytes = Buffer.from(messages.buffer, messages.byteOffset, messages.byteLength)
  return { bytes, start: 0, end: bytes.length, count, offset: baseOffset }
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
