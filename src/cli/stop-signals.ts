/** The signals that ask a node to stop. Imports nothing, so that it can listen before anything else is loaded. */

/** Whether, and by what, this process was asked to stop. */
export interface StopSignals {
  readonly isAsked: boolean
  /** Settles with the first signal. */
  readonly asked: Promise<NodeJS.Signals>
}

/**
 * How long after a SIGINT another one is the same Ctrl-C, ms. Under npm it comes twice: from the terminal, which tells all
 * its processes, and from npm, which passes on what it is told itself.
 */
export function echoMsOf(env: NodeJS.ProcessEnv): number {
  return env['npm_lifecycle_event'] === undefined ? 0 : 1_000
}

/** Listens to SIGTERM, SIGHUP and the first SIGINT with its echo. The second one ends the process at once. */
export function listenToStopSignals(echoMs: number): StopSignals {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  let isAsked = false
  const take = (signal: NodeJS.Signals): void => {
    isAsked = true
    resolve(signal)
  }
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, take)
  // Nobody listens to the second, so the system itself ends the process: `process.exit` would wait for workers.
  process.once('SIGINT', signal => {
    take(signal)
    if (echoMs === 0) return
    const ignore = (): void => {}
    process.on(signal, ignore)
    setTimeout(() => process.off(signal, ignore), echoMs)
  })
  return {
    get isAsked() {
      return isAsked
    },
    asked: promise,
  }
}
