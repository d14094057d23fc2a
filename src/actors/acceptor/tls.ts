/**
 * TLS for any protocol: sockets are accepted plain and wrapped on their shard. A TLS server that never listens does the
 * handshakes, so that its rules (client certificates, protocol versions) are Node's own.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Socket } from 'node:net'
import { createSecureContext, createServer, type TlsOptions } from 'node:tls'
import type { Faults } from '../../messages/option-faults.ts'

/** TLS of a listener, as PEM text so that it crosses threads and can be checked before anything starts. */
export interface AcceptorTls {
  readonly cert: string
  readonly key: string
  /** Authorities of client certificates. With it a client must show a certificate that one of them signed. */
  readonly ca?: string
}

/** Does the handshakes of one acceptor. */
export interface TlsGate<T> {
  /** Starts the handshake on a socket that nobody has read. Its end is told to `onSecured`; failure closes the socket. */
  wrap(owner: T, socket: Socket): void
}

/** Adds a fault unless certificate, key and authorities can be used together. */
export function checkTls(tls: AcceptorTls, faults: Faults): void {
  if (!faults.options('tls', tls, ['cert', 'key', 'ca'])) return
  try {
    createSecureContext(contextOptions(tls))
  } catch (error) {
    faults.add('tls', `cannot be used: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Creates the gate. The owner of a handshake is carried by its asynchronous context, the one link that Node documents. */
export function createTlsGate<T>(tls: AcceptorTls, onSecured: (owner: T, socket: Socket) => void): TlsGate<T> {
  const owners = new AsyncLocalStorage<T>()
  const server = createServer(contextOptions(tls), socket => {
    const owner = owners.getStore()
    socket.allowHalfOpen = true
    if (owner === undefined) socket.destroy()
    else onSecured(owner, socket)
  })
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  return {
    wrap(owner, socket) {
      // A peer that ends its side before it can have asked for anything is gone. What Node makes of the socket inherits this.
      socket.allowHalfOpen = false
      owners.run(owner, () => server.emit('connection', socket))
    },
  }
}

function contextOptions(tls: AcceptorTls): TlsOptions {
  const base: TlsOptions = { cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2' }
  return tls.ca === undefined ? base : { ...base, ca: tls.ca, requestCert: true, rejectUnauthorized: true }
}
