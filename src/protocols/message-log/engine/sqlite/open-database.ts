/** SQLite of Node.js, looked for when it is needed: an older Node.js, which has none, is to read its own line, not a link error. */
import type { DatabaseSync, DatabaseSyncOptions } from 'node:sqlite'

/** Opens, or creates, a file. Throws what SQLite says. */
export function openDatabase(path: string | URL, options: DatabaseSyncOptions = {}): DatabaseSync {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
  return new DatabaseSync(path, options)
}
