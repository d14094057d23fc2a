/**
 * The thread of a `Checkpointer`. Moves the log of a store into its file, pass by pass, until little is left that came meanwhile.
 *
 * The file is synced after each pass by a descriptor of this thread's own: SQLite leaves that to the pass that finds nothing new
 * behind it, which is to have little to sync. The descriptor is never closed, not even with the thread: to close one takes the locks
 * of all connections that the process has to the file (POSIX), and then another process may take the log for its own to remove.
 */
import { fdatasyncSync, openSync, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { type CheckpointTask, type CheckpointThreadData, checkpointState } from './checkpointer.ts'
import { openDatabase } from './open-database.ts'

/** Pages of the log that are few enough to be left to the writer. */
const leftPagesMax = 64
/** A writer that is as fast as this thread would keep it busy for ever. */
const passesMax = 4

const { path, inode, memory } = workerData as CheckpointThreadData
const state = new Int32Array(memory)
const connection = open()

function tell(now: number): void {
  Atomics.store(state, 0, now)
  Atomics.notify(state, 0)
}

function open(): { readonly database: DatabaseSync; readonly file: number } | undefined {
  // Nothing is made here: the file may have been removed, or another be in its place.
  const url = pathToFileURL(path)
  url.search = '?mode=rw'
  const file = openSync(path, 'r+')
  return statSync(path, { bigint: true }).ino === inode
    ? { database: openDatabase(url, { timeout: 0 }), file }
    : undefined
}

/** Pages moved since the log began anew. */
function moved(database: DatabaseSync): number {
  const { checkpointed } = database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get() as { checkpointed: number }
  return checkpointed
}

function checkpoint(): void {
  if (connection === undefined) return
  const { database, file } = connection
  let before = 0
  for (let pass = 0; pass < passesMax; pass++) {
    const now = moved(database)
    fdatasyncSync(file)
    if (now - before <= leftPagesMax) return
    before = now
  }
}

parentPort!.on('message', (task: CheckpointTask) => {
  if (task === 'close') {
    connection?.database.close()
    parentPort!.close()
    tell(checkpointState.closed)
    return
  }
  try {
    checkpoint()
  } finally {
    tell(checkpointState.idle)
    parentPort!.postMessage('passed')
  }
})
