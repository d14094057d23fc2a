/**
 * A place in a stream from which messages are pulled: an ephemeral consumer that acknowledges nothing, which JetStream forgets
 * when nobody asks any more.
 *
 * A pull ends when it has what was asked for, with a status of JetStream (no room for another message, time is up, the consumer
 * is gone), or, when JetStream has forgotten the consumer and says nothing at all, some time after its time is up; a long one has JetStream
 * say now and then that it stands.
 *
 * @see https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-13.md
 */
import { createInbox, type Msg, type Subscription } from '@nats-io/transport-node'
import type { JetstreamConnection } from './connection.ts'
import { disconnected, jetstreamFault } from './jetstream-faults.ts'

/** A message as a pull brings it. */
export interface PulledMessage {
  readonly sequence: number
  readonly payload: Uint8Array
  readonly message: Msg
}

/** What a pull brings at most, and how long it waits for it. */
export interface PullLimits {
  readonly count: number
  /** As JetStream counts them, headers and subjects included; left out: any. */
  readonly bytesMax?: number
  readonly waitMs: number
}

/** JetStream forgets a consumer that nobody pulls from for so long. */
export const cursorLifeMs = 60_000
const graceMs = 1_000
const heartbeatMs = 5_000
const nanoseconds = 1_000_000

interface Pull {
  readonly count: number
  readonly found: PulledMessage[]
  readonly timer: NodeJS.Timeout
  readonly stop: () => void
  resolve(found: PulledMessage[]): void
  reject(error: unknown): void
}

/** One consumer. Pulls come one after the other. */
export class Cursor {
  readonly #connection: JetstreamConnection
  readonly #stream: string
  readonly #consumer: string
  readonly #inbox = createInbox()
  readonly #subscription: Subscription
  /** Messages that were there from the start on when it was opened. */
  readonly pending: number
  #nextSequence: number
  #pull: Pull | undefined
  #closed = false

  private constructor(
    connection: JetstreamConnection,
    stream: string,
    from: number,
    consumer: string,
    pending: number,
  ) {
    this.#connection = connection
    this.#stream = stream
    this.#consumer = consumer
    this.pending = pending
    this.#nextSequence = from
    this.#subscription = connection.subscribe(this.#inbox, message => this.#take(message))
  }

  /** `headersOnly`: payloads stay where they are. @throws what JetStream throws, such as that there is no stream. */
  static async open(
    connection: JetstreamConnection,
    stream: string,
    from: number,
    headersOnly = false,
  ): Promise<Cursor> {
    const { name, num_pending } = await connection.ask(manager =>
      manager.consumers.add(stream, {
        ack_policy: 'none',
        deliver_policy: 'by_start_sequence',
        opt_start_seq: from,
        inactive_threshold: cursorLifeMs * nanoseconds,
        mem_storage: true,
        num_replicas: 1,
        ...(headersOnly ? { headers_only: true } : {}),
      }),
    )
    return new Cursor(connection, stream, from, name, num_pending)
  }

  /** The sequence from which the next pull goes on. */
  get nextSequence(): number {
    return this.#nextSequence
  }

  /** Answers what there is until a limit is reached; rejects with `STORAGE_FAILED`. */
  async pull({ count, bytesMax, waitMs }: PullLimits): Promise<PulledMessage[]> {
    const beats = waitMs > 2 * heartbeatMs
    const request = {
      batch: count,
      expires: waitMs * nanoseconds,
      ...(bytesMax === undefined ? {} : { max_bytes: bytesMax }),
      ...(beats ? { idle_heartbeat: heartbeatMs * nanoseconds } : {}),
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#end(), (beats ? 2 * heartbeatMs : waitMs) + graceMs)
      const stop = this.#connection.onLost(() => this.#end(disconnected(this.#connection.store, 'no')))
      this.#pull = { count, found: [], timer, stop, resolve, reject }
      try {
        const subject = `$JS.API.CONSUMER.MSG.NEXT.${this.#stream}.${this.#consumer}`
        this.#connection.publish(subject, JSON.stringify(request), { reply: this.#inbox })
      } catch (error) {
        this.#end(jetstreamFault(error, this.#connection.store, 'no'))
      }
    })
  }

  /** Has JetStream forget it. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#end()
    this.#subscription.unsubscribe()
    if (!this.#connection.connected) return
    // It is forgotten in any case, only later.
    this.#connection.ask(manager => manager.consumers.delete(this.#stream, this.#consumer)).catch(() => undefined)
  }

  #take(message: Msg): void {
    const pull = this.#pull
    if (pull === undefined) return
    const status = message.data.length === 0 ? (message.headers?.code ?? 0) : 0
    if (status >= 400) {
      this.#end()
      return
    }
    if (status > 0) pull.timer.refresh()
    const sequence = sequenceOf(message.reply)
    if (sequence === undefined) return
    pull.found.push({ sequence, payload: message.data, message })
    this.#nextSequence = sequence + 1
    if (pull.found.length === pull.count) this.#end()
  }

  #end(error?: unknown): void {
    const pull = this.#pull
    if (pull === undefined) return
    this.#pull = undefined
    clearTimeout(pull.timer)
    pull.stop()
    if (error === undefined) pull.resolve(pull.found)
    else pull.reject(error)
  }
}

/**
 * The sequence in the stream, out of the subject that a message is to be acknowledged on:
 * `$JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.<…>.<time>.<pending>`, or `$JS.ACK.<domain>.<account>.<stream>.…` from later
 * servers.
 */
function sequenceOf(reply: string | undefined): number | undefined {
  if (reply === undefined || !reply.startsWith('$JS.ACK.')) return undefined
  let at = reply.length
  let fields = 1
  for (let dot = reply.indexOf('.'); dot >= 0; dot = reply.indexOf('.', dot + 1)) if (++fields === 6) at = dot + 1
  if (fields > 9) at = reply.indexOf('.', reply.indexOf('.', at) + 1) + 1
  const sequence = Number(reply.slice(at, reply.indexOf('.', at)))
  return Number.isSafeInteger(sequence) ? sequence : undefined
}
