/**
 * Keeps a store to one engine. The lock is one on the file `<path>-lock`, held by a transaction that SQLite begins and never
 * ends: the kernel lets go of it when the process dies, however it dies, and SQLite when the thread does. The store itself
 * cannot be locked so, since its readers would be shut out too. (A file system without locks, as some network ones, has none.)
 * Symbolic links are followed before the lock is named: a store has one lock, by whatever links it is found. Hard links cannot be
 * followed, and the log of a store lies beside one of them: a file with several names is refused.
 */
import { lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { storageFailed } from '../engine-errors.ts'
import { openDatabase } from './open-database.ts'
import { sqliteFault } from './sqlite-faults.ts'

const sqliteBusy = 5

/**
 * Locks a store, whose folder is there; answers what unlocks it. @throws `STORAGE_FAILED`, `busy` while another has it open; as
 * {@link checkNames}.
 */
export function lockStore(path: string): () => void {
  checkNames(path)
  const lock = openDatabase(`${realPathOf(path)}-lock`)
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if ((error as { errcode?: number }).errcode !== sqliteBusy) throw sqliteFault(error, path, 'no')
    throw storageFailed('busy', path, 'the store is open in another process or thread', 'no', error)
  }
  return () => lock.close()
}

/** @throws `STORAGE_FAILED`, `io`, for a file that has several names. */
export function checkNames(path: string): void {
  const file = statSync(path, { throwIfNoEntry: false })
  if (!file?.isFile() || file.nlink <= 1) return
  const text = `the file has ${file.nlink} names (hard links): a store has one, since its log lies beside it; copy it, or remove the others`
  throw storageFailed('io', path, text, 'no')
}

/** Where the file is, or is to be made. Throws as the file system does. */
function realPathOf(path: string): string {
  const found = join(realpathSync(dirname(path)), basename(path))
  const isLink = lstatSync(found, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
  if (!isLink) return found
  const isThere = lstatSync(resolve(dirname(found), readlinkSync(found)), { throwIfNoEntry: false }) !== undefined
  return isThere ? realpathSync(found) : realPathOf(resolve(dirname(found), readlinkSync(found)))
}
