/**
 * Asks the system for an address alone, before shards share it: with `reusePort` a second node on the same port would
 * succeed silently and take half of the connections.
 */
import { createServer } from 'node:net'
import { StarfishError } from '../../messages/errors.ts'
import { addressText } from '../../messages/host.ts'
import { findPortOwner } from './port-owner.ts'

/**
 * Listens at the address exclusively for a moment and returns its port: the one asked for, or with port 0 a free one.
 *
 * Rejects with `PORT_IN_USE`, or with `LISTEN_FAILED` and the system's reason; both name the address. Between the probe
 * and the shards' own binds another program may still take the port: then theirs fail.
 */
export function probeAddress(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    // Who connects in this moment came for the node that is about to start, or for none.
    server.on('connection', socket => socket.destroy())
    server.on('error', error => reject(listenError(error, host, port)))
    server.listen({ host, port, exclusive: true, backlog: 1 }, () => {
      const bound = boundPort(server.address(), port)
      server.close(() => resolve(bound))
    })
  })
}

/** What a `PORT_IN_USE` tells. */
export interface PortDetails {
  readonly host: string
  readonly port: number
  /** The code of the system's error. */
  readonly reason: string
  /** The process that listens, where that can be found out. */
  readonly pid?: number
}

/** The port of a listening server. */
export function boundPort(address: ReturnType<ReturnType<typeof createServer>['address']>, fallback: number): number {
  return address !== null && typeof address === 'object' ? address.port : fallback
}

/**
 * The error of a bind or listen, in the words of the system: `PORT_IN_USE`, with the `pid` that listens where that can be
 * found out, or `LISTEN_FAILED`.
 */
export function listenError(error: Error, host: string, port: number): StarfishError {
  const reason = 'code' in error ? String(error.code) : error.message
  const details = { host, port, reason }
  if (reason !== 'EADDRINUSE') {
    const message = `cannot listen on ${addressText(host, port)}: ${meaning(reason)}`
    return new StarfishError('LISTEN_FAILED', message, { details, cause: error })
  }
  const owner = findPortOwner(port)
  if (owner === undefined) return portInUse('another program', details, error)
  const by = owner.pid === process.pid ? 'this process' : `process ${owner.pid} (${owner.command})`
  return portInUse(by, { ...details, pid: owner.pid }, error)
}

/** `PORT_IN_USE`, with who has the address. */
export function portInUse(by: string, details: PortDetails, cause: unknown): StarfishError {
  const message = `${addressText(details.host, details.port)} is in use by ${by}`
  return new StarfishError('PORT_IN_USE', message, { details: { ...details }, cause })
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
