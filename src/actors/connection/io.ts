/**
 * The sockets of connections: what the chart's actions do, and what happens on a socket told to the chart.
 *
 * ```
 * chunk -> decodeChunk -> protocol -> output -> one write        every chunk
 *                                 \-> one step of the chart      only if what is awaited has changed
 * ```
 * All connections share the four listeners below; they find the record by a symbol on the socket.
 */
import type { Socket } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import type { ExitReason } from '../../messages/thread/exit.ts'
import { decodeChunk } from '../../messages/wire/frame-decoder.ts'
import { freeMemory, joinBytes, ownBytes } from '../../messages/wire/own-memory.ts'
import { type ConnectionEvent, connectionEvents } from './events.ts'
import { connectionMachine } from './machine.ts'
import type { ConnectionHooks, ConnectionPlane } from './plane.ts'
import { Connection } from './record.ts'
import { awaited, halt, isWindowOver, owesAnswer } from './transitions.ts'

const kConnection = Symbol('connection')
const kEncrypted = Symbol('encrypted side')

interface ConnectionSocket extends Socket {
  [kConnection]?: Connection
  /** Of the decrypted side of TLS: the socket that the kernel knows. */
  [kEncrypted]?: Socket
}

/** What records of this I/O call. */
export const connectionHooks: ConnectionHooks = { onSettled, onTaken: pump }

/** Takes a socket into the table and starts its chart. On a secure plane {@link secureConnection} must follow. */
export function openConnection(plane: ConnectionPlane, socket: Socket, addressBucket: number): Connection {
  const connection = new Connection(plane, socket, addressBucket)
  plane.table.set(connection.number, connection)
  plane.reports.started(connection.id)
  connection.chart = plane.chart.create(connection, plane.timers, connection)
  attach(connection, socket, !plane.secure)
  try {
    plane.chart.start(connection.chart)
  } catch (error) {
    fail(connection, error)
    tell(connection)
  }
  return connection
}

/** Goes on with the decrypted side of the socket once its handshake is done. */
export function secureConnection(connection: Connection, socket: ConnectionSocket): void {
  socket[kEncrypted] = connection.socket
  connection.socket = socket
  attach(connection, socket, true)
  step(connection, connectionEvents.secured)
}

/** Takes the timer of a connection's chart that is due. */
export function expireConnection(connection: Connection, slot: number): void {
  const { chart } = connection
  if (chart === undefined) return
  const from = valueBefore(connection)
  connection.lookAtReader()
  try {
    connection.plane.chart.expire(chart, slot)
  } catch (error) {
    fail(connection, error)
  }
  tell(connection, from)
}

/** Tells every connection to end in good order. */
export function drainConnections(plane: ConnectionPlane): void {
  for (const connection of plane.table.values()) drainConnection(connection)
}

/** Tells one connection to end in good order. */
export function drainConnection(connection: Connection): void {
  step(connection, connectionEvents.drain)
}

/** Ends a connection without regard to what is in flight. */
export function destroyConnection(connection: Connection): void {
  const { plane } = connection
  plane.endReason = { type: 'killed' }
  step(connection, connectionEvents.socketClosed)
  plane.endReason = { type: 'normal' }
}

function attach(connection: Connection, socket: ConnectionSocket, reads: boolean): void {
  socket[kConnection] = connection
  socket.on('error', onError)
  socket.on('close', onClose)
  if (!reads) return
  socket.on('end', onEnd)
  socket.on('data', onData)
}

function onData(this: ConnectionSocket, chunk: Buffer): void {
  const connection = this[kConnection]!
  connection.activeAtMs = connection.plane.nowMs()
  if ((connection.halted & halt.over) !== 0) return
  // A paused socket hands out nothing, save what it had begun to hand out.
  connection.rest = connection.rest === undefined ? ownBytes(chunk) : joinBytes(connection.rest, chunk)
  pump(connection)
}

function onEnd(this: ConnectionSocket): void {
  const connection = this[kConnection]!
  connection.peerEnded = true
  pump(connection)
}

/** An error is always followed by `close`; a reset by the peer is no event worth a line. */
function onError(this: ConnectionSocket): void {}

function onClose(this: ConnectionSocket): void {
  const connection = this[kConnection]!
  // The encrypted side of a socket that was replaced ends with the other one.
  if (connection.socket === this || connection.socket.destroyed) step(connection, connectionEvents.socketClosed)
}

