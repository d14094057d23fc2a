/** The signals that ask a node to stop. Imports nothing, so that it can listen before anything else is loaded. */

/** Whether, and by what, this process was asked to stop. */
export interface StopSignals {
  readonly isAsked: boolean
  /** Settles with the first signal. */
  readonly asked: Promise<NodeJS.Signals>
}

/** Listens to SIGTERM, SIGHUP and the first SIGINT. The second one ends the process at once. */
export function listenToStopSignals(): StopSignals {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  let isAsked = false
  const take = (signal: NodeJS.Signals): void => {
    isAsked = true
    resolve(signal)
  }
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, take)
  // Nobody listens to the second, so the system itself ends the process: `process.exit` would wait for workers.
  process.once('SIGINT', take)
  return {
    get isAsked() {
      return isAsked
    },
    asked: promise,
  }
}
