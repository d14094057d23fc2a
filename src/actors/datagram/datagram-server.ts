/**
 * The serving side of a datagram actor: takes a datagram, has its protocol answer it now or later. The datagram in hand lies
 * in fields, so that one which is answered at once leaves nothing behind.
 */
import type { RemoteInfo, Socket } from 'node:dgram'
import type { ActorRuntime } from '../runtime/actor-runtime.ts'
import { LogThrottle } from '../runtime/log-throttle.ts'
import { type DatagramPath, type DatagramProtocol, type Verdict, verdict } from '../serving/datagram-protocol.ts'
import type { HeaderSource, Waiter } from '../serving/protocol.ts'
import type { RefusalKind } from '../serving/refusals.ts'
import { Answers, type AnswersOptions } from './answers.ts'
import type { DatagramInput } from './config.ts'
import type { Cookies } from './cookies.ts'
import { type Allowance, Exchanges } from './exchanges.ts'
import { type DatagramFigure, figureAt } from './figures.ts'
import { InFlight, type InFlightLimits } from './in-flight.ts'
import { isCareless } from './transitions.ts'

/** What is served with. */
export interface DatagramServerOptions extends AnswersOptions {
  readonly input: AnswersOptions['input'] & InFlightLimits & Pick<DatagramInput, 'port' | 'malformed'>
  readonly protocol: DatagramProtocol
  readonly runtime: Pick<ActorRuntime, 'clock' | 'log' | 'random'>
}

/** Where it is counted what a protocol refused of requests that went to their handlers. */
const figureOf: Partial<Record<RefusalKind, DatagramFigure>> = {
  headersInvalid: 'malformed',
  bodiesTooLarge: 'malformed',
  bodiesInvalid: 'bodiesInvalid',
  commandsUnknown: 'commandsUnknown',
  requestsWithoutMemory: 'requestsWithoutMemory',
  requestsOverload: 'overloaded',
  commandsLate: 'commandsLate',
  commandsFailed: 'commandsFailed',
}

const logIntervalMs = 10_000

/** How often a server that has nothing in hand looks whether more comes before it is drained, turns of the event loop. */
const lastTurnsMax = 32

const nothing = Buffer.alloc(0)
const nobody: RemoteInfo = { address: '', family: 'IPv4', port: 0, size: 0 }

/** Serves the datagrams of one shard. */
export class DatagramServer implements DatagramPath {
  readonly #input: DatagramServerOptions['input']
  readonly #protocol: DatagramProtocol
  readonly #cookies: Cookies
  readonly #figures: Float64Array
  readonly #log: ActorRuntime['log']
  readonly #throttle: LogThrottle<'protocol'>
  readonly #answers: Answers
  readonly #inFlight: InFlight
  readonly #exchanges: Exchanges
  #isDraining = false
  #drained: (() => void) | undefined
  /** Datagrams that came since the event loop was last looked at, while it drains. */
  #cameInTurn = 0
  #from: RemoteInfo = nobody
  #request: Buffer = nothing
  #isProven = false
  #isChallenged = false
  #allowance: Allowance = 'answer'
  #replyAt = 0
  #replyBytes = 0

  constructor(options: DatagramServerOptions) {
    const { runtime, input, protocol, cookies, figures } = options
    this.#input = input
    this.#protocol = protocol
    this.#cookies = cookies
    this.#figures = figures
    this.#log = runtime.log
    this.#throttle = new LogThrottle(runtime.clock, logIntervalMs)
    this.#answers = new Answers(options)
    this.#inFlight = new InFlight(input, figures)
    this.#exchanges = new Exchanges(runtime.clock, Math.floor(runtime.random() * 2 ** 32))
  }

