/**
 * MurmurHash2 as Kafka's clients compute it (`org.apache.kafka.common.utils.Utils.murmur2`), so that a key finds the same
 * partition from whatever client it is sent.
 *
 * Austin Appleby's MurmurHash2, 32 bits, little-endian words, with a seed of Kafka's own.
 */

const seed = 0x9747b28c
const multiplier = 0x5bd1e995

/** The hash, as a signed 32-bit integer. */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes
  const wordsEnd = length & ~3
  let hash = seed ^ length
  for (let at = 0; at < wordsEnd; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    hash = Math.imul(hash, multiplier) ^ mixWord(word)
  }
  const left = length & 3
  if (left === 3) hash ^= bytes[wordsEnd + 2]! << 16
  if (left >= 2) hash ^= bytes[wordsEnd + 1]! << 8
  if (left >= 1) hash = Math.imul(hash ^ bytes[wordsEnd]!, multiplier)
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}

function mixWord(word: number): number {
  const mixed = Math.imul(word, multiplier)
  return Math.imul(mixed ^ (mixed >>> 24), multiplier)
}

/** Which of `partitions` partitions a key belongs to: the sign bit of its hash masked, modulo. */
export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fff_ffff) % partitions
}
