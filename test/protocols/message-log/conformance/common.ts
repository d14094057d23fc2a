/** What the cases of several groups use. */
import type { RetentionPolicy } from '../../../../src/protocols/message-log/engine/contract.ts'

/** More bytes than a read of most cases finds. */
export const plenty = 1_048_576

/** Nothing is out of date. */
export const keepAll: RetentionPolicy = {
  ageMs: Number.POSITIVE_INFINITY,
  partitionBytesMax: Number.POSITIVE_INFINITY,
  producerAgeMs: Number.POSITIVE_INFINITY,
}

/** A signal that never aborts. */
export const patient = new AbortController().signal

/** What a closed store refuses everything with. */
export const closedError = { code: 'STORAGE_FAILED', details: { reason: 'closed' } }

/** What a call throws or rejects with, as a promise. */
export async function attempt<T>(call: () => T | Promise<T>): Promise<T> {
  return call()
}
