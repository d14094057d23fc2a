/**
 * What the operating system did for one thread, read from outside it: the thread may be stuck in any way.
 *
 * Linux only: /proc/<pid>/task/<id>/schedstat (nanoseconds on a processor, nanoseconds runnable but waiting for one) and
 * the state letter in /proc/<pid>/task/<id>/stat. About 20 microseconds a reading.
 */
import { readFileSync } from 'node:fs'

/** The scheduler's account of one thread since its start. */
export interface ThreadTime {
  /** Time on a processor, ms. */
  readonly cpuMs: number
  /** Time it was ready to run and had no processor, ms; what it waits right now is counted only when it gets one. */
  readonly waitMs: number
  /**
   * What it does now: `sleeping` waits for something that is not a processor; `blocked` waits for the disk, or for
   * memory that was swapped out.
   */
  readonly now: 'runnable' | 'sleeping' | 'blocked'
}

/**
 * Reads the account of a thread, of this process unless another is named (its main thread has the process's id);
 * undefined when there is none: another system, or the thread ended.
 */
export function readThreadTime(osThreadId: number, pid: number | 'self' = 'self'): ThreadTime | undefined {
  if (osThreadId === 0) return undefined
  try {
    const folder = `/proc/${pid}/task/${osThreadId}`
    const [cpuNs, waitNs] = readFileSync(`${folder}/schedstat`, 'latin1').split(' ')
    const stat = readFileSync(`${folder}/stat`, 'latin1')
    // The thread's name stands in parentheses and may itself hold any character, so the state follows the last one.
    const state = stat.charAt(stat.lastIndexOf(')') + 2)
    return { cpuMs: Number(cpuNs) / 1e6, waitMs: Number(waitNs) / 1e6, now: doingOf(state) }
  } catch {
    return undefined
  }
}

function doingOf(state: string): ThreadTime['now'] {
  if (state === 'R') return 'runnable'
  return state === 'D' ? 'blocked' : 'sleeping'
}
