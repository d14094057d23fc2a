/**
 * Finds the actor behind an error that nobody caught, on a thread that is not the library's own: the main thread, or any
 * that runs a system without shards. (A shard's host does the same for its worker.)
 *
 * Node tells of such errors by two events of the process, and a listener of either changes what Node does without one.
 * So the listeners are there only while a system runs, and what is no actor's is passed on as if they were not:
 *
 * - Others listen: they are told by the same event; nothing is to do.
 * - Nobody else does: the listeners step aside and the error is raised once more, as a rejection or a throw, so that
 *   Node itself prints it and ends the process, or tells those who listen to `uncaughtException` alone.
 *
 * What an actor caused is told to the listeners of others as well: events cannot be withheld.
 */

/** A kernel, as far as errors are concerned. */
export interface FaultOwner {
  /** Fails the actor in whose name the running code threw; false when it is none of its own. */
  failCurrent(error: unknown, type: 'threw' | 'unhandledRejection'): boolean
}

const owners = new Set<FaultOwner>()

/** Attributes errors to the actors of a kernel until the function returned is called. */
export function guardFaults(owner: FaultOwner): () => void {
  if (owners.size === 0) attach()
  owners.add(owner)
  return () => {
    if (owners.delete(owner) && owners.size === 0) detach()
  }
}

function attach(): void {
  process.on('uncaughtException', takeException)
  process.on('unhandledRejection', takeRejection)
}

function detach(): void {
  process.off('uncaughtException', takeException)
  process.off('unhandledRejection', takeRejection)
}

function takeException(error: unknown, origin: NodeJS.UncaughtExceptionOrigin): void {
  const type = origin === 'unhandledRejection' ? 'unhandledRejection' : 'threw'
  if (isContained(error, type) || process.listenerCount('uncaughtException') > 1) return
  raise(() =>
    process.nextTick(() => {
      throw error
    }),
  )
}

function takeRejection(reason: unknown): void {
  if (isContained(reason, 'unhandledRejection') || process.listenerCount('unhandledRejection') > 1) return
  // In the other modes Node has done its part already, or does nothing.
  if (!raisesRejections()) return
  raise(() => {
    void Promise.reject(reason)
  })
}

function isContained(error: unknown, type: 'threw' | 'unhandledRejection'): boolean {
  for (const owner of owners) if (owner.failCurrent(error, type)) return true
  return false
}

/** Steps aside for one error; back in place if the process outlives it. */
function raise(again: () => void): void {
  detach()
  again()
  setImmediate(() => {
    if (owners.size > 0) attach()
  }).unref()
}

/** Whether Node makes something of a rejection that has no listener: its `--unhandled-rejections` says. */
function raisesRejections(): boolean {
  const options = [...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/), ...process.execArgv]
  const at = options.findLastIndex(option => option.startsWith('--unhandled-rejections'))
  const mode = at < 0 ? 'throw' : (options[at]!.split('=')[1] ?? options[at + 1])
  return mode === 'throw' || mode === 'warn-with-error-codes'
}
