/**
 * Removes messages of a partition, whole batches at a time. What lies beside each message says whether it is to be kept, and since what
 * is kept goes on to the end, some looks find where it begins.
 */
import type { RetentionPolicy, RetentionResult } from '../contract.ts'
import { decodeRecord } from './stored-record.ts'
import type { Streams } from './streams.ts'

/** A batch that is there whole. */
interface PlacedBatch {
  /** Of its first message. */
  readonly sequence: number
  readonly storedMs: number
  /** Batches up to this one. */
  readonly batch: number
  /** Bytes of all messages before it. */
  readonly startBytes: number
}

const nothing: RetentionResult = { batches: 0, bytes: 0 }

/** Removes what the policy does not keep of the partition of that stream. @throws `STORAGE_FAILED`. */
export async function retainPartition(
  streams: Streams,
  stream: string,
  policy: RetentionPolicy,
  nowMs: number,
): Promise<RetentionResult> {
  const state = await streams.state(stream)
  if (state === undefined || state.messages < 2) return nothing
  const oldest = await batchOf(streams, stream, state.firstSequence)
  const newest = await batchOf(streams, stream, state.lastSequence)
  const last = await streams.message(stream, state.lastSequence)
  if (oldest === undefined || newest === undefined) return nothing
  const endBytes = decodeRecord(last?.header)?.endBytes ?? 0
  const keeps = ({ storedMs, startBytes }: PlacedBatch): boolean =>
    nowMs - storedMs <= policy.ageMs && endBytes - startBytes <= policy.partitionBytesMax
  if (keeps(oldest)) return nothing

  // What begins below `least` goes, `kept` and all behind it stays.
  let least = oldest.sequence + 1
  let kept = newest
  while (least < kept.sequence) {
    const middle = await batchOf(streams, stream, Math.floor((least + kept.sequence - 1) / 2))
    // Another node has removed it meanwhile.
    if (middle === undefined) return nothing
    if (keeps(middle)) kept = middle
    else least = Math.max(least, middle.sequence) + 1
  }
  await streams.removeBelow(stream, kept.sequence)
  return { batches: kept.batch - oldest.batch, bytes: kept.startBytes - oldest.startBytes }
}

/** The batch that a message belongs to; undefined when either is not there. */
async function batchOf(streams: Streams, stream: string, sequence: number): Promise<PlacedBatch | undefined> {
  const message = await streams.message(stream, sequence)
  const index = decodeRecord(message?.header)?.index ?? 0
  const first = index === 0 ? message : await streams.message(stream, sequence - index)
  const record = decodeRecord(first?.header)
  if (first === undefined || record === undefined) return undefined
  const { storedMs, batch, endBytes } = record
  return { sequence: first.seq, storedMs, batch, startBytes: endBytes - first.data.length }
}
