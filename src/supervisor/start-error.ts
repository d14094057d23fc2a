/** Why a start failed, told by whom it failed on, however deep in a tree. */
import { StarfishError } from '../messages/errors.ts'
import type { ExitReason } from '../messages/thread/exit.ts'
import { reasonText } from '../messages/thread/exit-text.ts'

/**
 * The error of a start that failed: START_FAILED, whose `details` are the `address` of the child that could not be
 * started and the `reason` of the start, and whose `cause` is what that child threw. An error of Starfish that the child
 * met (DUPLICATE_ADDRESS, DEFINITION_NOT_FOUND) is passed on as it is.
 */
export function startError(address: string, reason: ExitReason): StarfishError {
  const failed = deepest(address, reason)
  const cause = 'error' in failed.reason ? failed.reason.error : undefined
  if (cause instanceof StarfishError) return cause
  const text = `${failed.address} could not be started: ${reasonText(failed.reason)}`
  return new StarfishError('START_FAILED', text, { details: { address: failed.address, reason }, cause })
}

interface Failed {
  readonly address: string
  readonly reason: ExitReason
}

/** A supervisor fails with the child that was to blame. */
function deepest(address: string, reason: ExitReason): Failed {
  if (reason.type !== 'shutdown' || reason.culprit === undefined) return { address, reason }
  return deepest(`${address}/${reason.culprit.id}`, reason.culprit.reason)
}

/** The error of a start whose shard ended before it was through: its module, or its `init`, may have ended it. */
export function lostStartError(address: string, shard: number, reason: ExitReason): StarfishError {
  const text = `${address} could not be started: shard ${shard} ended: ${reasonText(reason)}`
  const cause = 'error' in reason ? reason.error : undefined
  return new StarfishError('START_FAILED', text, { details: { address, shard, reason }, cause })
}

/** The error of a start that was under way when the system stopped; `cause` is what it failed with. */
export function notStartedError(address: string, cause: unknown): StarfishError {
  const text = `${address} was not started: the system is stopping`
  return new StarfishError('SHUTTING_DOWN', text, { details: { address }, cause })
}

/** The error of a start at an address that somebody has. */
export function duplicateError(address: string): StarfishError {
  return new StarfishError('DUPLICATE_ADDRESS', `an actor has the address ${address} already`, { details: { address } })
}
