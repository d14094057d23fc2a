/**
 * How far the file of a store may grow, so that a full disk can be left: what removes messages needs room too.
 *
 * A commit writes its pages to the log beside the file; a checkpoint moves them into the file. A page that is new to the file
 * takes room twice until then. So the file is let grow by half of what is free, less the reserve and what is yet to be moved:
 *
 * ```
 *        free on the disk
 *   |----------------------------------|
 *   | unmoved | reserve - log |  spare |      growth = spare / 2
 * ```
 * Bound so, an append that would have the file grow is refused while a checkpoint still has its room; pages that retention has
 * freed are used again, whatever is free on the disk.
 */
import { realpathSync, type StatsFs, statfsSync, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { storageFailed } from '../engine-errors.ts'
import { diskFreeBytesLeast, type SqliteLogConfig } from './config.ts'
import { pragma } from './schema.ts'
import { checkNames } from './store-lock.ts'

/** What a bound is made of, bytes. */
export interface RoomFigures {
  /** On the disk, for whoever is not root. */
  readonly freeBytes: number
  /** Pages of the log that the file has no place for yet. */
  readonly unmovedBytes: number
  /** The log as it lies there: it is written over from its beginning. */
  readonly logBytes: number
  readonly reserveBytes: number
}

/** By how much the file may grow. */
export function growthBytes({ freeBytes, unmovedBytes, logBytes, reserveBytes }: RoomFigures): number {
  return Math.max(0, (freeBytes - unmovedBytes - Math.max(0, reserveBytes - logBytes)) / 2)
}

const sqliteFull = 13
const lookIntervalMs = 1_000

/** The bound of one store's file. */
export class DiskRoom {
  readonly #connection: DatabaseSync
  readonly #path: string
  readonly #fileBytesMax: number
  readonly #reserveBytes: number
  readonly #pageBytes: number
  readonly #logPath: string
  readonly #inode: bigint
  /** Undefined until there is a log. */
  #logInode: bigint | undefined
  #lookedMs = 0
  /** Of the disk, for the file and the log. */
  #leftBytes = 0
  #isTight = false
  /** Rather than by `fileBytesMax`. */
  #boundByDisk = true
  #gone: Error | undefined

  constructor(connection: DatabaseSync, { path, fileBytesMax }: SqliteLogConfig, reserveBytes: number, nowMs: number) {
    this.#connection = connection
    this.#path = path
    this.#fileBytesMax = fileBytesMax
    this.#reserveBytes = reserveBytes
    this.#pageBytes = pragma(connection, 'page_size')
    this.#logPath = `${realpathSync(path)}-wal`
    this.#inode = inodeOf(path)!
    this.#lookedMs = nowMs
    this.#bound()
    this.#logInode = inodeOf(this.#logPath)
  }

  /** There is so little that the log is to be moved whenever that can be. */
  get isTight(): boolean {
    return this.#isTight
  }

  /**
   * Before a commit: once a second, what is free now.
   * @throws `STORAGE_FAILED`, from when the file or its log was found gone on: what is written to it then is lost with its last process;
   * while the file has several names.
   */
  look(nowMs: number): void {
    if (this.#gone !== undefined) throw this.#gone
    if (Math.abs(nowMs - this.#lookedMs) < lookIntervalMs) return
    this.#lookedMs = nowMs
    this.#checkFile()
    this.#bound()
    // As long as there is room for it: what is moved needs none later.
    if (this.#isTight) this.make()
  }

  /** Between two commits: moves the log into the file, so that the log is written from its beginning, and looks again. */
  make(): void {
    try {
      this.#connection.exec('PRAGMA wal_checkpoint(PASSIVE)')
    } catch (error) {
      if (!isFull(error)) throw error
    }
    this.#bound()
  }

  /** What to tell for an error of a commit: of a full store, which of its bounds it was. */
  told(error: unknown): unknown {
    if (!isFull(error)) return error
    const text = this.#boundByDisk
      ? `the disk has ${this.#leftBytes} bytes left for it, of which diskFreeBytesMin keeps ${this.#reserveBytes}`
      : `fileBytesMax is ${this.#fileBytesMax}`
    const { message, errcode } = error
    return Object.assign(new Error(`${message}: ${text}`, { cause: error }), { errcode })
  }

  #bound(): void {
    const pages = pragma(this.#connection, 'page_count')
    const { bavail, bsize } = diskOf(this.#path)
    const figures = {
      freeBytes: bavail * bsize,
      unmovedBytes: Math.max(0, pages * this.#pageBytes - sizeOf(this.#path)),
      logBytes: sizeOf(this.#logPath),
      reserveBytes: this.#reserveBytes,
    }
    const growth = growthBytes(figures)
    const ofDisk = pages + Math.floor(growth / this.#pageBytes)
    const ofFile = Math.floor(this.#fileBytesMax / this.#pageBytes)
    this.#leftBytes = Math.max(0, figures.freeBytes + figures.logBytes - figures.unmovedBytes)
    this.#isTight = growth < this.#reserveBytes
    this.#boundByDisk = ofDisk < ofFile
    this.#connection.exec(`PRAGMA max_page_count = ${Math.min(ofDisk, ofFile, pagesMost)}`)
  }

  #checkFile(): void {
    this.#logInode ??= inodeOf(this.#logPath)
    if (inodeOf(this.#path) !== this.#inode) this.#lose('the file')
    if (inodeOf(this.#logPath) !== this.#logInode) this.#lose('the log of the store (-wal)')
    checkNames(this.#path)
  }

  #lose(what: string): never {
    const text = `${what} was removed while the store was open, or another one is in its place`
    this.#gone = storageFailed('io', this.#path, text, 'no')
    throw this.#gone
  }
}

/** Of SQLite. */
const pagesMost = 4_294_967_294

/** Whether there was no room for a commit. */
export function isFull(error: unknown): error is Error & { readonly errcode: number } {
  return error instanceof Error && ((error as { errcode?: number }).errcode ?? 0) % 256 === sqliteFull
}

/** What is kept free on the disk of a store, unless it was told: little of a small one. */
export function defaultReserveBytes(path: string): number {
  const { blocks, bsize } = diskOf(path)
  return Math.min(reserveBytesDefault, Math.max(diskFreeBytesLeast, Math.floor((blocks * bsize) / 4)))
}

const reserveBytesDefault = 33_554_432

function diskOf(path: string): Pick<StatsFs, 'blocks' | 'bavail' | 'bsize'> {
  const disk = statfsSync(path)
  // Some that lie elsewhere do not say.
  return disk.blocks === 0 ? { blocks: Number.MAX_SAFE_INTEGER, bavail: Number.MAX_SAFE_INTEGER, bsize: 1 } : disk
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino
}
