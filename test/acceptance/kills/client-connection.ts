/** One client connection of a run under kills: asks who serves it, then echoes, and checks every answer byte by byte. */
import { connect } from 'node:net'
import type { Random } from '../../../src/actors/runtime/clock.ts'
import { encodeEventRequest, eventCommand, eventStatus } from '../../../src/messages/index.ts'
import { type Ending, monotonicMs } from './account.ts'
import { whoServes } from './named-protocol.ts'

const poolBytes = 65_536
const bodyBytesMax = 512
const headerBytes = 16

/** How long a connection may owe an answer before that is a fault. */
const answerMaxMs = 5_000

/** What a connection needs. */
export interface ClientOptions {
  readonly kind: Ending['client']
  readonly port: number
  readonly random: Random
  /** Bodies are cut from these bytes. */
  readonly pool: Buffer
  /** Requests in flight. */
  readonly depth: number
  /** Requests after which the client ends the connection; without it the connection is kept. */
  readonly requestsMax: number
  /** Answers that came with one read. */
  onAnswers(count: number): void
  onWrong(what: string): void
  /** The socket is gone; with an ending when that was not the client's own doing. */
  onOver(ending: Ending | undefined, firstAnswerAtMs: number | undefined): void
}

/** Bytes to cut bodies from. */
export function createPool(random: Random): Buffer {
  return Buffer.from(Array.from({ length: poolBytes }, () => Math.floor(random() * 256)))
}

/** A connection; `finish` lets it get what it is owed and end. */
export class ClientConnection {
  readonly dialAtMs = monotonicMs()
  readonly #options: ClientOptions
  readonly #socket
  /** The requests in flight, oldest first; the body of each, none for the question who serves. */
  readonly #owed: { readonly sessionId: number; readonly body: Buffer | undefined }[] = []
  readonly #deadline: NodeJS.Timeout
  #oldestBefore: number | undefined
  #rest: Buffer = Buffer.alloc(0)
  #sent = 0
  #incarnation: number | undefined
  #firstAnswerAtMs: number | undefined
  #connected = false
  #isFinishing = false
  #how = 'FIN'

  constructor(options: ClientOptions) {
    this.#options = options
    this.#deadline = setInterval(() => this.#checkProgress(), answerMaxMs)
    this.#socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('connect', () => {
      this.#connected = true
      this.#ask(options.depth)
    })
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk))
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#how = error.code ?? error.message
    })
    this.#socket.on('close', () => this.#over())
  }

  /** Asks nothing more; ends when every answer has come. */
  finish(): void {
    this.#isFinishing = true
    if (this.#owed.length === 0) this.#socket.end()
  }

  #ask(count: number): void {
    const { random, pool, requestsMax } = this.#options
    const frames: Buffer[] = []
    for (let n = 0; n < count && this.#sent < requestsMax && !this.#isFinishing; n++) {
      const sessionId = this.#sent++
      const start = Math.floor(random() * (poolBytes - bodyBytesMax))
      const body = sessionId === 0 ? undefined : pool.subarray(start, start + Math.floor(random() * bodyBytesMax))
      const command = body === undefined ? whoServes : eventCommand.echo
      frames.push(encodeEventRequest({ command, sessionId, ...(body === undefined ? {} : { body }) }))
      this.#owed.push({ sessionId, body })
    }
    if (frames.length > 0) this.#socket.write(Buffer.concat(frames))
  }

  #take(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let count = 0
    let at = 0
    while (this.#rest.length - at >= headerBytes) {
      const end = at + headerBytes + this.#rest.readUInt32BE(at + 8)
      if (this.#rest.length < end) break
      this.#check(this.#rest, at, end)
      at = end
      count++
    }
    this.#rest = this.#rest.subarray(at)
    if (count === 0) return
    this.#firstAnswerAtMs ??= monotonicMs()
    this.#options.onAnswers(count)
    this.#ask(count)
    if (this.#sent >= this.#options.requestsMax) this.#isFinishing = true
    if (this.#isFinishing && this.#owed.length === 0) this.#socket.end()
  }

  #check(bytes: Buffer, at: number, end: number): void {
    const asked = this.#owed.shift()
    if (asked === undefined) {
      this.#options.onWrong('an answer came that nobody asked for')
      return
    }
    const status = bytes[at + 1]
    const isRight =
      bytes[at] === 1 &&
      status === eventStatus.ok &&
      bytes.readUInt16BE(at + 2) === (asked.body === undefined ? whoServes : eventCommand.echo) &&
      bytes.readUInt32BE(at + 4) === asked.sessionId &&
      bytes.readUInt32BE(at + 12) === 0
    const start = at + headerBytes
    if (!isRight) this.#options.onWrong(`request ${asked.sessionId} got ${bytes.toString('hex', at, start)}`)
    else if (asked.body === undefined) this.#incarnation = bytes.readUInt32BE(start)
    else if (asked.body.compare(bytes, start, end) !== 0) {
      this.#options.onWrong(`request ${asked.sessionId} got another body than it sent`)
    }
  }

  /** Called so seldom that what was owed both times is overdue. */
  #checkProgress(): void {
    const oldest = this.#owed[0]?.sessionId
    if (this.#connected && oldest !== this.#oldestBefore) {
      this.#oldestBefore = oldest
      return
    }
    if (this.#connected && oldest === undefined) return
    this.#options.onWrong(`nothing for ${answerMaxMs} ms: connected ${this.#connected}, request ${oldest}`)
    this.#socket.destroy()
  }

  #over(): void {
    clearInterval(this.#deadline)
    const unanswered = this.#owed.length
    const isOwnEnd = this.#isFinishing && unanswered === 0
    const ending: Ending = {
      client: this.#options.kind,
      dialAtMs: this.dialAtMs,
      connected: this.#connected,
      endedAtMs: monotonicMs(),
      incarnation: this.#incarnation,
      how: this.#how,
      unanswered,
    }
    this.#options.onOver(isOwnEnd ? undefined : ending, this.#firstAnswerAtMs)
  }
}
