/**
 * The acceptor's sockets: listens on its shard, or is handed sockets by the listener on another thread, and gives them
 * to the shard's server.
 */
import { StarfishError } from '../../messages/errors.ts'
import type { ActorRuntime } from '../runtime/actor-runtime.ts'
import type { CreateConnections } from '../serving/connections.ts'
import { loadProtocol } from '../serving/protocol-loader.ts'
import type { AcceptorInput } from './config.ts'
import type { AcceptorEvent } from './events.ts'
import type { HandoffMessage, HandoffWord } from './handoff-messages.ts'
import { dialHandoff, type HandoffChannel } from './handoff-registry.ts'
import { takeSocket } from './handoff-window.ts'
import { type Listener, listen } from './listener.ts'
import type { AcceptorContext } from './machine.ts'
import { createShardServer, type ShardServer } from './shard-server.ts'

/** Where an acceptor's sockets come from. */
interface SocketSource {
  /** Resolves when no further socket can come. */
  stop(): Promise<void>
  /** Ends it at once; sockets on their way are lost. */
  abandon(): void
}

/** What provides the chart's actions on a shard, for connections that are made so. */
export function acceptorIo<C>(createConnections: CreateConnections<C>) {
  return (runtime: ActorRuntime) => provideActions(runtime, createConnections)
}

function provideActions<C>(runtime: ActorRuntime, createConnections: CreateConnections<C>) {
  const feed = (event: AcceptorEvent): void => runtime.feed(event)
  let server: ShardServer | undefined
  let source: SocketSource | undefined
  let stopped = false

  async function bind(input: AcceptorInput): Promise<void> {
    if (server === undefined) {
      const { clock, random, log } = runtime
      const protocol = await loadProtocol(input.protocol, { clock, random, log, limits: input.limits, actor: runtime })
      if (stopped) return
      server = createShardServer(runtime, input, protocol, createConnections)
    }
    if (input.accept === 'handoff') source = await takeHandoff(runtime, input, server, feed)
    else source = await listenHere(runtime, input, server, feed)
    if (stopped) await source.stop()
  }

  async function stop(): Promise<void> {
    stopped = true
    await source?.stop()
  }

  runtime.onStop(() => {
    stopped = true
    source?.abandon()
    server?.destroy()
  })

  return {
    actions: {
      bind: ({ context }: { context: AcceptorContext }) => {
        bind(context.input).catch(error => feed({ type: 'acceptor.bindFailed', error }))
      },
      stopAccepting: () => {
        stopped = true
      },
      drainConnections: () => {
        // Connections end while the listener is still being told: one that is stuck must not keep them.
        Promise.all([stop(), server?.drain()]).then(
          () => feed({ type: 'acceptor.drained' }),
          error => runtime.fail(error),
        )
      },
      destroyConnections: () => server?.destroy(),
      reportFailure: ({ context }: { context: AcceptorContext }) =>
        runtime.fail(context.error ?? new StarfishError('LISTEN_FAILED', 'the acceptor failed')),
    },
  }
}

async function listenHere(
  runtime: ActorRuntime,
  input: AcceptorInput,
  server: ShardServer,
  feed: (event: AcceptorEvent) => void,
): Promise<SocketSource> {
  const listener: Listener = await listen(input, {
    reusePort: true,
    pauseOnConnect: false,
    clock: runtime.clock,
    log: runtime.log,
    shard: runtime.shard,
    onSocket: server.accept,
  })
  feed({ type: 'acceptor.bound', port: listener.port })
  // Connections outlive the listener, so its own end is not waited for.
  const close = (): void => void listener.close()
  return { stop: async () => close(), abandon: close }
}

async function dial(input: AcceptorInput, shard: number): Promise<HandoffChannel> {
  const { host, port, handoff } = input
  try {
    return await dialHandoff(handoff, shard)
  } catch (cause) {
    throw new StarfishError('LISTEN_FAILED', `thread ${handoff.threadId}, which accepts for ${host}:${port}, is gone`, {
      details: { host, port, reason: 'noListener', ...handoff },
      cause,
    })
  }
}

/** Dials the listener; tells the chart when it has answered, and when it is gone though nobody said so. */
async function takeHandoff(
  runtime: ActorRuntime,
  input: AcceptorInput,
  server: ShardServer,
  feed: (event: AcceptorEvent) => void,
): Promise<SocketSource> {
  const { port, window } = await dial(input, runtime.shard)
  const tellRoom = onceATurn(() => say({ type: 'room' }))
  let over = false
  const ended = Promise.withResolvers<void>()

  port.on('message', (message: HandoffMessage) => {
    if (message.type === 'socket') {
      if (takeSocket(window)) tellRoom()
      server.accept(message.socket)
    } else if (message.type === 'bound') {
      // From here on sockets keep the thread alive, not the wait for them.
      port.unref()
      feed({ type: 'acceptor.bound', port: message.port })
    } else finish(message.type === 'stopped')
  })
  port.on('close', () => {
    if (!over) feed({ type: 'acceptor.unbound' })
    finish(false)
  })

  function say(word: HandoffWord): void {
    if (!over) port.postMessage(word)
  }

  function finish(close: boolean): void {
    over = true
    ended.resolve()
    if (close) port.close()
  }

  return {
    stop() {
      say({ type: 'stop' })
      return ended.promise
    },
    abandon() {
      over = true
      port.close()
    },
  }
}

/** Calls `work` when the event loop has taken all that has come, however often it is asked for before. */
function onceATurn(work: () => void): () => void {
  let planned = false
  return () => {
    if (planned) return
    planned = true
    setImmediate(() => {
      planned = false
      work()
    })
  }
}
