/**
 * Notices that the process has run out of file descriptors. The event loop then accepts and closes every new connection
 * without a word to anyone; this says so once, and once more when it is over.
 */
import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'
import type { ActorLogger } from '../runtime/actor-runtime.ts'
import type { Clock, TimerHandle } from '../runtime/clock.ts'

const intervalMs = 1_000

/** Looks for exhaustion while connections come. */
export interface DescriptorWatch {
  /** A connection came: look within a second. */
  accepted(): void
  stop(): void
}

/** True when no descriptor is left to this process, or to the system. */
export function descriptorsExhausted(): boolean {
  try {
    closeSync(openSync(devNull, 'r'))
    return false
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    return code === 'EMFILE' || code === 'ENFILE'
  }
}

/** Creates a watch; `exhausted` asks the system, and is a parameter so that tests need no exhausted process. */
export function createDescriptorWatch(
  clock: Clock,
  log: ActorLogger,
  exhausted: () => boolean = descriptorsExhausted,
): DescriptorWatch {
  let timer: TimerHandle
  let pending = false
  let reported = false

  function look(): void {
    pending = false
    const now = exhausted()
    if (now && !reported) log.error('out of file descriptors: new connections are closed as they come')
    if (!now && reported) log.warn('file descriptors are available again')
    reported = now
    if (now) schedule()
  }

  function schedule(): void {
    if (pending) return
    pending = true
    timer = clock.setTimeout(look, intervalMs)
  }

  return {
    accepted: schedule,
    stop() {
      pending = false
      clock.clearTimeout(timer)
    },
  }
}
