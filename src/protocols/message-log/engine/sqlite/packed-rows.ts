/**
 * How the appends of a tick to one partition become rows. Small ones share a row, since a row costs a hundred times what a
 * message costs; large ones are cut between messages, so that a read of a few of them need not load all.
 */
import { endOfLogMessage } from '../../../../messages/log/message-v1.ts'
import type { AppendRequest, StoredBatch } from '../contract.ts'

/** A row has more only if one message has. */
export const rowBytesMax = 262_144

type Messages = Pick<AppendRequest, 'count' | 'messages'>

/**
 * The rows of these appends, from `baseOffset` on. Messages of several appends are joined in `joined`, which has
 * {@link rowBytesMax} bytes: such a row is there until the next one is asked for.
 */
export function* packedRows(
  appends: readonly Messages[],
  baseOffset: number,
  joined: Uint8Array,
): Generator<StoredBatch> {
  let offset = baseOffset
  let parts: Messages[] = []
  let bytes = 0
  for (const append of appends) {
    for (const part of append.messages.length > rowBytesMax ? cut(append) : [append]) {
      if (bytes + part.messages.length > rowBytesMax && parts.length > 0) {
        const row = rowOf(parts, offset, joined)
        yield row
        offset += row.count
        parts = []
        bytes = 0
      }
      parts.push(part)
      bytes += part.messages.length
    }
  }
  if (parts.length > 0) yield rowOf(parts, offset, joined)
}

function rowOf(parts: readonly Messages[], baseOffset: number, joined: Uint8Array): StoredBatch {
  const first = parts[0]!
  if (parts.length === 1) return { baseOffset, count: first.count, messages: first.messages }
  let at = 0
  let count = 0
  for (const part of parts) {
    joined.set(part.messages, at)
    at += part.messages.length
    count += part.count
  }
  return { baseOffset, count, messages: joined.subarray(0, at) }
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
