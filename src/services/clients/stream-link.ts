/**
 * A link over TCP or TLS. What is sent in one tick leaves in one write, or few if it is much; what comes is decoded in place.
 *
 * ```
 *   send ─> session.write ─> output buffer, 64 KiB ─ nearly full, 512 requests, end of tick ─> socket.write ─> kernel
 *   data ─> session.read ─> owner.answered …
 * ```
 * All TCP connections of a thread are read into one buffer, since nothing of it is needed once it is read.
 * A protocol brings a session: it writes requests, matches answers with them by order or by id, and says when the server
 * breaks its grammar.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { type OutputBuffer, type OutputOwner, OutputPool } from '../../actors/connection/output.ts'
import { isStarfishError, type StarfishError } from '../../messages/errors.ts'
import type { Link, LinkEnd, LinkOwner, ServerAddress } from './link.ts'
import type { PendingRequest } from './pending-request.ts'

/** One connection's side of a protocol. */
export interface StreamSession<R extends PendingRequest> {
  readonly inFlight: number
  /** Writes `request.bytes` bytes at `at` and remembers that an answer is owed. */
  write(request: R, target: Buffer, at: number): void
  /**
   * Takes a chunk, whose bytes are valid during the call only, and hands answers to the link's owner. Throws a StarfishError
   * where the stream is out of step.
   */
  read(chunk: Buffer): void
  /** Everything that is owed an answer, in the order it was written; forgets it. */
  drain(): R[]
}

/** What a stream is opened with. */
export interface StreamOptions {
  /** TLS on top of TCP, with Node's own options. */
  readonly tls: ConnectionOptions | undefined
  /** Silence before TCP asks whether the server is alive, ms. */
  readonly keepAliveIdleMs: number
  /** Output that may wait for the kernel; beyond it there is no room. */
  readonly outputHighWaterBytes: number
}

/** The output buffers of all clients of this thread. */
const outputs = new OutputPool()

const readBytes = 65_536

/** So many requests, or bytes of them, leave at once, before the end of the tick: the server works on them while more are written. */
const earlyRequests = 512
const earlyBytes = 57_344

let input: Buffer | undefined

/** What the clients of this thread read into. */
function inputBuffer(): Buffer {
  input ??= Buffer.allocUnsafeSlow(readBytes)
  return input
}

