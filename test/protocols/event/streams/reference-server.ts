/**
 * What a server of the event protocol has to do with one connection, written from the protocol's description alone: it
 * shares no code with the server, keeps every byte, and looks at one byte after the other. Big-endian; a request is
 * `version 1 | raidaId 1 | command 2 | sessionId 4 | bodyBytes 4 | reserved 4 | body`.
 */

/** The server, as far as an answer depends on it. */
export interface ReferenceOptions {
  readonly raidaId: number
  readonly bodyBytesMax: number
  readonly oneRequestPerConnection: boolean
  /** The connection is over a limit. */
  readonly refused: boolean
  /** There is no memory for a body that does not come in one piece with its header. */
  readonly noMemory: boolean
  /** Bodies that begin with this byte cannot be opened. */
  readonly sealedBy: number | undefined
  /** Commands that echo their body, those that fail; 1 answers the time. Others are unknown. */
  readonly echoing: readonly number[]
  readonly failing: readonly number[]
}

const status = {
  ok: 0,
  memoryAlloc: 2,
  invalidHeader: 3,
  bodyTooLarge: 4,
  unknownCommand: 5,
  overloaded: 6,
  timeout: 7,
  decryptFailed: 8,
  handlerFailed: 9,
} as const

const headerBytes = 16
const headerDeadlineMs = 2_000
const stallMs = 2_000
const windowMs = 4_000
const windowBytes = 4_096
const idleMs = 60_000
const refusalWaitMs = 100
const drainQuietMs = 250

/** A connection, as it must be. Times are ms; those of `feed` and `wait` go on from each other. */
export class ReferenceConnection {
  /** What has to be answered by now, in order. */
  readonly answers: Buffer[] = []
  /** True when the server has ended the connection, or must be about to. */
  ended = false
  /** Bytes that were looked at: up to the end of what ended the connection, else all. */
  consumedBytes = 0
  readonly #options: ReferenceOptions
  readonly #openedAtMs: number
  #nowMs: number
  #silentSinceMs: number
  #frame: number[] = []
  #needBytes = headerBytes
  #stage: 'header' | 'body' | 'skip' = 'header'
  #beganAtMs = 0
  #windowAtMs = 0
  #windowFromBytes = 0
  #skipBytes = 0
  #inOnePiece = true
  #draining = false

  constructor(options: ReferenceOptions, nowMs: number) {
    this.#options = options
    this.#openedAtMs = nowMs
    this.#nowMs = nowMs
    this.#silentSinceMs = nowMs
  }

