/** What SQLite says of a failure, in the words of log engines. */
import { type Handled, isStarfishError, type StarfishError } from '../../../../messages/errors.ts'
import type { StorageFault } from '../contract.ts'
import { storageFailed } from '../engine-errors.ts'

/** By primary result code; https://sqlite.org/rescode.html */
const faultOfCode: Readonly<Record<number, StorageFault>> = {
  5: 'busy',
  6: 'busy',
  11: 'corrupt',
  13: 'full',
  26: 'corrupt',
}

/** `STORAGE_FAILED` for what SQLite threw; an error of Starfish as it is. `handled`: whether something may have been stored. */
export function sqliteFault(error: unknown, path: string, handled: Handled): StarfishError {
  if (isStarfishError(error)) return error
  const { errcode, message } = error as { errcode?: number; message?: string }
  const reason = faultOfCode[(errcode ?? 0) & 0xff] ?? 'io'
  return storageFailed(reason, path, message ?? String(error), handled, error)
}

/** Answers what `call` answers; what SQLite throws is thrown as {@link sqliteFault}. */
export function guarded<T>(path: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw sqliteFault(error, path, 'no')
  }
}
