/**
 * Walks over messages in the form in which they travel and are stored, without taking them apart.
 *
 * ```
 * timestampMs i64 | keyLen i32, -1 null | key | valueLen i32, -1 null | value
 * ```
 */

const keyLengthAt = 8
const lengthBytes = 4

/** Where the message that begins at `at` ends. The bytes have been checked when they came in. */
export function messageEnd(bytes: DataView, at: number): number {
  const valueAt = at + keyLengthAt + lengthBytes + Math.max(0, bytes.getInt32(at + keyLengthAt))
  return valueAt + lengthBytes + Math.max(0, bytes.getInt32(valueAt))
}

/** A view of bytes to walk over. */
export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}
