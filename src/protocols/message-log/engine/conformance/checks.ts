/** What the cases of several groups use. */
import { deepStrictEqual, fail } from 'node:assert/strict'
import { inspect } from 'node:util'
import type { ErrorCode, Handled } from '../../../../messages/errors.ts'
import { isStarfishError } from '../../../../messages/errors.ts'
import type { RetentionPolicy, StorageFault } from '../contract.ts'

export { ok, strictEqual as equal } from 'node:assert/strict'

/** More bytes than a read of most cases finds. */
export const plenty = 1_048_576

/** Nothing is out of date. */
export const keepAll: RetentionPolicy = {
  ageMs: Number.POSITIVE_INFINITY,
  partitionBytesMax: Number.POSITIVE_INFINITY,
  producerAgeMs: Number.POSITIVE_INFINITY,
}

/** A signal that never aborts. */
export const patient: AbortSignal = new AbortController().signal

/** How something is refused. Of `details`, those that are named. */
export interface Refusal {
  readonly code: ErrorCode
  readonly handled?: Handled
  readonly details?: { readonly reason?: StorageFault } & Readonly<Record<string, unknown>>
}

/** What a closed store refuses everything with. */
export const closedError: Refusal = { code: 'STORAGE_FAILED', details: { reason: 'closed' } }

/** Plain data is the same, whatever class it is of. */
export function same(actual: unknown, wanted: unknown): void {
  deepStrictEqual(structuredClone(actual), wanted)
}

/** The call throws, or its promise rejects, with that. `given` are the values of the names that the call has: shown when it fails. */
export async function refused(call: () => unknown, wanted: Refusal, given: readonly unknown[] = []): Promise<void> {
  let answer: unknown
  try {
    answer = await call()
  } catch (error) {
    checkRefusal(error, wanted)
    return
  }
  const values = given.length === 0 ? '' : ` of ${given.map(value => inspect(value)).join(', ')}`
  fail(`${askedOf(call)}${values} was to be refused with ${wanted.code}, and is answered ${inspect(answer)}`)
}

/** What a call asks, as it is written. */
function askedOf(call: () => unknown): string {
  return String(call)
    .replace(/^(?:async )?\(\) => /, '')
    .replaceAll(/\s+/g, ' ')
}

/** An error is that one. */
export function checkRefusal(error: unknown, wanted: Refusal): void {
  if (!isStarfishError(error)) throw error
  const { code, handled, details } = error
  const names = Object.keys(wanted.details ?? {})
  deepStrictEqual(
    {
      code,
      ...(wanted.handled === undefined ? {} : { handled }),
      ...(wanted.details === undefined
        ? {}
        : { details: Object.fromEntries(names.map(name => [name, details[name]])) }),
    },
    wanted,
  )
}
