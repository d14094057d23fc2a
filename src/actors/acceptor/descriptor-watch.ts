/**
 * Backs off from accepting when the process has run out of file descriptors. The event loop would go on: it accepts and
 * closes every new connection without a word to anyone, or, when another thread took the descriptor it keeps for that,
 * spins on a connection that it cannot accept. So the listening socket is closed, which makes the system refuse connects
 * at no cost, until there are descriptors to spare.
 */
import type { ActorLogger } from '../runtime/actor-runtime.ts'
import type { Clock, TimerHandle } from '../runtime/clock.ts'
import { descriptorsExhausted } from './descriptors.ts'

const intervalMs = 1_000

/** Descriptors that must be free to accept again. */
const spareDescriptors = 16

/** Looks for exhaustion while connections come. */
export interface DescriptorWatch {
  /** A connection came: look within a second. */
  accepted(): void
  stop(): void
}

/** What is paused. */
export interface Pausable {
  /** Stops accepting. */
  pause(): void
  /** Accepts again; rejects when it cannot yet. */
  resume(): Promise<void>
}

/** Creates a watch; `exhausted` asks the system, and is a parameter so that tests need no exhausted process. */
export function createDescriptorWatch(
  clock: Clock,
  log: ActorLogger,
  { pause, resume }: Pausable,
  exhausted: (spare: number) => boolean = descriptorsExhausted,
): DescriptorWatch {
  let timer: TimerHandle
  let pending = false
  let paused = false
  let stopped = false

  function look(): void {
    pending = false
    if (paused) recover()
    else if (exhausted(1)) {
      paused = true
      log.error('out of file descriptors: connections are refused until there are some again')
      pause()
      schedule()
    }
  }

  function recover(): void {
    if (exhausted(spareDescriptors)) {
      schedule()
      return
    }
    resume().then(() => {
      paused = false
      log.warn('file descriptors are available again')
    }, schedule)
  }

  function schedule(): void {
    if (pending || stopped) return
    pending = true
    timer = clock.setTimeout(look, intervalMs)
  }

  return {
    accepted: schedule,
    stop() {
      stopped = true
      pending = false
      clock.clearTimeout(timer)
    },
  }
}
