/** The listening socket of an acceptor or of the main thread: one that survives what accepting can throw at it. */
import { createServer, type Socket } from 'node:net'
import type { ActorLogger } from '../runtime/actor-runtime.ts'
import type { Clock } from '../runtime/clock.ts'
import { listenError } from '../serving/listen-error.ts'
import type { AcceptorInput } from './config.ts'
import { createDescriptorWatch } from './descriptor-watch.ts'
import { boundPort } from './probe.ts'

const errorLogIntervalMs = 10_000

/** A socket that listens. */
export interface Listener {
  readonly port: number
  /** Accepts no more; resolves when the socket is closed. Connections that were accepted live on. */
  close(): Promise<void>
}

/** What {@link listen} needs besides the address. */
export interface ListenOptions {
  readonly reusePort: boolean
  /** Hands out sockets that have not been read, for another thread. */
  readonly pauseOnConnect: boolean
  readonly clock: Clock
  readonly log: ActorLogger
  onSocket(socket: Socket): void
}

/** Listens at the input's address. Rejects with `PORT_IN_USE` or `LISTEN_FAILED`. */
export function listen(input: AcceptorInput, options: ListenOptions): Promise<Listener> {
  const { host, port, backlog } = input
  const { clock, log, onSocket } = options
  return new Promise((resolve, reject) => {
    const watch = createDescriptorWatch(clock, log)
    let listening = false
    let loggedAtMs = Number.NEGATIVE_INFINITY
    const server = createServer({
      allowHalfOpen: true,
      pauseOnConnect: options.pauseOnConnect,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: input.keepAliveIdleMs,
    })
    server.on('connection', socket => {
      watch.accepted()
      onSocket(socket)
    })
    server.on('error', error => {
      if (!listening) {
        watch.stop()
        reject(listenError(error, host, port))
      } else if (clock.now() - loggedAtMs >= errorLogIntervalMs) {
        // A connect that failed while being accepted: the listener is sound, and a storm of them is worth one line.
        loggedAtMs = clock.now()
        log.error({ err: error }, 'accepting a connection failed')
      }
    })
    server.listen({ host, port, backlog, exclusive: true, reusePort: options.reusePort }, () => {
      listening = true
      resolve({
        port: boundPort(server.address(), port),
        close: () => {
          watch.stop()
          return new Promise(closed => server.close(() => closed()))
        },
      })
    })
  })
}
