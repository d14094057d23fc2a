/** The checksum of a row of batches: what a disk, or a hand, has changed of it since it was written is found when it is read. */
import { crc32 as zlibCrc32 } from 'node:zlib'
import { crc32 } from '../../../../messages/wire/crc32.ts'
import { writeU64 } from '../../../../messages/wire/in-place.ts'
import type { StoredBatch } from '../contract.ts'

const head = Buffer.alloc(24)

/** CRC-32 (zlib) of the number of the partition, base offset and count, each as u64, and the messages. */
export function rowChecksum(partitionId: number, { baseOffset, count, messages }: StoredBatch): number {
  writeU64(head, 0, partitionId)
  writeU64(head, 8, baseOffset)
  writeU64(head, 16, count)
  return zlibCrc32(messages, crc32(head, 0, head.length))
}
