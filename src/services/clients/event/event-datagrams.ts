/**
 * The event protocol over UDP: a link whose requests and answers are one datagram each, told apart by session.
 *
 * ```
 *   send ─> datagram ─────────────> server
 *             ^ 50 ms, 100, … 1 s     │ answer ─> answered, failed
 *             └── not answered        └ cookieRequired ─> at once again, with the cookie
 * ```
 * - A datagram may be lost, so it is sent again until it is answered; a command may so be handled more than once.
 * - What does not come from the server, is no whole answer, or answers nothing that is in flight (the second answer to one
 *   request for example) is passed over.
 * - While requests are repeated the server is pinged: a command that takes long is told from a server that is gone.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { lookup } from 'node:dns'
import type { Clock, Random } from '../../../actors/runtime/clock.ts'
import { Deadline, Deadlines } from '../../../actors/runtime/deadlines.ts'
import { StarfishError } from '../../../messages/errors.ts'
import { EVENT_COOKIE_BYTES, EVENT_COOKIE_FLAG, EVENT_COOKIE_PERIOD_MS } from '../../../messages/event/cookie.ts'
import { encodeEventRequest } from '../../../messages/event/request-v1.ts'
import { eventResponseAt } from '../../../messages/event/response-v1.ts'
import { EVENT_HEADER_BYTES, EVENT_VERSION, eventCommand, eventStatus } from '../../../messages/event/status.ts'
import { backoffMs } from '../../../supervisor/backoff.ts'
import { serverName } from '../client-options.ts'
import type { Link, LinkEnd, LinkOwner, ServerAddress } from '../link.ts'
import type { ResendOptions } from './event-client-options.ts'
import type { PendingEvent } from './pending-event.ts'
import { drawSessionId } from './session-ids.ts'
import { statusError } from './status-error.ts'

/** The cookie of one server, for as long as it is certainly good. */
export interface CookieJar {
  cookie: Buffer | undefined
  goodUntilMs: number
}

/** What the links of a client have in common. */
export interface DatagramOptions {
  readonly raidaId: number
  readonly resend: Required<ResendOptions>
  readonly clock: Clock
  readonly random: Random
}

/** Pings of a server that leaves requests unanswered come no closer than this, ms. */
const pulseEveryMs = 500

/** Trouble of this machine that passes by itself: the datagram counts as lost. */
const passing: ReadonlySet<string> = new Set(['ENOBUFS', 'EAGAIN', 'ENOMEM'])

class Sent extends Deadline {
  readonly request: PendingEvent
  tries = 0
  /** It was repeated at once for a cookie; a second time it takes its turn. */
  hasRepeated = false

  constructor(request: PendingEvent) {
    super()
    this.request = request
  }
}

/** The link. */
export class EventDatagrams implements Link<PendingEvent> {
  readonly #server: ServerAddress
  readonly #owner: LinkOwner<PendingEvent>
  readonly #options: DatagramOptions
  readonly #jar: CookieJar
  readonly #sent = new Map<number, Sent>()
  readonly #resends: Deadlines<Sent>
  readonly #pulse: Buffer
  #pulseAtMs = 0
  #socket: Socket | undefined
  #remote: RemoteInfo | undefined
  #isOver = false

