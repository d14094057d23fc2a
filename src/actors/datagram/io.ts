/**
 * The socket of a datagram actor. The chart is compiled, its actions are shared by all incarnations: each finds the socket
 * of its own by its runtime.
 */
import type { Socket } from 'node:dgram'
import type { ActorRuntime } from '../runtime/actor-runtime.ts'
import { runtimeOf } from '../runtime/runtime-actions.ts'
import type { DatagramProtocol } from '../serving/datagram-protocol.ts'
import { loadProtocol } from '../serving/protocol-loader.ts'
import type { DatagramInput } from './config.ts'
import { createCookies } from './cookies.ts'
import { DatagramServer } from './datagram-server.ts'
import type { DatagramEvent } from './events.ts'
import { openDatagramFigures } from './figures.ts'
import { bindSocket, close } from './socket.ts'
import { breaksSocket } from './transitions.ts'

interface Scope {
  readonly system: unknown
}

interface FailedScope extends Scope {
  readonly context: { readonly error: unknown }
}

const ios = new WeakMap<ActorRuntime, DatagramIo>()

/** What makes the I/O of an actor before its chart starts: `init` of its definition. */
export function openDatagramIo(input: DatagramInput, runtime: ActorRuntime): undefined {
  ios.set(runtime, new DatagramIo(runtime, input))
}

/** Loads the protocol, the first time, and binds; reports `bound`, `bindFailed` or `failed`. */
export function bind(scope: Scope): void {
  ioOf(scope)?.bind()
}

/** Refuses what still comes; reports `drained` when nothing is in hand any more. */
export function drain(scope: Scope): void {
  ioOf(scope)?.drain()
}

/** Gives up what is in hand. */
export function abandonRequests(scope: Scope): void {
  ioOf(scope)?.abandon()
}

/** Ends the actor with `context.error`. */
export function reportFailure(scope: FailedScope): void {
  runtimeOf(scope)?.fail(scope.context.error)
}

function ioOf(scope: Scope): DatagramIo | undefined {
  const runtime = runtimeOf(scope)
  return runtime === undefined ? undefined : ios.get(runtime)
}

/** The socket of one incarnation and what is served over it. */
class DatagramIo {
  readonly #runtime: ActorRuntime
  readonly #input: DatagramInput
  readonly #figures: Float64Array
  #server: DatagramServer | undefined
  #socket: Socket | undefined
  /** It takes no socket any more. */
  #isEnding = false

  constructor(runtime: ActorRuntime, input: DatagramInput) {
    this.#runtime = runtime
    this.#input = input
    this.#figures = openDatagramFigures(input.figures, Math.max(0, runtime.shard))
    runtime.onStop(() => this.#end())
  }

  bind(): void {
    this.#bind().catch(error => this.#feed({ type: 'datagram.bindFailed', error }))
  }

  drain(): void {
    this.#isEnding = true
    const drained = (): void => this.#feed({ type: 'datagram.drained' })
    if (this.#server === undefined) drained()
    else this.#server.drain(drained)
  }

  abandon(): void {
    this.#server?.abandon()
  }

  async #bind(): Promise<void> {
    this.#release()
    const server = await this.#load()
    if (server === undefined) return
    const socket = await bindSocket(this.#input)
    if (this.#isEnding) {
      close(socket)
      return
    }
    this.#socket = socket
    socket.on('error', error => this.#failed(socket, error))
    server.serve(socket)
    this.#feed({ type: 'datagram.bound' })
  }

  async #load(): Promise<DatagramServer | undefined> {
    const actor = this.#runtime
    const { clock, random, log } = actor
    const { protocol: reference, secret, limits } = this.#input
    try {
      this.#server ??= new DatagramServer({
        runtime: this.#runtime,
        input: this.#input,
        protocol: await loadProtocol<DatagramProtocol>(reference, { clock, random, log, limits, actor }),
        cookies: createCookies(secret, clock),
        figures: this.#figures,
      })
      return this.#isEnding ? undefined : this.#server
    } catch (error) {
      this.#feed({ type: 'datagram.failed', error })
      return undefined
    }
  }

  #failed(socket: Socket, error: NodeJS.ErrnoException): void {
    this.#server?.failed(error)
    if (socket !== this.#socket || !breaksSocket(error.code)) return
    this.#release()
    this.#feed({ type: 'datagram.unbound', error })
  }

  #release(): void {
    const socket = this.#socket
    this.#socket = undefined
    this.#server?.pause()
    if (socket !== undefined) close(socket)
  }

  #end(): void {
    this.#isEnding = true
    this.#server?.abandon()
    this.#release()
  }

  #feed(event: DatagramEvent): void {
    this.#runtime.feed(event)
  }
}