/** Connects to a server. */
export class StreamLink<R extends PendingRequest> implements Link<R>, OutputOwner {
  readonly #owner: LinkOwner<R>
  readonly #session: StreamSession<R>
  readonly #options: StreamOptions
  readonly #socket: Socket
  /** What the bytes leave by: the socket itself, behind TLS the encrypted one. Only this one can be reset. */
  readonly #transport: Socket
  #output: OutputBuffer | undefined
  /** Requests in `#output`: none of their bytes has left. */
  #unwritten = 0
  #isFlushDue = false
  #wasBlocked = false
  /** TCP is up, and TLS is to be on top of it. */
  #isDialed = false
  #isOpen = false
  #isOver = false
  #failure: Error | undefined
  /** Made once, not for each tick. */
  readonly #flushTick = (): void => {
    this.#isFlushDue = false
    this.#flush()
  }

  constructor(server: ServerAddress, session: StreamSession<R>, owner: LinkOwner<R>, options: StreamOptions) {
    this.#owner = owner
    this.#session = session
    this.#options = options
    this.#transport = this.#dial(server, options)
    this.#socket = options.tls === undefined ? this.#transport : this.#encrypt(server, options.tls)
    this.#socket.once(options.tls === undefined ? 'connect' : 'secureConnect', () => this.#whenOpen())
    this.#socket.on('error', error => {
      this.#failure ??= error
    })
    this.#socket.on('end', () => this.#end({ reason: `the server closed it${this.#guess}`, isClean: true }))
    this.#socket.on('close', () => {
      const failure = this.#failure
      this.#end({ reason: reasonOf(failure) + this.#guess, isClean: false, cause: failure })
      owner.released()
    })
  }

  get inFlight(): number {
    return this.#session.inFlight
  }

  hasRoom(bytes: number): boolean {
    const waiting = this.#socket.writableLength + (this.#output?.lengthBytes ?? 0)
    // One that is larger than the mark passes alone.
    const hasRoom = waiting === 0 || waiting + bytes <= this.#options.outputHighWaterBytes
    this.#wasBlocked ||= !hasRoom
    return hasRoom
  }

  send(request: R): void {
    const { bytes } = request
    let output = this.#output
    if (output === undefined || output.lengthBytes + bytes > output.bytes.length) {
      this.#flush()
      output = outputs.take(this, bytes)
      this.#output = output
    }
    this.#session.write(request, output.bytes, output.lengthBytes)
    output.lengthBytes += bytes
    this.#unwritten++
    if (this.#unwritten >= earlyRequests || output.lengthBytes >= earlyBytes) {
      this.#flush()
      return
    }
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    process.nextTick(this.#flushTick)
  }

  /** Its answer is still owed, and thrown away when it comes. */
  forget(): void {}

  end(): void {
    this.#flush()
    this.#socket.end()
  }

  /** A server that owes answers is told that nobody waits for them: a good end would let it work on them. */
  destroy(): void {
    this.#isOver = true
    if (this.#session.inFlight > 0 && !this.#transport.connecting) this.#transport.resetAndDestroy()
    this.#socket.destroy()
  }

  drain(give: (request: R, wasWritten: boolean) => void): void {
    const requests = this.#session.drain()
    const written = requests.length - this.#unwritten
    if (this.#output !== undefined) outputs.give(this.#output)
    this.#output = undefined
    this.#unwritten = 0
    requests.forEach((request, index) => {
      give(request, index < written)
    })
  }

  /** A buffer was taken by the kernel. */
  onWritten(): void {
    if (!this.#wasBlocked || this.#isOver) return
    this.#wasBlocked = false
    this.#owner.emptied()
  }

  #dial({ host, port }: ServerAddress, { tls, keepAliveIdleMs }: StreamOptions): Socket {
    const socket =
      tls === undefined
        ? connectTcp({ host, port, onread: { buffer: inputBuffer(), callback: bytes => this.#readInput(bytes) } })
        : connectTcp({ host, port })
    return socket.setNoDelay(true).setKeepAlive(true, keepAliveIdleMs)
  }

  /** TLS has buffers of its own. */
  #encrypt({ host }: ServerAddress, tls: ConnectionOptions): Socket {
    this.#transport.once('connect', () => {
      this.#isDialed = true
    })
    const name = isIP(host) > 0 ? {} : { servername: host }
    return connectTls({ ...name, ...tls, host, socket: this.#transport }).on('data', (chunk: Buffer) =>
      this.#read(chunk),
    )
  }

  /** Answers that reading goes on. */
  #readInput(bytes: number): boolean {
    const buffer = inputBuffer()
    this.#read(bytes === buffer.length ? buffer : buffer.subarray(0, bytes))
    return true
  }

  /** A question, for a server that took the connection and did not take up TLS on it. */
  get #guess(): string {
    const isAlien = this.#failure === undefined || noTlsCodes.test((this.#failure as NodeJS.ErrnoException).code ?? '')
    return this.#isDialed && !this.#isOpen && isAlien ? '; does it speak TLS?' : ''
  }

  #whenOpen(): void {
    this.#isOpen = true
    // One that was ended meanwhile is not worth opening.
    if (!this.#isOver) this.#owner.opened()
  }

  #flush(): void {
    const output = this.#output
    if (output === undefined || this.#isOver) return
    this.#output = undefined
    this.#unwritten = 0
    const { bytes, lengthBytes } = output
    this.#socket.write(lengthBytes === bytes.length ? bytes : bytes.subarray(0, lengthBytes), output.written)
  }

  #read(chunk: Buffer): void {
    if (this.#isOver) return
    this.#owner.heard()
    try {
      this.#session.read(chunk)
    } catch (error) {
      if (!isStarfishError(error)) throw error
      this.#end(brokenBy(error))
      this.#socket.destroy()
      return
    }
    this.#owner.settled()
  }

  #end(why: LinkEnd): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#owner.ended(why)
  }
}

/** What a handshake fails with if the server says nothing of TLS, rather than that something is wrong with it. */
const noTlsCodes = /^(ECONNRESET|EPROTO|ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG))$/

/** An error that stands for several, one an address that was tried, has no message of its own. */
function reasonOf(failure: NodeJS.ErrnoException | undefined): string {
  return failure?.message || failure?.code || 'it was closed'
}

/**
 * The end of a stream that cannot be understood any further; an error that says more than that settles the requests. One that
 * has no room for the connection any more has said so in good order.
 */
function brokenBy(error: StarfishError): LinkEnd {
  const end = { reason: error.message, isClean: error.code === 'SERVER_OVERLOADED', cause: error }
  return error.code === 'BAD_FRAME' ? end : { ...end, error }
}
