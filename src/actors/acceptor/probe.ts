/**
 * Asks the system for an address alone, before shards share it: with `reusePort` a second node on the same port would
 * succeed silently and take half of the connections.
 */
import { createServer } from 'node:net'
import { listenError } from '../serving/listen-error.ts'

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

/** The port of a listening server. */
export function boundPort(address: ReturnType<ReturnType<typeof createServer>['address']>, fallback: number): number {
  return address !== null && typeof address === 'object' ? address.port : fallback
}
