/** The errors that the end of a link stands for, as far as it is known how it ended. */
import { type Handled, StarfishError } from '../../messages/errors.ts'
import type { LinkEnd } from './link.ts'
import type { PendingRequest } from './pending-request.ts'

/**
 * A connection that never came up: CONNECT_FAILED. `unanswered` is the protocol that it was greeted by and that was not
 * answered: somebody is there who says something else than a greeting is answered with, or nothing.
 */
export function connectError(server: string, end: LinkEnd | undefined, unanswered: string | undefined): StarfishError {
  const { reason, cause } = known(end)
  const guess = unanswered === undefined ? '' : `; does it speak ${unanswered}?`
  const text = `no connection to ${server} came up: ${reason}${guess}`
  return new StarfishError('CONNECT_FAILED', text, { details: { server, reason }, handled: 'no', cause })
}

/**
 * What was asked, in words, and not answered when the connection ended: what the server has said of it, else CONNECTION_LOST, with
 * a `doubt` of the request itself.
 */
export function lossError(
  server: string,
  end: LinkEnd | undefined,
  asked: string,
  handled: Handled,
  doubt = '',
): StarfishError {
  const { reason, cause, error } = known(end)
  const details = { server, reason }
  if (error !== undefined) {
    return new StarfishError(error.code, error.message, { details, handled: error.handled ?? handled, cause })
  }
  const text = `the connection to ${server} ended before ${asked} was answered: ${reason}${doubt}`
  return new StarfishError('CONNECTION_LOST', text, { details, handled, cause })
}

/** What was asked ended one connection after another, and may be larger than the server takes: REQUEST_REFUSED. */
export function sizeError(server: string, request: PendingRequest): StarfishError {
  const text = `${request.describe()} was given up: connections to ${server} end before it is answered${request.doubt}`
  return new StarfishError('REQUEST_REFUSED', text, { details: { server, bytes: request.bytes }, handled: 'unknown' })
}

/** The same, where it was the client that ended: CLIENT_CLOSED. */
export function closedError(server: string, end: LinkEnd | undefined, asked: string, handled: Handled): StarfishError {
  const details = { server, reason: known(end).reason }
  const text = `the client was closed before ${asked} was answered`
  return new StarfishError('CLIENT_CLOSED', text, { details, handled })
}

function known(end: LinkEnd | undefined): Omit<LinkEnd, 'isClean'> {
  return end ?? { reason: 'it ended' }
}
