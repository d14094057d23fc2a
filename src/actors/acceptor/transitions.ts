/** The decisions of an acceptor. */
import type { ServerLimits } from '../../messages/limits.ts'

/** What becomes of a new connection: served, told that there is no room, or dropped without a word. */
export type Admission = 'serve' | 'refuse' | 'drop'

/** Decides on a connection: `counted` says whether it is within the server's limits, `refusals` how many are being told. */
export function admission(counted: boolean, refusals: number, limits: ServerLimits): Admission {
  if (counted) return 'serve'
  return refusals < limits.refusalsMax ? 'refuse' : 'drop'
}