function onSettled(connection: Connection): void {
  connection.settled = false
  connection.halted &= ~halt.yielded
  connection.activeAtMs = connection.plane.nowMs()
  pump(connection)
  if (connection.inFlight === 0) step(connection, connectionEvents.workFinished)
}

/** Decodes what there is to decode, sends what was answered, and tells the chart what is awaited now. */
function pump(connection: Connection): void {
  if (connection.released) return
  try {
    decodeRest(connection)
    connection.flush()
  } catch (error) {
    fail(connection, error)
    tell(connection)
    return
  }
  if (connection.waitingOutputBytes > connection.plane.limits.outputBytesMax) {
    connection.countRefusal('outputOverflows')
    reset(connection.socket)
    step(connection, connectionEvents.socketClosed)
  } else notice(connection)
}

/** Has the peer see a reset. Behind TLS only the encrypted side can; the other one ends with its connection, which is to follow. */
function reset(socket: ConnectionSocket): void {
  const encrypted = socket[kEncrypted] ?? socket
  encrypted.resetAndDestroy()
}

function decodeRest(connection: Connection): void {
  if (connection.rest !== undefined) connection.plane.beginTurn()
  while (connection.rest !== undefined && connection.mayDecode()) {
    const chunk = connection.rest
    connection.rest = undefined
    const at = decodeChunk(connection, chunk)
    if (at < chunk.length) connection.rest = chunk.subarray(at)
    // What is not over was copied, and nobody may keep what was handed out.
    else freeMemory(chunk.buffer)
  }
  if (connection.plane.requests > 0) {
    connection.plane.ledger.countRequests(connection.plane.requests)
    connection.plane.requests = 0
  }
  holdBytes(connection)
}

/** Settles with the server what this connection keeps of an unfinished body. */
function holdBytes(connection: Connection): void {
  const { partial } = connection
  const bytes = partial !== undefined && partial.stage === 'body' ? partial.bytes.length : 0
  if (bytes === connection.heldBytes) return
  connection.plane.ledger.held(bytes - connection.heldBytes)
  connection.heldBytes = bytes
}

/** One step of the chart if what is awaited has changed, none otherwise. */
function notice(connection: Connection): void {
  const { partial, halted } = connection
  if ((halted & halt.over) !== 0) {
    connection.replies?.end()
    step(connection, connection.peerEnded ? connectionEvents.peerEnded : connectionEvents.faultAnswered)
    return
  }
  if (connection.peerEnded && connection.rest === undefined && halted === 0) {
    endInput(connection)
    return
  }
  const event = awaited(halted, partial, connection.inFlight)
  // A new frame is a new wait, with a deadline of its own; so is, while draining, everything that comes.
  const fresh = halted === 0 && partial !== undefined && partial.markAtMs < 0
  const isNewWait = event !== connection.awaiting
  if (!isNewWait && !fresh && connection.mode === 'serving') return
  if (isNewWait || fresh) beginMeasuring(connection, fresh)
  connection.awaiting = event
  step(connection, event)
}

/** A body is measured from when it is awaited: neither while it was not read, nor for what came with its header. */
function beginMeasuring(connection: Connection, fresh: boolean): void {
  const { partial, plane } = connection
  if (partial === undefined) return
  const nowMs = plane.nowMs()
  partial.markAtMs = nowMs
  if (fresh) return
  partial.markBytes = partial.arrivedBytes
  connection.activeAtMs = nowMs
}

/** The peer's FIN, once all that came before it was decoded: a body that was cut off is answered, a header is not. */
function endInput(connection: Connection): void {
  answerPartial(connection)
  connection.flush()
  step(connection, connectionEvents.peerEnded)
}

/** Its last answer has been given, or is with a handler. */
function stopDecoding(connection: Connection): void {
  connection.halted |= halt.over
  connection.partial = undefined
  connection.rest = undefined
  holdBytes(connection)
}

function answerPartial(connection: Connection): void {
  const { partial } = connection
  connection.partial = undefined
  if (partial !== undefined && partial.stage !== 'header') connection.countRefusal('bodiesLate')
  if (owesAnswer(partial)) connection.plane.protocol.fault(connection, 'timeout', partial.bytes, 0)
  holdBytes(connection)
}

