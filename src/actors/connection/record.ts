/**
 * One connection: a flat record that its chart, its decoder and its protocol work on. Kept small: an idle one holds no
 * buffer, no closure and no timer object of its own beside those of its chart.
 */
import type { Socket } from 'node:net'
import { isAllocationFailure } from '../../messages/allocation-failure.ts'
import type { FrameSink, PartialFrame } from '../../messages/wire/frame-decoder.ts'
import { STOP, skipBody } from '../../messages/wire/frame-decoder.ts'
import type { ChartInstance } from '../runtime/compiled-chart.ts'
import { notCounted } from '../serving/connections.ts'
import type { HeaderSource, Link, Waiter } from '../serving/protocol.ts'
import type { RefusalKind } from '../serving/refusals.ts'
import type { TimedRecord } from './connection-timers.ts'
import { type ConnectionEvent, connectionEvents } from './events.ts'
import type { ConnectionContext } from './machine.ts'
import { OUTPUT_BUFFER_BYTES, type OutputBuffer, type OutputOwner } from './output.ts'
import type { ConnectionPlane } from './plane.ts'
import { ReplyLedger, type ReplySink } from './reply-ledger.ts'
import { type ConnectionMode, halt, isFull, type SlowReader, seenReading } from './transitions.ts'

/** The record. Fields are for the modules of this folder. */
export class Connection implements Link, FrameSink, OutputOwner, ReplySink, TimedRecord {
  readonly plane: ConnectionPlane
  readonly number: number
  /** Where its address is counted; not at all when it is refused. */
  readonly addressBucket: number
  socket: Socket
  chart: ChartInstance<ConnectionContext> | undefined
  mode: ConnectionMode
  /** Bits of `halt`; decoding goes on only at 0. */
  halted = 0
  /** The frame of which a part has come. */
  partial: PartialFrame | undefined
  /** The rest of a chunk whose decoding was halted. */
  rest: Buffer | undefined
  output: OutputBuffer | undefined
  /** Requests in flight; missing until the first is put off. */
  replies: ReplyLedger | undefined
  /** What the chart was told last. */
  awaiting: ConnectionEvent = connectionEvents.requestAwaited
  /** The peer, while it does not take its output. */
  reader: SlowReader | undefined
  /** What it has taken of the server's room for unfinished bodies. */
  heldBytes = 0
  /** When it was opened, on the plane's clock. */
  readonly openedAtMs: number
  /** When it was read last, on the plane's clock. */
  activeAtMs: number
  /** While draining: when its last answer was taken, on the plane's clock; -1 before. */
  drainedAtMs = -1
  peerEnded = false
  /** Waits for the end of the turn, with late answers or with input. */
  settled = false
  released = false
  timerSlot = -1
  timerDueTick = 0
  timerNext: TimedRecord | undefined = undefined
  timerPrevious: TimedRecord | undefined = undefined

  constructor(plane: ConnectionPlane, socket: Socket, addressBucket: number) {
    this.plane = plane
    this.socket = socket
    this.number = plane.nextNumber()
    this.addressBucket = addressBucket
    this.mode = addressBucket === notCounted ? 'refusing' : 'serving'
    this.openedAtMs = plane.nowMs()
    this.activeAtMs = this.openedAtMs
    this.chart = undefined
    this.partial = undefined
    this.rest = undefined
    this.output = undefined
    this.replies = undefined
    this.reader = undefined
  }

  get id(): string {
    return `c${this.number}`
  }

  get peerAddress(): string {
    return this.socket.remoteAddress ?? ''
  }

  get inFlight(): number {
    return this.replies?.inFlight ?? 0
  }

  /** Something is in flight, and all of it waits for something to happen. */
  get isPatient(): boolean {
    const { replies } = this
    return replies !== undefined && replies.inFlight > 0 && replies.patient === replies.inFlight
  }

  get headerBytes(): number {
    return this.plane.protocol.headerBytes
  }

