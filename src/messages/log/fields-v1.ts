/**
 * The fields that the operations on topics share, version 1. Big-endian.
 *
 * - name: `nameLen u16 | name`, UTF-8, at least 1 byte
 * - partitions: `count u32 | partitionId u32*`
 */
import { isUtf8 } from 'node:buffer'
import { StarfishError } from '../errors.ts'
import { checkField } from '../wire/check-field.ts'
import { writeU16, writeU32 } from '../wire/in-place.ts'
import type { PayloadReader } from './payload-reader.ts'

/** Bytes of a name; `BAD_FRAME` for one that is empty, has more than 65,535 bytes of UTF-8, or a surrogate without its other. */
export function nameBytes(message: string, name: string): number {
  // UTF-8 has U+FFFD in its place, which is another name.
  if (!name.isWellFormed()) {
    const details = { message, field: 'name', value: JSON.stringify(name) }
    throw new StarfishError('BAD_FRAME', `${message}: name is not well-formed: ${details.value}`, { details })
  }
  return 2 + checkField(message, 'nameLen', Buffer.byteLength(name), 0xffff, 1)
}

/** Writes a name; returns where it ends. */
export function writeName(target: Buffer, at: number, name: string): number {
  const length = target.write(name, at + 2)
  writeU16(target, at, length)
  return at + 2 + length
}

/** Reads a name. One that is empty is refused, and one that is not UTF-8: two such could read as the same. */
export function readName(reader: PayloadReader): string {
  const length = reader.u16('nameLen')
  if (length === 0) reader.refuse('nameLen', reader.at - 2, 'nameLen 0')
  const at = reader.take(length, 'name')
  if (at < 0 || reader.fault !== undefined) return ''
  const bytes = reader.bytes.subarray(at, at + length)
  if (!isUtf8(bytes)) reader.refuse('name', at, 'name is not UTF-8')
  return bytes.toString()
}

/** Bytes of partition ids; `BAD_FRAME` for one that is no u32. */
export function partitionsBytes(message: string, partitions: readonly number[]): number {
  for (const partitionId of partitions) checkField(message, 'partitionId', partitionId, 0xffff_ffff)
  return 4 + partitions.length * 4
}

/** Writes partition ids; returns where they end. */
export function writePartitions(target: Buffer, from: number, partitions: readonly number[]): number {
  writeU32(target, from, partitions.length)
  let at = from + 4
  for (const partitionId of partitions) {
    writeU32(target, at, partitionId)
    at += 4
  }
  return at
}

/** Reads partition ids. */
export function readPartitions(reader: PayloadReader): number[] {
  const partitions: number[] = []
  for (let left = reader.count('count', 4, 0); left > 0; left--) partitions.push(reader.u32('partitionId'))
  return partitions
}
