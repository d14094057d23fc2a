/**
 * The worker host on Piscina: one pool for each worker, one watchdog for all.
 */
import { type Clock, systemClock } from '../../actors/runtime/clock.ts'
import { StarfishError } from '../../messages/errors.ts'
import { PiscinaWorker, type WorkerSurroundings } from './hosted-worker.ts'
import { readThreadTime } from './thread-time.ts'
import { createWatchdog } from './watchdog.ts'
import type { Diagnosis } from './watchdog-decision.ts'
import type { HostedWorker, WorkerHost } from './worker-host.ts'

/** Options of {@link createPiscinaHost}; each has a default. */
export interface PiscinaHostOptions {
  /** Default: the process's clock. */
  readonly clock?: Clock
  /** A loaded worker that could run and did not turn its event loop for this long is ended, ms. Default 5,000. */
  readonly stalledAfterMs?: number
  /** How often workers are looked at, ms; a stall is noticed that much later. Default a tenth of `stalledAfterMs`. */
  readonly watchIntervalMs?: number
  /** A worker that is not gone this long after it was ended is given up as a zombie, ms. Default 1,000. */
  readonly zombieAfterMs?: number
  /** Soft heap mark: a worker whose live heap passes this share of its limit ends itself. Default 0.85. */
  readonly heapMarkRatio?: number
  /** Is told when a loaded worker begins to look starved, stalled or alive again: for the log. */
  readonly onDiagnosis?: (worker: HostedWorker, diagnosis: Diagnosis, forMs: number) => void
}

/** Creates a host; it holds nothing until a worker is started. */
export function createPiscinaHost(options: PiscinaHostOptions = {}): WorkerHost {
  const { clock = systemClock, stalledAfterMs = 5_000, zombieAfterMs = 1_000, heapMarkRatio = 0.85 } = options
  const { watchIntervalMs: intervalMs = stalledAfterMs / 10 } = options
  const watchdog = createWatchdog({ clock, intervalMs, stalledAfterMs, readThread: id => readThreadTime(id) })
  const surroundings: WorkerSurroundings = {
    clock,
    zombieAfterMs,
    heapMarkRatio,
    // Two ticks an interval: a worker that lives never misses one.
    tickMs: intervalMs / 2,
    diagnosed: (worker, diagnosis, forMs) => options.onDiagnosis?.(worker, diagnosis, forMs),
  }
  const workers = new Set<PiscinaWorker>()
  let closed = false

  return {
    start(start) {
      if (closed) throw new StarfishError('SHUTTING_DOWN', 'the worker host is closed')
      const worker = new PiscinaWorker(start, surroundings)
      const unwatch = watchdog.watch(worker)
      workers.add(worker)
      void worker.ending.then(unwatch)
      void worker.gone.then(() => workers.delete(worker))
      return worker
    },
    async close() {
      closed = true
      await Promise.all([...workers].map(endForGood))
    },
  }
}

async function endForGood(worker: HostedWorker): Promise<void> {
  await worker.terminate({ type: 'shutdown' })
  const { zombie } = await worker.ended
  if (!zombie) await worker.gone
}
