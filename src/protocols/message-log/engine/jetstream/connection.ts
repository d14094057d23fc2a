/**
 * One connection to NATS, which comes back by itself. While it is lost everything is refused at once, and what was in hand is
 * rejected: nothing waits for a server that may never return.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import {
  connect,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  type PublishOptions,
  type Subscription,
} from '@nats-io/transport-node'
import type { Handled } from '../../../../messages/errors.ts'
import { storeClosed } from '../engine-errors.ts'
import type { JetstreamLogConfig } from './config.ts'
import { disconnected, jetstreamFault } from './jetstream-faults.ts'

const reconnectWaitMs = 100
const pingIntervalMs = 5_000
const connectPauseMs = 100

/** A hand on NATS. */
export class JetstreamConnection {
  /** What it is known by in errors. */
  readonly store: string
  readonly requestTimeoutMs: number
  readonly #nats: NatsConnection
  readonly #manager: JetStreamManager
  readonly #lostListeners = new Set<() => void>()
  readonly #waiting = new Set<() => void>()
  #connected = true
  #closed = false

  private constructor(store: string, requestTimeoutMs: number, nats: NatsConnection, manager: JetStreamManager) {
    this.store = store
    this.requestTimeoutMs = requestTimeoutMs
    this.#nats = nats
    this.#manager = manager
    void this.#follow()
  }

  /** Connects, and tries again for the time of a request. @throws `STORAGE_FAILED`. */
  static async open({
    servers,
    store,
    credentials,
    requestTimeoutMs,
  }: JetstreamLogConfig): Promise<JetstreamConnection> {
    const name = `${servers.join(',')}/${store}`
    const giveUpAtMs = performance.now() + requestTimeoutMs
    for (;;) {
      try {
        const nats = await connect({
          ...credentials,
          servers: [...servers],
          name: `starfish log ${store}`,
          timeout: requestTimeoutMs,
          maxReconnectAttempts: -1,
          // What it was let in with may be refused for a while, and come back.
          ignoreAuthErrorAbort: true,
          reconnectTimeWait: reconnectWaitMs,
          pingInterval: pingIntervalMs,
        })
        const manager = await jetstreamManager(nats, { checkAPI: false, timeout: requestTimeoutMs })
        return new JetstreamConnection(name, requestTimeoutMs, nats, manager)
      } catch (error) {
        const refusedForGood = (error as Error).name === 'AuthorizationError'
        if (refusedForGood || performance.now() > giveUpAtMs) throw jetstreamFault(error, name, 'no')
        await delay(connectPauseMs)
      }
    }
  }

  /** The largest message with its headers, as the server says it. */
  get payloadBytesMax(): number {
    return this.#nats.info?.max_payload ?? 1_048_576
  }

  get connected(): boolean {
    return this.#connected && !this.#closed
  }

  /** Calls `listener` whenever the connection is lost or closed, until the function it answers is called. */
  onLost(listener: () => void): () => void {
    this.#lostListeners.add(listener)
    return () => this.#lostListeners.delete(listener)
  }

  /** Resolves when there is a connection, and when it is closed for good. */
  async whenConnected(): Promise<void> {
    if (this.#connected || this.#closed) return
    await new Promise<void>(resolve => this.#waiting.add(resolve))
  }

  /** Has JetStream asked; what it throws is thrown as it is. Rejects at once when the connection is lost meanwhile. */
  ask<T>(question: (manager: JetStreamManager) => Promise<T>, handled: Handled = 'no'): Promise<T> {
    return this.#unlessLost(() => question(this.#manager), handled)
  }

  /** Publishes what is answered by one message. Rejects as {@link ask} does; it may have been handled then. */
  request(subject: string, payload: string, headers: MsgHdrs): Promise<Msg> {
    const options = { timeout: this.requestTimeoutMs, headers }
    return this.#unlessLost(() => this.#nats.request(subject, payload, options), 'unknown')
  }

  /** @throws `STORAGE_FAILED` unless it is connected. */
  publish(subject: string, payload: Uint8Array | string, options: PublishOptions = {}): void {
    this.check()
    this.#nats.publish(subject, payload, options)
  }

  /** Outlives the loss of the connection. */
  subscribe(subject: string, callback: (message: Msg) => void): Subscription {
    return this.#nats.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) callback(message)
      },
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#tellLost()
    this.#resume()
    await this.#nats.close()
  }

  /** @throws `STORAGE_FAILED` unless it is connected. */
  check(): void {
    if (!this.connected) throw this.#lost('no')
  }

  #unlessLost<T>(call: () => Promise<T>, handled: Handled): Promise<T> {
    this.check()
    return new Promise((resolve, reject) => {
      const stop = this.onLost(() => reject(this.#lost(handled)))
      call().then(resolve, reject).finally(stop)
    })
  }

  #lost(handled: Handled): Error {
    return this.#closed ? storeClosed(this.store) : disconnected(this.store, handled)
  }

  async #follow(): Promise<void> {
    for await (const { type } of this.#nats.status()) {
      if (type === 'disconnect' || type === 'staleConnection') {
        this.#connected = false
        this.#tellLost()
      } else if (type === 'reconnect') {
        this.#connected = true
        this.#resume()
      }
    }
  }

  #tellLost(): void {
    for (const listener of [...this.#lostListeners]) listener()
  }

  #resume(): void {
    for (const resume of [...this.#waiting]) resume()
    this.#waiting.clear()
  }
}
