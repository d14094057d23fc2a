/** Options of a task pool: checked and filled once, then plain data. */
import type { Faults } from '../../messages/option-faults.ts'
import type { TaskRunnerReference } from './task-runner.ts'

/** What a user may say about a task pool. */
export interface TaskPoolOptions {
  /** Worker threads, 1 to 1,024. Default: one less than the machine has processors, at least 1. */
  readonly threads?: number
  /** Tasks that wait for a worker; one more is refused. Default 1,024; 0 refuses whatever no worker is free for. */
  readonly queueMax?: number
  /**
   * How much lower the priority of the workers is than that of the process, as nice(2) counts: 0 to 19. Default 10 on
   * Linux, where it holds for single threads, else 0.
   */
  readonly niceIncrement?: number
  /** Most that the old heap of a worker may grow to, MiB; the platform's default when left out. A worker over it ends. */
  readonly heapMb?: number
}

/** Filled options: what the pool is started with. Clonable. */
export interface TaskPoolInput {
  readonly threads: number
  readonly queueMax: number
  readonly niceIncrement: number
  readonly heapMb: number | undefined
  /** How long all workers together may take to load, ms. */
  readonly openTimeoutMs: number
  /** How long tasks in hand are waited for when the pool is shut down, ms. */
  readonly drainTimeoutMs: number
  readonly runner: TaskRunnerReference
  /** Of `createTaskPoolFigures`. */
  readonly figures: SharedArrayBuffer
}

/** {@link TaskPoolOptions}, filled in. */
export type FilledTaskPoolOptions = Pick<TaskPoolInput, 'threads' | 'queueMax' | 'niceIncrement' | 'heapMb'>

/** The machine that a pool is for. */
export interface PoolMachine {
  readonly platform: NodeJS.Platform
  readonly processors: number
}

/** How long all workers of a pool together may take to load, ms. */
export const openTimeoutMs = 30_000

/** Checks and fills options, with a fault for each that cannot be used (`pool.threads`). */
export function fillTaskPoolOptions(
  options: TaskPoolOptions = {},
  { platform, processors }: PoolMachine,
  faults: Faults,
): FilledTaskPoolOptions {
  const isObject = faults.options('pool', options, ['threads', 'queueMax', 'niceIncrement', 'heapMb'])
  const { threads = Math.max(1, processors - 1), queueMax = 1_024, heapMb, niceIncrement } = isObject ? options : {}
  const filled = { threads, queueMax, niceIncrement: niceIncrement ?? (platform === 'linux' ? 10 : 0), heapMb }
  const within = faults.within('pool')
  within.whole('threads', threads, 1, 1_024)
  within.whole('queueMax', queueMax, 0, 1_000_000)
  within.whole('niceIncrement', filled.niceIncrement, 0, 19)
  if (heapMb !== undefined) within.whole('heapMb', heapMb, 16, 1_048_576)
  return filled
}