  /** Bytes come. */
  feed(bytes: Uint8Array): void {
    if (this.ended) return
    if (bytes.length > 0) this.#silentSinceMs = this.#nowMs
    this.#inOnePiece = false
    for (const byte of bytes) {
      if (this.ended) return
      this.consumedBytes++
      this.#take(byte)
    }
    if (this.#stage === 'body' && this.#options.noMemory && this.#frame.length > headerBytes) this.#refuseMemory()
  }

  /** The server is told to end the connection in good order. */
  drain(): void {
    if (this.#options.refused) this.ended = true
    this.#draining = true
    this.#silentSinceMs = this.#nowMs
  }

  /** The peer ends its side. */
  fin(): void {
    if (this.ended) return
    if (this.#stage === 'body') this.#answer(status.timeout)
    this.ended = true
  }

  /** Nothing comes for a while. */
  wait(ms: number): void {
    const untilMs = this.#nowMs + ms
    while (!this.ended) {
      const { at, act } = this.#nextDeadline()
      if (at > untilMs) break
      this.#nowMs = at
      act()
    }
    this.#nowMs = untilMs
  }

  #nextDeadline(): { readonly at: number; readonly act: () => void } {
    if (this.#options.refused) {
      const tellRefused = (): void => {
        this.#answerNobody()
        this.ended = true
      }
      return { at: this.#openedAtMs + refusalWaitMs, act: tellRefused }
    }
    if (this.#draining) {
      const bidFarewell = (): void => {
        this.fin()
        this.#answerNobody()
      }
      return { at: this.#silentSinceMs + drainQuietMs, act: bidFarewell }
    }
    if (this.#stage === 'header') {
      const end = (): void => {
        this.ended = true
      }
      return this.#frame.length > 0
        ? { at: this.#beganAtMs + headerDeadlineMs, act: end }
        : { at: this.#silentSinceMs + idleMs, act: end }
    }
    const stallsAtMs = this.#silentSinceMs + stallMs
    const endsAtMs = this.#windowAtMs + windowMs
    return stallsAtMs <= endsAtMs
      ? { at: stallsAtMs, act: () => this.fin() }
      : { at: endsAtMs, act: () => this.#look() }
  }

  /** That there is no room, to no request. */
  #answerNobody(): void {
    this.#frame = Array.from({ length: headerBytes }, () => 0)
    this.#answer(status.overloaded)
  }

  /** The window over which a body is measured is over. */
  #look(): void {
    if (this.#arrivedBytes - this.#windowFromBytes < windowBytes) this.fin()
    this.#windowAtMs = this.#nowMs
    this.#windowFromBytes = this.#arrivedBytes
  }

  /** Of the frame that has not come whole. */
  get #arrivedBytes(): number {
    return this.#stage === 'skip' ? headerBytes + this.#skipBytes : this.#frame.length
  }

  #take(byte: number): void {
    // Memory is asked for when there is something to keep.
    if (this.#stage === 'body' && this.#options.noMemory && !this.#inOnePiece) this.#refuseMemory()
    if (this.#stage === 'skip') {
      this.#skipBytes++
      if (headerBytes + this.#skipBytes === this.#needBytes) this.#next()
      return
    }
    if (this.#frame.length === 0) {
      this.#beganAtMs = this.#nowMs
      this.#inOnePiece = true
    }
    this.#frame.push(byte)
    if (this.#frame.length < this.#needBytes) return
    if (this.#stage === 'header') this.#judgeHeader()
    else this.#request()
  }

  #judgeHeader(): void {
    const { raidaId, bodyBytesMax, refused, oneRequestPerConnection } = this.#options
    const bodyBytes = this.#number(8, 4)
    const isTooLarge = bodyBytes > bodyBytesMax
    const known = [1, ...this.#options.echoing, ...this.#options.failing].includes(this.#number(2, 2))
    const isForeign = this.#frame[1] !== raidaId
    const wrongVersion = this.#frame[0] !== 1
    if (wrongVersion || isForeign) this.#answer(status.invalidHeader)
    else if (isTooLarge) this.#answer(status.bodyTooLarge)
    else if (!known) this.#answer(status.unknownCommand)
    else if (refused || this.#draining) this.#answer(status.overloaded)
    else {
      this.#needBytes += bodyBytes
      this.#stage = 'body'
      this.#windowAtMs = this.#nowMs
      this.#windowFromBytes = 0
      if (bodyBytes === 0) this.#request()
      return
    }
    if (wrongVersion || isTooLarge || refused || oneRequestPerConnection) {
      this.ended = true
      return
    }
    this.#needBytes += bodyBytes
    this.#stage = 'skip'
    this.#windowAtMs = this.#nowMs
    this.#windowFromBytes = 0
    this.#skipBytes = 0
    if (bodyBytes === 0) this.#next()
  }

  #request(): void {
    const { sealedBy, echoing, failing, oneRequestPerConnection } = this.#options
    const command = this.#number(2, 2)
    const body = Buffer.from(this.#frame.slice(headerBytes))
    const time = Buffer.alloc(8)
    time.writeBigUInt64BE(BigInt(Math.floor(this.#nowMs)))
    if (this.#draining) this.#answer(status.overloaded)
    else if (sealedBy !== undefined && body[0] === sealedBy) this.#answer(status.decryptFailed)
    else if (failing.includes(command)) this.#answer(status.handlerFailed)
    else this.#answer(status.ok, echoing.includes(command) ? body : time)
    this.#next()
    if (oneRequestPerConnection) this.ended = true
  }

  /** What has come of the body is thrown away, as is the rest. */
  #refuseMemory(): void {
    this.#answer(status.memoryAlloc)
    this.#stage = 'skip'
    this.#skipBytes = this.#frame.length - headerBytes
  }

  #next(): void {
    this.#frame = []
    this.#needBytes = headerBytes
    this.#stage = 'header'
  }

  #answer(code: number, body: Buffer = Buffer.alloc(0)): void {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(body.length)
    const head = Buffer.from([1, code, ...this.#frame.slice(2, 8)])
    this.answers.push(Buffer.concat([head, length, Buffer.alloc(4), body]))
  }

  #number(at: number, bytes: number): number {
    let sum = 0
    for (let offset = at; offset < at + bytes; offset++) sum = sum * 256 + this.#frame[offset]!
    return sum
  }
}