  /** Serves a socket that is bound, in place of the one before. */
  serve(socket: Socket): void {
    this.#answers.use(socket)
    socket.on('message', this.#receive)
  }

  /** Has no socket any more: what is answered is thrown away until it has another. */
  pause(): void {
    this.#answers.use(undefined)
  }

  /** Counts an error of the socket. */
  failed(error: Error): void {
    this.#answers.failed(error)
  }

  /** Refuses what comes from here on; `drained` is called when what is in hand has been answered and nothing more comes. */
  drain(drained: () => void): void {
    this.#isDraining = true
    this.#drained = drained
    this.#lookWhetherDrained()
  }

  /** Gives up what is in hand. */
  abandon(): void {
    this.#inFlight.abandon()
  }

  get peerAddress(): string {
    return this.#from.address
  }

  get target(): Buffer {
    return this.#answers.slab
  }

  get isUnproven(): boolean {
    return !this.#isProven
  }

  challenge(): void {
    this.#isChallenged = true
  }

  get hasRoom(): boolean {
    return !this.#isDraining && !this.#inFlight.isFull
  }

  get mustProve(): boolean {
    return this.#allowance !== 'answer' || this.#inFlight.isFullForUnproven
  }

  prove(bytes: Buffer, at: number): boolean {
    this.#isProven = this.#cookies.isGood(this.#from.address, this.#from.port, bytes, at)
    return this.#isProven
  }

  reserve(bytes: number): number {
    this.#answers.checkSize(bytes)
    this.#replyAt = this.#answers.reserve(bytes)
    this.#replyBytes = bytes
    return this.#replyAt
  }

  /** What is kept is the datagram, so that is what counts. */
  defer(_requestBytes: number, _header: Buffer | HeaderSource, waiter?: Waiter): number {
    const { address, port } = this.#from
    return this.#inFlight.add({ request: this.#request, address, port, isProven: this.#isProven, waiter })
  }

  settle(token: number, reply: Uint8Array): boolean {
    const awaited = this.#inFlight.get(token)
    if (awaited === undefined) return false
    this.#answers.checkSize(reply.length)
    this.#inFlight.take(token, awaited)
    const { request, address, port, isProven } = awaited
    this.#answers.give(reply, 0, reply.length, request, isProven, address, port)
    if (this.#isDraining) this.#lookWhetherDrained()
    return true
  }

  countRefusal(kind: RefusalKind): void {
    const figure = figureOf[kind]
    if (figure !== undefined) this.#figures[figureAt[figure]]!++
  }

  readonly #receive = (bytes: Buffer, from: RemoteInfo): void => {
    const figures = this.#figures
    figures[figureAt.received]!++
    this.#cameInTurn++
    if (from.port === this.#input.port || isCareless(from.port)) {
      // From a server of this kind, or from what answers everything: an answer would be answered.
      figures[figureAt.silent]!++
    } else if (this.#inFlight.has(bytes, from)) {
      figures[figureAt.repeated]!++
    } else {
      this.#from = from
      this.#request = bytes
      this.#isProven = false
      this.#isChallenged = false
      this.#replyBytes = 0
      this.#allowance = 'answer'
      this.#conclude(this.#judge(bytes))
    }
  }

  #judge(bytes: Buffer): Verdict {
    const { address, port } = this.#from
    try {
      this.#allowance = this.#exchanges.count(address, port, this.#protocol.exchangeOf(bytes))
      const became = this.#protocol.receive(this, bytes)
      return this.#isChallenged ? verdict.mustProve : became
    } catch (err) {
      this.#throttle.write('protocol', leftOut =>
        this.#log.error({ err, leftOut }, 'a datagram was more than its protocol can take'),
      )
      this.#figures[figureAt.silent]!++
      this.#replyBytes = 0
      return verdict.malformed
    }
  }

  /** Counts what became of the datagram in hand, and answers it. */
  #conclude(became: Verdict): void {
    const figures = this.#figures
    const { address, port } = this.#from
    if (became === verdict.taken) figures[figureAt.requests]!++
    else if (became === verdict.malformed) figures[figureAt.malformed]!++
    else if (became === verdict.unknown) figures[figureAt.commandsUnknown]!++
    else if (became === verdict.overloaded) figures[figureAt.overloaded]!++
    else if (became === verdict.unproven) figures[figureAt.unproven]!++
    if (became === verdict.unproven || became === verdict.mustProve) {
      if (this.#allowance === 'silence') figures[figureAt.silent]!++
      else this.#answers.challenge(this.#request, address, port)
    }
    if (this.#replyBytes === 0) return
    const isWanted = became !== verdict.malformed || this.#input.malformed === 'status'
    const isAllowed = this.#isProven || this.#allowance === 'answer'
    if (!isWanted || !isAllowed) figures[figureAt.silent]!++
    else {
      const { target } = this
      this.#answers.give(target, this.#replyAt, this.#replyBytes, this.#request, this.#isProven, address, port)
    }
  }

  /** Nothing in hand: what the system has read by then is still refused in words. */
  #lookWhetherDrained(turnsLeft = lastTurnsMax): void {
    if (this.#inFlight.size > 0 || this.#drained === undefined) return
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
