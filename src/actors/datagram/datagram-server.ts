/**
 * The serving side of a datagram actor: takes a datagram, has its protocol answer it, and sends of the answer what its
 * sender may get. The datagram in hand lies in fields, so that one which is answered at once leaves nothing behind.
 */
import type { RemoteInfo, Socket } from 'node:dgram'
import type { ActorRuntime } from '../runtime/actor-runtime.ts'
import { LogThrottle } from '../runtime/log-throttle.ts'
import type { RefusalKind } from '../serving/connections.ts'
import { type DatagramPath, type DatagramProtocol, type Verdict, verdict } from '../serving/datagram-protocol.ts'
import type { Waiter } from '../serving/protocol.ts'
import type { DatagramInput } from './config.ts'
import type { Cookies } from './cookies.ts'
import { figureAt } from './figures.ts'
import { wayOfAnswer } from './transitions.ts'

/** A request that waits for its command. */
interface Awaited {
  readonly key: string
  /** As it came. */
  readonly request: Buffer
  readonly address: string
  readonly port: number
  readonly isProven: boolean
  readonly waiter: Waiter | undefined
}

/** What is served with. */
export interface DatagramServerOptions {
  readonly runtime: Pick<ActorRuntime, 'clock' | 'log'>
  readonly input: Pick<
    DatagramInput,
    'port' | 'malformed' | 'payloadBytesMax' | 'inFlightRequestsMax' | 'inFlightBytesMax' | 'unsentMax'
  >
  readonly protocol: DatagramProtocol
  readonly cookies: Cookies
  /** Of `openDatagramFigures`. */
  readonly figures: Float64Array
}

/** Answers are written into buffers of this size, one after the other: the system may take a while to read them. */
const slabBytes = 65_536

const logIntervalMs = 10_000

/** How often a server that has nothing in hand looks whether more comes before it is drained, turns of the event loop. */
const lastTurnsMax = 32
const nothing = Buffer.alloc(0)
const nobody: RemoteInfo = { address: '', family: 'IPv4', port: 0, size: 0 }

/** Serves datagrams of one shard. */
export class DatagramServer implements DatagramPath {
  target: Buffer = Buffer.allocUnsafeSlow(slabBytes)
  readonly #input: DatagramServerOptions['input']
  readonly #protocol: DatagramProtocol
  readonly #cookies: Cookies
  readonly #figures: Float64Array
  readonly #runtime: DatagramServerOptions['runtime']
  readonly #throttle: LogThrottle<'send' | 'protocol'>
  readonly #awaited = new Map<number, Awaited>()
  /** Their keys: a repeat has the same. */
  readonly #keys = new Set<string>()
  #lastToken = 0
  #socket: Socket | undefined
  #isDraining = false
  #drained: (() => void) | undefined
  /** Datagrams that came since the last turn of the event loop, while it drains. */
  #cameInTurn = 0
  /** Of what the system was handed, what it has not told the outcome of. */
  #unsent = 0
  #from: RemoteInfo = nobody
  #request: Buffer = nothing
  #isProven = false
  #replyBytes = 0
  #targetEnd = 0

  constructor({ runtime, input, protocol, cookies, figures }: DatagramServerOptions) {
    this.#runtime = runtime
    this.#input = input
    this.#protocol = protocol
    this.#cookies = cookies
    this.#figures = figures
    this.#throttle = new LogThrottle(runtime.clock, logIntervalMs)
  }

