/**
 * What a shard sends: answers that are written here, or elsewhere, go to their senders as far as these may get them. There
 * is no other way out.
 */
import type { Socket } from 'node:dgram'
import type { ActorRuntime } from '../runtime/actor-runtime.ts'
import { LogThrottle } from '../runtime/log-throttle.ts'
import type { DatagramProtocol } from '../serving/datagram-protocol.ts'
import type { DatagramInput } from './config.ts'
import type { Cookies } from './cookies.ts'
import { figureAt } from './figures.ts'
import { wayOfAnswer } from './transitions.ts'

/** What answers are sent with. */
export interface AnswersOptions {
  readonly runtime: Pick<ActorRuntime, 'clock' | 'log'>
  readonly input: Pick<DatagramInput, 'payloadBytesMax' | 'unsentMax'>
  readonly protocol: Pick<DatagramProtocol, 'challengeBytes' | 'writeChallenge'>
  readonly cookies: Cookies
  /** Of `openDatagramFigures`. */
  readonly figures: Float64Array
}

/** Answers are written into buffers of this size, one after the other: the system may take a while to read them. */
const slabBytes = 65_536

const logIntervalMs = 10_000

/** The answers of a shard. */
export class Answers {
  /** Where room was made last. */
  slab: Buffer = Buffer.allocUnsafeSlow(slabBytes)
  readonly #input: AnswersOptions['input']
  readonly #protocol: AnswersOptions['protocol']
  readonly #cookies: Cookies
  readonly #figures: Float64Array
  readonly #log: ActorRuntime['log']
  readonly #throttle: LogThrottle<'send'>
  #slabEnd = 0
  #socket: Socket | undefined
  /** Of what the system was handed, what it has not told the outcome of. */
  #unsent = 0

  constructor({ runtime, input, protocol, cookies, figures }: AnswersOptions) {
    this.#input = input
    this.#protocol = protocol
    this.#cookies = cookies
    this.#figures = figures
    this.#log = runtime.log
    this.#throttle = new LogThrottle(runtime.clock, logIntervalMs)
  }

  /** Where answers go out from here on; those that come while there is no socket are thrown away. */
  use(socket: Socket | undefined): void {
    this.#socket = socket
    this.#unsent = 0
  }

  /** Makes room in the slab; its offset. */
  reserve(bytes: number): number {
    if (this.#slabEnd + bytes > this.slab.length) {
      this.slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, bytes))
      this.#slabEnd = 0
    }
    const at = this.#slabEnd
    this.#slabEnd += bytes
    return at
  }

  /** Throws a RangeError for more than a datagram may have. */
  checkSize(bytes: number): void {
    const { payloadBytesMax } = this.#input
    if (bytes > payloadBytesMax) {
      throw new RangeError(`an answer of ${bytes} bytes does not fit a datagram of ${payloadBytesMax}`)
    }
  }

  /** Answers `request` with `bytes` of `reply`, or with a challenge where its sender may not get that, or not at all. */
  give(
    reply: Uint8Array,
    at: number,
    bytes: number,
    request: Buffer,
    isProven: boolean,
    address: string,
    port: number,
  ): void {
    const way = wayOfAnswer(bytes, request.length, isProven, this.#protocol.challengeBytes)
    if (way === 'send') this.#send(reply, at, bytes, address, port)
    else if (way === 'challenge') this.#challenge(request, address, port)
    else this.#figures[figureAt.silent]!++
  }

  /** Has the sender of `request` prove its address; if that is too long an answer as well, it gets none. */
  challenge(request: Buffer, address: string, port: number): void {
    const { challengeBytes } = this.#protocol
    const way = wayOfAnswer(challengeBytes, request.length, false, challengeBytes)
    if (way === 'send') this.#challenge(request, address, port)
    else this.#figures[figureAt.silent]!++
  }

  /** Counts what went wrong with one datagram. */
  failed(err: Error): void {
    this.#figures[figureAt.failed]!++
    this.#throttle.write('send', leftOut => this.#log.warn({ err, leftOut }, 'a datagram was not sent'))
  }

  #challenge(request: Buffer, address: string, port: number): void {
    const { challengeBytes } = this.#protocol
    const at = this.reserve(challengeBytes)
    this.#protocol.writeChallenge(this.slab, at, request, this.#cookies.make(address, port))
    this.#figures[figureAt.challenged]!++
    this.#send(this.slab, at, challengeBytes, address, port)
  }

  #send(reply: Uint8Array, at: number, bytes: number, address: string, port: number): void {
    if (this.#socket === undefined || this.#unsent >= this.#input.unsentMax) {
      this.#figures[figureAt.dropped]!++
      return
    }
    this.#unsent++
    this.#figures[figureAt.sent]!++
    this.#socket.send(reply, at, bytes, port, address, this.#sent)
  }

  /** One function for all: nothing is made for a datagram. */
  readonly #sent = (error: Error | null): void => {
    // That of a socket which has been replaced no longer counts.
    if (this.#unsent > 0) this.#unsent--
    if (error !== null) this.failed(error)
  }
}
