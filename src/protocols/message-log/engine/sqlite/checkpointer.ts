/**
 * Moves the log of a store into its file beside its writer, on a thread of its own: what takes long of a checkpoint, to sync the log,
 * to copy it and to sync the file, keeps no commit waiting.
 *
 * ```
 * writer          commit, commit, the log is long -> commit, commit, …                -> the rest: a few pages, and the log begins anew
 * this thread                        start         -> pass, pass until little is left -> passed
 * ```
 * What the store survives does not hang on it: the writer's own checkpoint syncs log and file as ever, but finds little to sync. It is
 * the writer's, since a log that is written without a pause never comes to its end for anybody else.
 */
import { statSync } from 'node:fs'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

/** What the thread is told. */
export type CheckpointTask = 'start' | 'close'

/** What it is given. */
export interface CheckpointThreadData {
  readonly path: string
  readonly inode: bigint
  /** An i32 of {@link checkpointState}. */
  readonly memory: SharedArrayBuffer
}

/** What it does. */
export const checkpointState = { idle: 0, busy: 1, closed: 2 } as const

const threadUrl = new URL(`./checkpoint-thread${extname(new URL(import.meta.url).pathname)}`, import.meta.url)
/** A disk that is as slow as that is waited for no longer. */
const waitMs = 10_000

/** The checkpoints of one store. */
export class Checkpointer {
  readonly #path: string
  readonly #passed: () => void
  readonly #failed: (error: unknown) => void
  readonly #state = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  #thread: Worker | undefined
  #isOver = false

  /** `passed` is called when the writer is to do the rest, `failed` once, when there is no thread and will be none. */
  constructor(path: string, passed: () => void, failed: (error: unknown) => void) {
    this.#path = path
    this.#passed = passed
    this.#failed = failed
  }

  /** Begins, unless it is at it. The thread is made when it is needed first. */
  start(): void {
    if (this.#isOver || Atomics.load(this.#state, 0) !== checkpointState.idle) return
    this.#thread ??= this.#begin()
    Atomics.store(this.#state, 0, checkpointState.busy)
    this.#thread.postMessage('start' satisfies CheckpointTask)
  }

  /** Blocks while it is at it. */
  settle(): void {
    Atomics.wait(this.#state, 0, checkpointState.busy, waitMs)
  }

  /** Blocks until its connection is closed. It does nothing any more. */
  close(): void {
    const thread = this.#thread
    if (this.#isOver || thread === undefined) {
      this.#isOver = true
      return
    }
    this.#isOver = true
    this.settle()
    thread.postMessage('close' satisfies CheckpointTask)
    Atomics.wait(this.#state, 0, checkpointState.idle, waitMs)
  }

  #begin(): Worker {
    const inode = statSync(this.#path, { bigint: true }).ino
    const workerData: CheckpointThreadData = {
      path: this.#path,
      inode,
      memory: this.#state.buffer as SharedArrayBuffer,
    }
    const thread = new Worker(threadUrl, {
      workerData,
      trackUnmanagedFds: false,
      resourceLimits: { maxOldGenerationSizeMb: 16 },
    })
    thread.unref()
    thread.on('message', () => {
      if (!this.#isOver) this.#passed()
    })
    thread.on('error', error => {
      Atomics.store(this.#state, 0, checkpointState.closed)
      if (!this.#isOver) this.#failed(error)
      this.#isOver = true
    })
    return thread
  }
}
