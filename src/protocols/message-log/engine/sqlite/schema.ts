/**
 * The tables of a store. `application_id` says that a file is a store of ours, `user_version` which version it has.
 *
 * ```
 * topics      id, name
 * partitions  id, never used again | topic_id, null when the topic was deleted and its batches are yet to be removed
 * batches     partition_id, base_offset, count | stored_ms | end_bytes, of all messages of the partition up to here |
 *             checksum, see rowChecksum | messages
 * catalogue   version, one row: moves on with the topics
 * producers   partition_id, producer_id (as signed), used_ms | answers, see KeptAnswers
 * ```
 * `end_bytes` makes the bytes of a partition a subtraction, however many batches it has.
 */
import type { DatabaseSync } from 'node:sqlite'
import { storageFailed } from '../engine-errors.ts'

/** "SFlg". */
const applicationId = 0x53466c67

/** Version 1 had no checksums. */
const storeVersion = 2

const tables = `
  CREATE TABLE topics (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE partitions (id INTEGER PRIMARY KEY AUTOINCREMENT, topic_id INTEGER) STRICT;
  CREATE INDEX partitions_of_topic ON partitions (topic_id);
  CREATE TABLE catalogue (version INTEGER NOT NULL) STRICT;
  INSERT INTO catalogue (version) VALUES (0);
  CREATE TABLE batches (
    partition_id INTEGER NOT NULL, base_offset INTEGER NOT NULL, count INTEGER NOT NULL, stored_ms INTEGER NOT NULL,
    end_bytes INTEGER NOT NULL, checksum INTEGER NOT NULL, messages BLOB NOT NULL, UNIQUE (partition_id, base_offset)
  ) STRICT;
  CREATE TABLE producers (
    partition_id INTEGER NOT NULL, producer_id INTEGER NOT NULL, used_ms INTEGER NOT NULL, answers BLOB NOT NULL,
    PRIMARY KEY (partition_id, producer_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX producers_by_use ON producers (used_ms);`

/** Makes the tables of an empty file. @throws `STORAGE_FAILED`, `foreign`, for a file that is none and no store of this version. */
export function makeTables(connection: DatabaseSync, path: string): void {
  if (versionOf(connection, path) === storeVersion) return
  connection.exec('BEGIN IMMEDIATE')
  connection.exec(tables)
  connection.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${storeVersion}; COMMIT`)
}

/** @throws `STORAGE_FAILED`, `foreign`, unless the file is a store of the version that this code reads. */
export function checkVersion(connection: DatabaseSync, path: string): void {
  if (versionOf(connection, path) === 0) throw foreign(path, 'is empty')
}

/**
 * The version of a store, which is the one that this code reads; 0 for an empty file. @throws `STORAGE_FAILED`, `foreign`: before
 * anything is changed.
 */
export function versionOf(connection: DatabaseSync, path: string): number {
  const id = pragma(connection, 'application_id')
  const version = pragma(connection, 'user_version')
  if (id === applicationId && version === storeVersion) return version
  if (id === applicationId)
    throw foreign(path, `is a log store of version ${version}; only version ${storeVersion} can be opened`)
  if (id !== 0 || version !== 0 || pragma(connection, 'schema_version') !== 0)
    throw foreign(path, 'is a database of something else')
  return 0
}

function foreign(path: string, text: string): Error {
  return storageFailed('foreign', path, `the file ${text}`, 'no')
}

/** The value of a pragma that is a number. */
export function pragma(connection: DatabaseSync, name: string): number {
  return Number(Object.values(connection.prepare(`PRAGMA ${name}`).get() ?? {})[0])
}