  /** Serves a socket that is bound, in place of the one before. */
  serve(socket: Socket): void {
    this.#socket = socket
    this.#unsent = 0
    socket.on('message', this.#receive)
  }

  /** Refuses what comes from here on; `drained` is called when what is in hand has been answered and nothing more comes. */
  drain(drained: () => void): void {
    this.#isDraining = true
    this.#drained = drained
    this.#lookWhetherDrained()
  }

  /** Has no socket any more: what is answered is thrown away until it has another. */
  pause(): void {
    this.#socket = undefined
  }

  /** Gives up what is in hand. */
  abandon(): void {
    const all = [...this.#awaited.values()]
    this.#awaited.clear()
    this.#keys.clear()
    this.#figures[figureAt.inFlight] = 0
    this.#figures[figureAt.inFlightBytes] = 0
    for (const { waiter } of all) waiter?.abandoned()
  }

  get peerAddress(): string {
    return this.#from.address
  }

  get hasRoom(): boolean {
    const { inFlightRequestsMax, inFlightBytesMax } = this.#input
    return (
      !this.#isDraining &&
      this.#awaited.size < inFlightRequestsMax &&
      this.#figures[figureAt.inFlightBytes]! < inFlightBytesMax
    )
  }

  prove(bytes: Buffer, at: number): boolean {
    this.#isProven = this.#cookies.isGood(this.#from.address, this.#from.port, bytes, at)
    return this.#isProven
  }

  reserve(bytes: number): number {
    this.#checkSize(bytes)
    return this.#reserve(bytes)
  }

  /** What is kept is the datagram, so that is what counts. */
  defer(_requestBytes: number, _header: Buffer, waiter?: Waiter): number {
    const token = ++this.#lastToken
    const request = this.#request
    const { address, port } = this.#from
    const key = keyOf(request, this.#from)
    this.#keys.add(key)
    this.#awaited.set(token, { key, request, address, port, isProven: this.#isProven, waiter })
    this.#showInFlight(request.length)
    return token
  }

  settle(token: number, reply: Uint8Array): boolean {
    const awaited = this.#awaited.get(token)
    if (awaited === undefined) return false
    this.#checkSize(reply.length)
    this.#awaited.delete(token)
    this.#keys.delete(awaited.key)
    this.#showInFlight(-awaited.request.length)
    const { request, address, port, isProven } = awaited
    this.#answer(reply, 0, reply.length, request, isProven, address, port)
    if (this.#isDraining) this.#lookWhetherDrained()
    return true
  }

  countRefusal(kind: RefusalKind): void {
    if (kind === 'bodiesInvalid' || kind === 'requestsWithoutMemory') this.#figures[figureAt[kind]]!++
  }

  readonly #receive = (bytes: Buffer, from: RemoteInfo): void => {
    const figures = this.#figures
    figures[figureAt.received]!++
    this.#cameInTurn++
    // From a server of this kind, or from no port at all: an answer would be answered, or cannot be sent.
    if (from.port === this.#input.port || from.port === 0) {
      figures[figureAt.silent]!++
      return
    }
    if (this.#keys.size > 0 && this.#keys.has(keyOf(bytes, from))) {
      figures[figureAt.repeated]!++
      return
    }
    this.#from = from
    this.#request = bytes
    this.#isProven = false
    this.#replyBytes = 0
    let became: Verdict
    try {
      became = this.#protocol.receive(this, bytes)
    } catch (err) {
      this.#throttle.write('protocol', leftOut =>
        this.#runtime.log.error({ err, leftOut }, 'a datagram was more than its protocol can take'),
      )
      figures[figureAt.malformed]!++
      figures[figureAt.silent]!++
      return
    }
    if (became !== verdict.taken) this.#count(became)
    else figures[figureAt.requests]!++
    if (became === verdict.unproven) this.#challenge(bytes, from.address, from.port)
    else if (became === verdict.malformed && this.#input.malformed === 'silence') figures[figureAt.silent]!++
    else if (this.#replyBytes > 0) {
      const at = this.#targetEnd - this.#replyBytes
      this.#answer(this.target, at, this.#replyBytes, bytes, this.#isProven, from.address, from.port)
    }
  }

  #count(became: Verdict): void {
    if (became === verdict.malformed) this.#figures[figureAt.malformed]!++
    else if (became === verdict.overloaded) this.#figures[figureAt.overloaded]!++
    else if (became === verdict.unproven) this.#figures[figureAt.unproven]!++
  }

  #answer(
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

  /** Has the sender prove its address; if that is too long an answer as well, it gets none. */
  #challenge(request: Buffer, address: string, port: number): void {
    const { challengeBytes } = this.#protocol
    if (wayOfAnswer(challengeBytes, request.length, false, challengeBytes) !== 'send') {
      this.#figures[figureAt.silent]!++
      return
    }
    const at = this.#reserve(challengeBytes)
    this.#protocol.writeChallenge(this.target, at, request, this.#cookies.make(address, port))
    this.#figures[figureAt.challenged]!++
    this.#send(this.target, at, challengeBytes, address, port)
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

  readonly #sent = (error: Error | null): void => {
    // That of a socket which has been replaced no longer counts.
    if (this.#unsent > 0) this.#unsent--
    if (error !== null) this.failed(error)
  }

  /** Counts what went wrong with one datagram. */
  failed(err: Error): void {
    this.#figures[figureAt.failed]!++
    this.#throttle.write('send', leftOut => this.#runtime.log.warn({ err, leftOut }, 'a datagram was not sent'))
  }

  #reserve(bytes: number): number {
    if (this.#targetEnd + bytes > this.target.length) {
      this.target = Buffer.allocUnsafeSlow(Math.max(slabBytes, bytes))
      this.#targetEnd = 0
    }
    const at = this.#targetEnd
    this.#targetEnd += bytes
    this.#replyBytes = bytes
    return at
  }

  #checkSize(bytes: number): void {
    const { payloadBytesMax } = this.#input
    if (bytes > payloadBytesMax) {
      throw new RangeError(`an answer of ${bytes} bytes does not fit a datagram of ${payloadBytesMax}`)
    }
  }

  #showInFlight(changeBytes: number): void {
    this.#figures[figureAt.inFlight] = this.#awaited.size
    this.#figures[figureAt.inFlightBytes]! += changeBytes
  }

  /** Nothing in hand: what the system has read by then is still refused in words. */
  #lookWhetherDrained(turnsLeft = lastTurnsMax): void {
    if (this.#awaited.size > 0 || this.#drained === undefined) return
    if (turnsLeft === 0 || (turnsLeft < lastTurnsMax && this.#cameInTurn === 0)) {
      const drained = this.#drained
      this.#drained = undefined
      drained()
      return
    }
    this.#cameInTurn = 0
    setImmediate(() => this.#lookWhetherDrained(turnsLeft - 1))
  }
}

/** The same for the same bytes of the same sender, and for no others. */
function keyOf(request: Buffer, { address, port }: RemoteInfo): string {
  return `${port} ${address} ${request.toString('latin1')}`
}
