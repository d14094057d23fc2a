/** How an actor ended, in words: for the texts of errors and of logs. */
import type { ExitReason } from './exit.ts'

/** The type of a reason with what else it tells, such as `bootstrapFailed: the peer is not there`. */
export function reasonText(reason: ExitReason): string {
  switch (reason.type) {
    case 'threw':
    case 'unhandledRejection':
    case 'bootstrapFailed':
      return `${reason.type}: ${thrownText(reason.error)}`
    case 'exited':
      return `exited with code ${reason.code}`
    case 'stalled':
      return `stalled: ${reason.diagnosis} for ${reason.forMs} ms`
    case 'initTimedOut':
      return `initTimedOut after ${reason.afterMs} ms`
    case 'shutdown':
    case 'killed':
    case 'outOfMemory':
      return reason.detail === undefined ? reason.type : `${reason.type} (${reason.detail})`
    case 'normal':
    case 'noproc':
      return reason.type
  }
}

/** Whatever was thrown, also what cannot be read. */
export function thrownText(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message || thrown.name) : String(thrown)
  } catch {
    return 'what cannot be read'
  }
}