  constructor(server: ServerAddress, owner: LinkOwner<PendingEvent>, jar: CookieJar, options: DatagramOptions) {
    const { raidaId, random, clock } = options
    this.#server = server
    this.#owner = owner
    this.#options = options
    this.#jar = jar
    this.#resends = new Deadlines(clock, true, sent => this.#resend(sent))
    this.#pulse = encodeEventRequest({ raidaId, command: eventCommand.ping, sessionId: drawSessionId(random) })
    lookup(server.host, (error, address, family) => this.#open(error, address, family))
  }

  get inFlight(): number {
    return this.#sent.size
  }

  /** What is in flight is bounded already, and so are datagrams. */
  hasRoom(): boolean {
    return true
  }

  send(request: PendingEvent): void {
    while (request.hasDrawnSession && this.#sent.has(request.sessionId)) {
      request.sessionId = drawSessionId(this.#options.random)
    }
    if (this.#sent.has(request.sessionId)) {
      queueMicrotask(() => this.#owner.refused(request, sessionTaken(request)))
      return
    }
    const sent = new Sent(request)
    this.#sent.set(request.sessionId, sent)
    this.#transmit(sent)
  }

  forget(request: PendingEvent): void {
    const sent = this.#sent.get(request.sessionId)
    if (sent?.request === request) this.#take(sent)
  }

  end(): void {
    queueMicrotask(() => this.#end({ reason: 'it was closed', isClean: true }))
  }

  destroy(): void {
    this.#isOver = true
    for (const sent of this.#sent.values()) this.#resends.clear(sent)
    this.#socket?.close(() => this.#owner.released())
  }

  drain(give: (request: PendingEvent, wasWritten: boolean) => void): void {
    const all = [...this.#sent.values()]
    this.#sent.clear()
    for (const { request } of all) give(request, true)
  }

  #open(error: NodeJS.ErrnoException | null, address: string, family: number): void {
    if (this.#isOver) this.#owner.released()
    else if (error !== null) {
      // There is no handle that could be closed.
      this.#end({ reason: error.message, isClean: false, cause: error })
      this.#owner.released()
    } else {
      const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
      this.#socket = socket
      socket.on('error', failure => this.#fail(failure))
      socket.on('message', (bytes, from) => this.#receive(bytes, from))
      socket.connect(this.#server.port, address, () => this.#connected(socket))
    }
  }

  #connected(socket: Socket): void {
    if (this.#isOver) return
    this.#remote = socket.remoteAddress() as RemoteInfo
    this.#owner.opened()
  }

  #transmit(sent: Sent): void {
    const { clock, random, resend } = this.#options
    const nowMs = clock.now()
    sent.tries++
    this.#write(encodeDatagram(sent.request, this.#cookieAt(nowMs)))
    const intervalMs = backoffMs({ ...resend, factor: 2, jitter: 0.5 }, sent.tries, random())
    this.#resends.set(sent, Math.max(1, intervalMs), nowMs)
  }

  #resend(sent: Sent): void {
    const nowMs = this.#options.clock.now()
    if (nowMs - this.#pulseAtMs >= pulseEveryMs) {
      this.#pulseAtMs = nowMs
      this.#write(this.#pulse)
    }
    this.#transmit(sent)
  }

  #write(datagram: Buffer): void {
    this.#socket?.send(datagram, failure => {
      if (failure !== null) this.#fail(failure)
    })
  }

  #cookieAt(nowMs: number): Buffer | undefined {
    return nowMs < this.#jar.goodUntilMs ? this.#jar.cookie : undefined
  }

  #receive(bytes: Buffer, from: RemoteInfo): void {
    if (this.#isOver || from.port !== this.#remote?.port || from.address !== this.#remote.address) return
    if (!isWholeAnswer(bytes)) return
    this.#owner.heard()
    const sent = this.#sent.get(bytes.readUInt32BE(eventResponseAt.sessionId))
    if (sent?.request.command !== bytes.readUInt16BE(eventResponseAt.command)) return
    const status = bytes[eventResponseAt.status]!
    if (status === eventStatus.cookieRequired) this.#takeCookie(sent, bytes)
    else {
      this.#take(sent)
      this.#tell(sent.request, status, bytes)
      this.#owner.settled()
    }
  }

  #tell(request: PendingEvent, status: number, bytes: Buffer): void {
    const { command, sessionId } = request
    if (status === eventStatus.ok) {
      this.#owner.answered(request, { status, command, sessionId, body: bytes.subarray(EVENT_HEADER_BYTES) })
    } else this.#owner.failed(request, statusError(status, request, serverName(this.#server)))
  }

  #takeCookie(sent: Sent, bytes: Buffer): void {
    if (bytes.length !== EVENT_HEADER_BYTES + EVENT_COOKIE_BYTES) return
    this.#jar.cookie = bytes.subarray(EVENT_HEADER_BYTES)
    this.#jar.goodUntilMs = this.#options.clock.now() + EVENT_COOKIE_PERIOD_MS
    if (sent.hasRepeated) return
    sent.hasRepeated = true
    this.#resends.clear(sent)
    this.#transmit(sent)
  }

  #take(sent: Sent): void {
    this.#sent.delete(sent.request.sessionId)
    this.#resends.clear(sent)
  }

  #fail(failure: NodeJS.ErrnoException): void {
    if (passing.has(failure.code ?? '')) return
    this.#end({ reason: failure.message, isClean: false, cause: failure })
  }

  #end(why: LinkEnd): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#owner.ended(why)
  }
}

function encodeDatagram(request: PendingEvent, cookie: Buffer | undefined): Buffer {
  if (cookie === undefined) return encodeEventRequest(request)
  const { raidaId, command, sessionId, body } = request
  return encodeEventRequest({
    raidaId,
    command,
    sessionId,
    reserved: EVENT_COOKIE_FLAG,
    body: Buffer.concat([cookie, body]),
  })
}

function isWholeAnswer(bytes: Buffer): boolean {
  return (
    bytes.length >= EVENT_HEADER_BYTES &&
    bytes[eventResponseAt.version] === EVENT_VERSION &&
    bytes.readUInt32BE(eventResponseAt.bodyBytes) === bytes.length - EVENT_HEADER_BYTES
  )
}

function sessionTaken(request: PendingEvent): StarfishError {
  const { command, sessionId } = request
  const text = `${request.describe()} was not sent: session ${sessionId} is in flight already`
  return new StarfishError('BAD_CONFIG', text, {
    details: { option: 'sessionId', value: String(sessionId), command },
    handled: 'no',
  })
}
