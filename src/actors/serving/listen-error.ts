/** Why an address cannot be listened on, in words that name it and, where that can be found out, who has it. */
import { StarfishError } from '../../messages/errors.ts'
import { addressText } from '../../messages/host.ts'
import { findPortOwner } from './port-owner.ts'

/** What a port is of: the same number may be free for one and taken for the other. */
export type Transport = 'tcp' | 'udp'

/** What a `PORT_IN_USE` tells. */
export interface PortDetails {
  readonly host: string
  readonly port: number
  readonly transport: Transport
  /** The code of the system's error. */
  readonly reason: string
  /** The process that listens, where that can be found out. */
  readonly pid?: number
}

/**
 * The error of a bind or listen, in the words of the system: `PORT_IN_USE`, with the `pid` that listens where that can be
 * found out, or `LISTEN_FAILED`.
 */
export function listenError(error: Error, host: string, port: number, transport: Transport = 'tcp'): StarfishError {
  const reason = 'code' in error ? String(error.code) : error.message
  const details = { host, port, transport, reason }
  if (reason !== 'EADDRINUSE') {
    const message = `cannot listen on ${addressText(host, port)}${ofTransport(transport)}: ${meaning(reason)}`
    return new StarfishError('LISTEN_FAILED', message, { details, cause: error })
  }
  const owner = findPortOwner(port, transport)
  if (owner === undefined) return portInUse('another program', details, error)
  const by = owner.pid === process.pid ? 'this process' : `process ${owner.pid} (${owner.command})`
  return portInUse(by, { ...details, pid: owner.pid }, error)
}

/** `PORT_IN_USE`, with who has the address. */
export function portInUse(by: string, details: PortDetails, cause: unknown): StarfishError {
  const { host, port, transport } = details
  const message = `${addressText(host, port)}${ofTransport(transport)} is in use by ${by}`
  return new StarfishError('PORT_IN_USE', message, { details: { ...details }, cause })
}

/** People take an address for one of TCP unless told. */
function ofTransport(transport: Transport): string {
  return transport === 'udp' ? ' (UDP)' : ''
}

function meaning(reason: string): string {
  const known: Record<string, string> = {
    EACCES: 'the system forbids it (EACCES)',
    EADDRNOTAVAIL: 'this machine has no such address (EADDRNOTAVAIL)',
    ENOTFOUND: 'the name cannot be resolved (ENOTFOUND)',
    EMFILE: 'no file descriptors are left (EMFILE)',
  }
  return known[reason] ?? reason
}