/** A fault in the chart costs this connection, not its neighbours. */
function step(connection: Connection, event: ConnectionEvent): void {
  const { chart } = connection
  // A socket may say that it is closed while it is being destroyed, in the last step of its connection.
  if (connection.released || chart === undefined || chart.status !== 'active') return
  const from = valueBefore(connection)
  try {
    connection.plane.chart.step(chart, event)
  } catch (error) {
    fail(connection, error)
  }
  tell(connection, from)
}

/** The state before a step, if somebody wants to hear of steps. */
function valueBefore({ plane, chart }: Connection): unknown {
  return plane.reports.wantsMoves && chart !== undefined ? plane.chart.valueOf(chart) : undefined
}

/** Tells the kernel of a step: where it led, and then, if it was the last, why. */
function tell({ plane, chart, id }: Connection, from?: unknown): void {
  if (from !== undefined && chart !== undefined) {
    const to = plane.chart.valueOf(chart)
    if (!isDeepStrictEqual(from, to)) plane.reports.moved(id, from, to)
  }
  const { ended } = plane
  if (ended === undefined) return
  plane.ended = undefined
  plane.reports.ended(id, ended)
}

function fail(connection: Connection, error: unknown): void {
  connection.plane.log.error({ err: error, connection: connection.id }, 'connection failed')
  release(connection, { type: 'threw', error })
}

function release(connection: Connection, reason: ExitReason): void {
  if (connection.released) return
  connection.released = true
  const { plane, output, replies } = connection
  plane.table.delete(connection.number)
  connection.partial = undefined
  connection.rest = undefined
  connection.output = undefined
  if (output !== undefined) plane.outputs.give(output)
  holdBytes(connection)
  plane.ledger.release(connection.addressBucket)
  connection.socket.destroy()
  if (replies !== undefined) {
    plane.inFlight(replies.patient - replies.inFlight, -replies.inFlightBytes)
    replies.abandon()
  }
  plane.ended = reason
}

/** The chart with its actions: what a shard compiles, once. */
export const connectionChartSource = connectionMachine.provide({
  actions: {
    pauseReading: ({ context: { connection } }) => void connection.socket.pause(),
    /** Not when the same wait begins anew, nor when one that is not read follows. */
    resumeReading({ context: { connection } }) {
      if (connection.halted === 0) connection.socket.resume()
    },
    stopDecoding({ context: { connection } }) {
      stopDecoding(connection)
      connection.replies?.end()
    },
    markRate({ context: { connection } }) {
      const { partial, plane } = connection
      const nowMs = plane.nowMs()
      if (partial === undefined || !isWindowOver(plane.limits, partial, nowMs)) return
      partial.markAtMs = nowMs
      partial.markBytes = partial.arrivedBytes
    },
    countHandshake: ({ context: { connection } }) => connection.countRefusal('handshakesLate'),
    countIdle: ({ context: { connection } }) => connection.countRefusal('connectionsIdle'),
    countHeader: ({ context: { connection } }) => connection.countRefusal('headersLate'),
    countHandlers: ({ context: { connection } }) => connection.countRefusal('handlersLate'),
    countReader: ({ context: { connection } }) => connection.countRefusal('readersLate'),
    overloadRequests({ context: { connection } }) {
      connection.mode = 'overloaded'
      connection.replies?.end()
    },
    watchReader({ context: { connection } }) {
      if (connection.reader === undefined) connection.watchReader()
    },
    markDrained({ context: { connection } }) {
      if (connection.drainedAtMs >= 0) return
      connection.drainedAtMs = connection.plane.nowMs()
      connection.reader = undefined
    },
    answerOverloaded: ({ context: { connection } }) =>
      connection.plane.protocol.fault(connection, 'overloaded', undefined, 0),
    answerTimeout: ({ context: { connection } }) => answerPartial(connection),
    endOutput({ context: { connection } }) {
      const { socket } = connection
      stopDecoding(connection)
      connection.flush()
      connection.watchReader()
      socket.end(() => step(connection, connectionEvents.outputFinished))
      socket.resume()
    },
    resetSocket: ({ context: { connection } }) => reset(connection.socket),
    release: ({ context: { connection } }) => release(connection, connection.plane.endReason),
  },
})
