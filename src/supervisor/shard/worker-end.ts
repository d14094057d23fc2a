/**
 * What the platform says of the end of a worker, put in terms of the exit taxonomy.
 *
 * Most ends are told by the worker itself (`shard.ending`) or decided here (`terminate`). What is left: it ran out of
 * heap, failed before its hooks stood, or called `process.exit`.
 */
import type { ExitReason } from '../../messages/thread/exit.ts'

/** The reason behind an `error` event of a `Worker`. */
export function reasonOfWorkerError(error: unknown, isLoaded: boolean): ExitReason {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return { type: 'outOfMemory', detail: String(message) }
  return isLoaded ? { type: 'threw', error } : { type: 'bootstrapFailed', error }
}

/** The reason behind an `exit` event of a `Worker` that nothing preceded. */
export function reasonOfWorkerExit(code: number): ExitReason {
  return { type: 'exited', code }
}
