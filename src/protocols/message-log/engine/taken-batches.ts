/** What of the stored batches a read takes: from its offset on, up to its bytes, in whole messages. */
import { StarfishError } from '../../../messages/errors.ts'
import { endOfLogMessageWithin } from '../../../messages/log/message-v1.ts'
import type { StoredBatch } from './contract.ts'

/** The offset that travels with every fetched message. */
export const offsetBytes = 8

/** Batches that a read takes at most: each takes its time, however small, and a read is done in one go. */
export const readBatchesMax = 256

/**
 * Takes messages from `offset` on until `maxBytes` are reached, one at least, of so many batches at most. `batches` are in order,
 * without gaps, and the first holds `offset`; no more of them are looked at than are needed. @throws `BAD_FRAME` for what is no
 * message.
 */
export function takenBatches(
  batches: Iterable<StoredBatch>,
  offset: number,
  maxBytes: number,
  batchesMax = readBatchesMax,
): StoredBatch[] {
  const taken: StoredBatch[] = []
  let leftBytes = maxBytes
  for (const batch of batches) {
    const part = partOf(batch, offset, leftBytes, taken.length === 0)
    if (part.count > 0) taken.push(part)
    leftBytes -= fetchedBytes(part)
    if (leftBytes <= 0 || taken.length === batchesMax || part.baseOffset + part.count < batch.baseOffset + batch.count)
      break
  }
  return taken
}

function fetchedBytes({ count, messages }: StoredBatch): number {
  return messages.length + count * offsetBytes
}

function partOf(batch: StoredBatch, offset: number, bytesMax: number, takesOne: boolean): StoredBatch {
  const skipped = Math.max(0, offset - batch.baseOffset)
  if (skipped === 0 && fetchedBytes(batch) <= bytesMax) return batch
  const { messages, sums } = batch
  const bytes = Buffer.from(messages.buffer, messages.byteOffset, messages.byteLength)
  let from = 0
  for (let index = 0; index < skipped; index++) from = endOf(bytes, from, batch)
  let to = from
  let count = 0
  while (to < messages.length) {
    const end = endOf(bytes, to, batch)
    const fits = end - from + (count + 1) * offsetBytes <= bytesMax
    if (!fits && !(takesOne && count === 0)) break
    to = end
    count++
  }
  return {
    baseOffset: batch.baseOffset + skipped,
    count,
    messages: messages.subarray(from, to),
    sums: sums?.subarray(skipped, skipped + count),
  }
}

function endOf(bytes: Buffer, at: number, { baseOffset, count }: StoredBatch): number {
  const end = endOfLogMessageWithin(bytes, at, bytes.length)
  if (end >= 0) return end
  const text = `a stored message of the batch of offsets ${baseOffset} to ${baseOffset + count - 1} is not whole`
  throw new StarfishError('BAD_FRAME', text, { details: { message: 'stored batch', field: 'message', offset: at } })
}
