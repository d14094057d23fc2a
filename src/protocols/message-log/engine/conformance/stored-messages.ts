/** Messages in the form in which engines store them, made and read by the cases. */
import type { AppendRequest, ReadResult } from '../contract.ts'

/** Bytes of a message without key whose value is that text. */
export function messageOf(value: string): Buffer {
  const body = Buffer.from(value)
  const head = Buffer.alloc(16)
  head.writeBigInt64BE(1_700_000_000_000n, 0)
  head.writeInt32BE(-1, 8)
  head.writeInt32BE(body.length, 12)
  return Buffer.concat([head, body])
}

/** Bytes that {@link messageOf} adds to a value. */
export const messageHeadBytes = 16

/** An append of these values, acknowledged when committed, unless `more` says something else. */
export function appendOf(
  partitionId: number,
  values: readonly string[],
  more: Partial<AppendRequest> = {},
): AppendRequest {
  const messages = Buffer.concat(values.map(messageOf))
  return { partitionId, count: values.length, messages, acknowledgement: 'committed', ...more }
}

/** The values that a read found, each behind its offset: `7:text`. */
export function valuesIn({ batches }: ReadResult): string[] {
  const values: string[] = []
  for (const { baseOffset, count, messages } of batches) {
    const bytes = Buffer.from(messages)
    let at = 0
    for (let index = 0; index < count; index++) {
      const keyBytes = Math.max(0, bytes.readInt32BE(at + 8))
      const valueAt = at + 12 + keyBytes + 4
      const end = valueAt + Math.max(0, bytes.readInt32BE(valueAt - 4))
      values.push(`${baseOffset + index}:${bytes.toString('utf8', valueAt, end)}`)
      at = end
    }
    if (at !== bytes.length) throw new Error(`a batch of ${count} messages has ${bytes.length - at} bytes too many`)
  }
  return values
}
