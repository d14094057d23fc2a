/** The listening socket of an acceptor or of the main thread: one that survives what accepting can throw at it. */
import { createServer, type Server, type Socket } from 'node:net'
import type { ActorLogger } from '../runtime/actor-runtime.ts'
import type { Clock } from '../runtime/clock.ts'
import { LogThrottle } from '../runtime/log-throttle.ts'
import { listenError } from '../serving/listen-error.ts'
import type { AcceptorInput } from './config.ts'
import { openShardCounters } from './counters.ts'
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
  /** The shard whose counters it writes; the first one for the main thread. */
  readonly shard: number
  onSocket(socket: Socket): void
}

/** Listens at the input's address. Rejects with `PORT_IN_USE` or `LISTEN_FAILED`. */
export async function listen(input: AcceptorInput, options: ListenOptions): Promise<Listener> {
  const { host, keepAliveIdleMs, keepAliveIntervalMs, keepAliveProbes } = input
  const { clock, log, onSocket } = options
  const counters = openShardCounters(input.counters, Math.max(0, options.shard), input.limits)
  const throttle = new LogThrottle<'accepting' | 'listening'>(clock, errorLogIntervalMs)
  const watch = createDescriptorWatch(clock, log, { pause, resume })
  let isClosed = false
  let server = await open(input.port)
  const port = boundPort(server.address(), input.port)

  function open(port: number): Promise<Server> {
    const opened = createServer({ allowHalfOpen: true, pauseOnConnect: options.pauseOnConnect, noDelay: true })
    opened.on('connection', socket => {
      watch.accepted()
      // Options of the server would set the idle time alone.
      socket.setKeepAlive(true, keepAliveIdleMs, keepAliveIntervalMs, keepAliveProbes)
      onSocket(socket)
    })
    return new Promise((resolve, reject) => {
      opened.once('error', error => reject(listenError(error, host, port)))
      opened.listen({ host, port, backlog: input.backlog, exclusive: true, reusePort: options.reusePort }, () => {
        // A connect that fails while it is accepted: the listener is sound, and a storm of them is worth one line.
        opened.removeAllListeners('error').on('error', error => {
          throttle.write('accepting', leftOut => log.error({ err: error, leftOut }, 'accepting a connection failed'))
        })
        resolve(opened)
      })
    })
  }

  function pause(): void {
    counters.countRefusal('descriptorsExhausted')
    server.close()
  }

  async function resume(): Promise<void> {
    try {
      server = await open(port)
    } catch (error) {
      throttle.write('listening', leftOut => log.error({ err: error, leftOut }, 'listening again failed'))
      throw error
    }
    if (isClosed) server.close()
  }

  return {
    port,
    close: () => {
      isClosed = true
      watch.stop()
      return new Promise(closed => server.close(() => closed()))
    },
  }
}
