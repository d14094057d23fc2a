/**
 * How the appends of a tick to one partition become rows. Small ones share a row, since a row costs a hundred times what a
 * message costs; large ones are cut between messages, so that a read of a few of them need not load all.
 */
import { endOfLogMessage } from '../../../../messages/log/message-v1.ts'
import type { AppendRequest, StoredBatch } from '../contract.ts'

/** A row has more only if one message has. */
export const rowBytesMax = 262_144

type Messages = Pick<AppendRequest, 'count' | 'messages'>

/** The rows of these appends, from `baseOffset` on. */
export function packedRows(appends: readonly Messages[], baseOffset: number): StoredBatch[] {
  const rows: StoredBatch[] = []
  let parts: Uint8Array[] = []
  let bytes = 0
  let count = 0
  let offset = baseOffset

  function endRow(): void {
    if (count === 0) return
    rows.push({ baseOffset: offset, count, messages: parts.length === 1 ? parts[0]! : Buffer.concat(parts, bytes) })
    offset += count
    parts = []
    bytes = 0
    count = 0
  }

  for (const append of appends) {
    for (const part of append.messages.length > rowBytesMax ? cut(append) : [append]) {
      if (bytes + part.messages.length > rowBytesMax) endRow()
      parts.push(part.messages)
      bytes += part.messages.length
      count += part.count
    }
  }
  endRow()
  return rows
}

function* cut({ messages }: Messages): Generator<Messages> {
  const bytes = Buffer.from(messages.buffer, messages.byteOffset, messages.byteLength)
  let from = 0
  let to = 0
  let count = 0
  while (to < messages.length) {
    const end = endOfLogMessage(bytes, to)
    if (count > 0 && end - from > rowBytesMax) {
      yield { count, messages: messages.subarray(from, to) }
      from = to
      count = 0
    }
    to = end
    count++
  }
  yield { count, messages: messages.subarray(from, to) }
}