  get isOutputFull(): boolean {
    return this.plane.isOutputFull
  }

  get target(): Buffer {
    return this.plane.target
  }

  onHeader(bytes: Buffer, at: number): number {
    const verdict = this.plane.protocol.header(this, bytes, at)
    if (this.mode === 'serving' || verdict < 0) {
      if (this.mode === 'refusing') this.finish()
      return verdict
    }
    this.#refuse(bytes, at)
    if (this.mode === 'overloaded') return skipBody(verdict)
    this.finish()
    return STOP
  }

  #refuse(bytes: Buffer, at: number): void {
    // One that was refused as a whole has been counted as such.
    if (this.mode !== 'refusing') this.countRefusal('requestsOverload')
    this.plane.protocol.fault(this, 'overloaded', bytes, at)
  }

  onFrame(bytes: Buffer, at: number, bodyBytes: number): void {
    this.plane.requests++
    if (this.mode === 'serving' && !this.plane.isFull) this.plane.protocol.request(this, bytes, at, bodyBytes)
    else this.#refuse(bytes, at)
  }

  mayDecode(): boolean {
    if (this.halted !== 0) return false
    const { plane } = this
    if (plane.isFull && plane.waitsForRoom && this.mode === 'serving') {
      this.halted |= halt.crowded
      plane.crowded.push(this)
      return false
    }
    // A large answer leaves at once, so that one that is not taken is followed by no other.
    if (this.output !== undefined && this.output.lengthBytes > OUTPUT_BUFFER_BYTES) this.flush()
    if (plane.isOutputFull && this.socket.writableLength > 0) this.#block()
    if (this.halted !== 0) return false
    if (!plane.isTurnOver()) return true
    this.halted |= halt.yielded
    plane.afterTurn(this)
    return false
  }

  allocate(bytes: number, growBytes: number, header: Buffer): Buffer | undefined {
    if (this.plane.ledger.mayHold(growBytes)) {
      try {
        return this.plane.protocol.bodies?.take(bytes) ?? Buffer.allocUnsafeSlow(bytes)
      } catch (error) {
        if (!isAllocationFailure(error)) throw error
      }
    }
    this.countRefusal('requestsWithoutMemory')
    this.plane.protocol.fault(this, 'memory', header, 0)
    return undefined
  }

  recycle(bytes: Buffer): void {
    this.plane.protocol.bodies?.give(bytes)
  }

  countRefusal(kind: RefusalKind): void {
    this.plane.ledger.countRefusal(kind)
  }

  reserve(bytes: number): number {
    if (this.replies?.holdsBack) {
      const reply = Buffer.allocUnsafe(bytes)
      this.replies.queue(reply)
      this.#judgeReplies(this.replies)
      this.plane.target = reply
      return 0
    }
    return this.#room(bytes)
  }

  #room(bytes: number): number {
    let output = this.output
    if (output === undefined || output.lengthBytes + bytes > output.bytes.length) {
      if (output !== undefined) this.flush()
      output = this.plane.outputs.take(this, bytes)
      this.output = output
    }
    const at = output.lengthBytes
    output.lengthBytes = at + bytes
    this.plane.countOutput(bytes)
    this.plane.target = output.bytes
    return at
  }

  defer(requestBytes: number, header: Buffer | HeaderSource, waiter?: Waiter): number {
    this.replies ??= new ReplyLedger(this.plane.protocol.replyOrder === 'requests')
    const token = this.replies.begin(waiter?.isPatient ? 0 : requestBytes, header, waiter)
    if (!waiter?.isPatient) this.plane.inFlight(1, requestBytes)
    this.#judgeReplies(this.replies)
    return token
  }

  settle(token: number, reply: Uint8Array): boolean {
    const { replies } = this
    if (replies === undefined || this.released) return false
    const { inFlightBytes, patient } = replies
    if (!replies.settle(token, reply, this)) return false
    this.#answered(replies, inFlightBytes, patient)
    return true
  }

  place(token: number, bytes: number): number {
    const { replies } = this
    if (replies === undefined || this.released) return -1
    const { inFlightBytes, patient } = replies
    if (!replies.take(token)) return -1
    this.#answered(replies, inFlightBytes, patient)
    return this.#room(bytes)
  }

  takeBack(bytes: number): void {
    if (this.output !== undefined) this.output.lengthBytes -= bytes
  }

  /** One of the requests in flight was answered; before it they were as told. */
  #answered(replies: ReplyLedger, inFlightBytes: number, patient: number): void {
    if (replies.patient === patient) this.plane.inFlight(-1, replies.inFlightBytes - inFlightBytes)
    this.#judgeReplies(replies)
    this.plane.afterTurn(this)
  }

  finish(): void {
    this.halted |= halt.over
  }

  /** Gives the output to the socket. What the kernel does not take at once stays with the socket. */
  flush(): void {
    const { output, socket, plane } = this
    if (output === undefined) return
    this.output = undefined
    if (socket.destroyed || socket.writableEnded) {
      plane.outputs.give(output)
      return
    }
    plane.outputs.wait(output)
    socket.write(output.bytes.subarray(0, output.lengthBytes), output.written)
    if (socket.writableLength > plane.limits.outputHighWaterBytes) this.#block()
  }

  #block(): void {
    this.halted |= halt.blocked
    if (this.reader === undefined) this.watchReader()
  }

  /** Gives the peer the time it has to take the output. */
  watchReader(): void {
    const nowMs = this.plane.nowMs()
    const takenBytes = takenBytesOf(this.socket)
    this.reader = { sinceMs: nowMs, sinceBytes: takenBytes, movedAtMs: nowMs, movedBytes: takenBytes }
  }

  /** Looks how much of it the peer has taken. */
  lookAtReader(): void {
    const { reader, plane } = this
    if (reader !== undefined) this.reader = seenReading(plane.limits, reader, takenBytesOf(this.socket), plane.nowMs())
  }

  onWritten(): void {
    const { socket, plane } = this
    if ((this.halted & halt.blocked) === 0) {
      if (this.mode === 'overloaded' && socket.writableLength === 0) plane.hooks.onTaken(this)
      return
    }
    if (socket.writableLength > plane.limits.outputHighWaterBytes) return
    this.halted &= ~halt.blocked
    this.reader = undefined
    plane.hooks.onTaken(this)
  }

  /** Copies a late answer, whose turn it is, to the output. */
  release(reply: Uint8Array): void {
    const at = this.#room(reply.length)
    this.plane.target.set(reply, at)
  }

  /** The header of the request in hand: of the oldest in flight, else of the one that is coming; undefined for none. */
  get requestHeader(): Buffer | undefined {
    const { partial } = this
    const coming = partial !== undefined && partial.stage === 'body' ? partial.bytes : undefined
    return this.replies?.oldestHeader ?? coming
  }

  /** Output that waits anywhere: with the socket, here, or for an older answer. */
  get waitingOutputBytes(): number {
    return this.socket.writableLength + (this.output?.lengthBytes ?? 0) + (this.replies?.waitingReplyBytes ?? 0)
  }

  #judgeReplies(replies: ReplyLedger): void {
    if (isFull(this.plane.limits, replies)) this.halted |= halt.full
    else this.halted &= ~halt.full
  }
}

interface StreamHandle {
  readonly bytesWritten: number
  readonly writeQueueSize: number
  /** Below TLS: the handle that TCP is spoken through. What is encrypted counts as written. */
  readonly _parent?: StreamHandle
}

/** Output that the kernel has taken, in bytes. Node tells of whole writes; its handle, where there is one, of each byte. */
function takenBytesOf(socket: Socket): number {
  const { _handle: handle } = socket as { readonly _handle?: StreamHandle | null }
  if (!handle) return socket.bytesWritten - socket.writableLength
  const { bytesWritten, writeQueueSize } = handle._parent ?? handle
  return bytesWritten - writeQueueSize
}
