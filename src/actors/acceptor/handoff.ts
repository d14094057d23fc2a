/**
 * The listener of `accept: 'handoff'`: an actor of the main thread that accepts for all shards and reads nothing itself.
 * It runs the acceptor's chart with the I/O of this file.
 */
import { StarfishError } from '../../messages/errors.ts'
import type { ActorRuntime } from '../runtime/actor-runtime.ts'
import { openShardCounters } from './counters.ts'
import { createHandoffDispatch, type HandoffDispatch } from './handoff-dispatch.ts'
import { registerHandoff } from './handoff-registry.ts'
import { type Listener, listen } from './listener.ts'
import type { AcceptorContext } from './machine.ts'

/** The chart's actions for the listener on the main thread; it must run before the acceptors that dial it. */
export function handoffListenerIo(runtime: ActorRuntime) {
  let listener: Listener | undefined
  let dispatch: HandoffDispatch | undefined
  let unregister: (() => void) | undefined
  let ended = false

  async function bind({ input }: AcceptorContext): Promise<void> {
    dispatch = createHandoffDispatch()
    const counters = openShardCounters(input.counters, Math.max(0, runtime.shard), input.limits)
    // Before it listens: acceptors start right after this actor, and those that dial now wait for its word.
    unregister = registerHandoff(input.handoff.listener, dispatch)
    const bound = await listen(input, {
      reusePort: false,
      pauseOnConnect: true,
      clock: runtime.clock,
      log: runtime.log,
      shard: runtime.shard,
      onSocket(socket) {
        if (dispatch?.give(socket) === false) counters.countRefusal('connectionsDropped')
      },
    })
    if (ended) return bound.close()
    listener = bound
    dispatch.listening(bound.port)
    runtime.feed({ type: 'acceptor.bound', port: bound.port } as { type: string })
  }

  /** With `farewell` the shards know that it was meant; without it they look for the next incarnation. */
  async function end(farewell: boolean): Promise<void> {
    ended = true
    unregister?.()
    const closing = listener?.close()
    if (farewell) dispatch?.end()
    else dispatch?.abandon()
    await closing
  }

  runtime.onStop(() => end(false))
  return {
    actions: {
      bind: ({ context }: { context: AcceptorContext }) => {
        bind(context).catch(error => runtime.feed({ type: 'acceptor.bindFailed', error } as { type: string }))
      },
      stopAccepting: () => {},
      drainConnections: () => {
        end(true).then(
          () => runtime.feed({ type: 'acceptor.drained' }),
          error => runtime.fail(error),
        )
      },
      destroyConnections: () => {},
      reportFailure: ({ context }: { context: AcceptorContext }) =>
        runtime.fail(context.error ?? new StarfishError('LISTEN_FAILED', 'the listener failed')),
    },
  }
}
