/** The checksum of a row of batches: what a disk, or a hand, has changed of it since it was written is found when it is read. */
import { crc32 as zlibCrc32 } from 'node:zlib'
import { endOfLogMessageWithin } from '../../../../messages/log/message-v1.ts'
import { crc32 } from '../../../../messages/wire/crc32.ts'
import { joinCrc32 } from '../../../../messages/wire/crc32-join.ts'
import { writeU64 } from '../../../../messages/wire/in-place.ts'
import type { StoredBatch } from '../contract.ts'

const head = Buffer.alloc(24)

/** Messages of fewer bytes are summed up again sooner than their sums are joined. */
const summedBytesMin = 4_096

/** CRC-32 (zlib) of the number of the partition, base offset and count, each as u64, and the messages. */
export function rowChecksum(partitionId: number, batch: StoredBatch): number {
  return zlibCrc32(batch.messages, headSum(partitionId, batch))
}

/** The checksum of a row, and that of each of its messages if they are large: in one look at the bytes. */
export function rowChecksums(partitionId: number, batch: StoredBatch): { checksum: number; sums?: Uint32Array } {
  const { count, messages } = batch
  if (messages.length < count * summedBytesMin) return { checksum: rowChecksum(partitionId, batch) }
  const bytes = Buffer.from(messages.buffer, messages.byteOffset, messages.byteLength)
  const sums = new Uint32Array(count)
  let checksum = headSum(partitionId, batch)
  let at = 0
  for (let index = 0; index < count; index++) {
    const end = endOfLogMessageWithin(bytes, at, bytes.length)
    if (end < 0) return { checksum: rowChecksum(partitionId, batch) }
    sums[index] = crc32(bytes, at, end)
    checksum = joinCrc32(checksum, sums[index]!, end - at)
    at = end
  }
  return at === bytes.length ? { checksum, sums } : { checksum: rowChecksum(partitionId, batch) }
}

function headSum(partitionId: number, { baseOffset, count }: StoredBatch): number {
  writeU64(head, 0, partitionId)
  writeU64(head, 8, baseOffset)
  writeU64(head, 16, count)
  return crc32(head, 0, head.length)
}
