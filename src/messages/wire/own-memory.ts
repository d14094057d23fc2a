/**
 * Memory that nobody else has a part of, and that is given back at once.
 *
 * V8 knows of the memory of buffers by its number of bytes only: it lets go of it in the next collection, and begins one, of the whole
 * heap, when some tens of megabytes have come together. A server that reads and writes large frames comes by those in milliseconds,
 * though its heap hardly grows.
 */

/** Bytes in memory of their own: the same ones, if they are that already. */
export function ownBytes(bytes: Buffer): Buffer {
  return bytes.length === bytes.buffer.byteLength ? bytes : joinBytes(bytes, nothing)
}

const nothing = Buffer.alloc(0)

/** One behind the other, in memory of their own. */
export function joinBytes(first: Buffer, second: Buffer): Buffer {
  const joined = Buffer.allocUnsafeSlow(first.length + second.length)
  joined.set(first)
  joined.set(second, first.length)
  return joined
}

/** Frees memory that is nobody else's: whatever looks at it is empty from then on. What is shared between threads is left alone. */
export function freeMemory(memory: ArrayBufferLike): void {
  if (memory instanceof ArrayBuffer && memory.byteLength > 0) memory.transfer(0)
}
