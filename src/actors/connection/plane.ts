/**
 * What all connections of one acceptor share, so that each record holds one reference instead of a dozen.
 */
import type { ServerLimits } from '../../messages/limits.ts'
import type { ExitReason } from '../../messages/thread/exit.ts'
import type { ActorLogger } from '../runtime/actor-runtime.ts'
import type { Clock } from '../runtime/clock.ts'
import type { ChartTimers, CompiledChart } from '../runtime/compiled-chart.ts'
import type { HostReports } from '../runtime/hosted-actors.ts'
import type { ConnectionLedger } from '../serving/connections.ts'
import type { FrameProtocol } from '../serving/protocol.ts'
import type { ConnectionEvent } from './events.ts'
import type { ConnectionContext } from './machine.ts'
import { OutputPool } from './output.ts'
import type { Connection } from './record.ts'
import { halt } from './transitions.ts'

/** A connection that has been served for so long, ms, or has been given so much output, goes on when others had their turn. */
const turnMs = 5
const turnBytesMax = 1_048_576
/** Frames between two looks at the clock; a power of two. */
const framesALook = 8

/** The chart as connections run it. */
export type ConnectionChart = CompiledChart<ConnectionContext, ConnectionEvent, Connection>

/** What records call when something happened outside of reading: the I/O. */
export interface ConnectionHooks {
  /** Late answers were given; called once a turn. */
  onSettled(connection: Connection): void
  /** Output was taken that had stood above the high-water mark, or the last of it while draining. */
  onTaken(connection: Connection): void
}

/** What {@link ConnectionPlane} is made of. */
export interface ConnectionPlaneOptions {
  readonly protocol: FrameProtocol
  readonly limits: ServerLimits
  readonly clock: Clock
  readonly log: ActorLogger
  readonly chart: ConnectionChart
  readonly timers: ChartTimers
  readonly ledger: ConnectionLedger
  readonly hooks: ConnectionHooks
  /** Connections begin with a TLS handshake. */
  readonly secure: boolean
}

/** Before the connections are shown to the kernel. */
const unheard: HostReports = { wantsMoves: false, started() {}, moved() {}, ended() {} }

/** The surroundings of the connections of one acceptor, and their table. */
export class ConnectionPlane {
  readonly protocol: FrameProtocol
  readonly limits: ServerLimits
  readonly log: ActorLogger
  readonly chart: ConnectionChart
  readonly timers: ChartTimers
  readonly ledger: ConnectionLedger
  readonly hooks: ConnectionHooks
  readonly secure: boolean
  readonly outputs = new OutputPool()
  /** Every connection that is not closed, by its number, oldest first. */
  readonly table = new Map<number, Connection>()
  /** Why connections end now, other than by their chart. */
  endReason: ExitReason = { type: 'normal' }
  /** Why the connection whose step is being made has just ended; until the kernel is told. */
  ended: ExitReason | undefined
  /** What the kernel is told of connections. */
  reports: HostReports = unheard
  /** Where the last reservation of any connection was made. */
  target: Buffer = Buffer.alloc(0)
  /** Connections that are not read before there is room among the requests in flight. */
  readonly crowded: Connection[] = []
  /** Whether they wait for that room, or are refused. */
  readonly waitsForRoom: boolean
  /** True while its connections have as many requests in flight as they may together. */
  isFull = false
  /** Requests decoded since they were last counted. */
  requests = 0
  readonly #clock: Clock
  readonly #epochMs: number
  readonly #settled: Connection[] = []
  #inFlightRequests = 0
  #inFlightBytes = 0
  #lastNumber = 0
  #turnEndsMs = 0
  #turnBytes = 0
  #turnFrames = 0
  #isTurnPlanned = false

  constructor(options: ConnectionPlaneOptions) {
    this.protocol = options.protocol
    this.waitsForRoom = options.protocol.whenFull === 'wait'
    this.limits = options.limits
    this.log = options.log
    this.chart = options.chart
    this.timers = options.timers
    this.ledger = options.ledger
    this.hooks = options.hooks
    this.secure = options.secure
    this.#clock = options.clock
    this.#epochMs = options.clock.now()
  }

  /** Whole milliseconds since this plane began: small integers, which records hold without a box. */
  nowMs(): number {
    return Math.floor(this.#clock.now() - this.#epochMs)
  }

  /** The number of the next connection; never used twice. */
  nextNumber(): number {
    this.#lastNumber++
    return this.#lastNumber
  }

  /** True while as much output of all connections waits as may: who has some waiting is not served before it has gone. */
  get isOutputFull(): boolean {
    return this.outputs.waitingBytes >= this.limits.shardOutputBytesMax
  }

  /** Adds to the requests of all connections that wait for their handlers. */
  inFlight(requests: number, bytes: number): void {
    this.#inFlightRequests += requests
    this.#inFlightBytes += bytes
    const { shardInFlightRequestsMax, shardInFlightBytesMax } = this.limits
    this.isFull = this.#inFlightRequests >= shardInFlightRequestsMax || this.#inFlightBytes >= shardInFlightBytesMax
    if (!this.isFull && this.crowded.length > 0) this.#makeRoom()
  }

  /** A connection is served from here on, until {@link isTurnOver}. */
  beginTurn(): void {
    this.#turnEndsMs = this.#clock.now() + turnMs
    this.#turnBytes = 0
    this.#turnFrames = 0
  }

  /** Adds to the output of the turn. */
  countOutput(bytes: number): void {
    this.#turnBytes += bytes
  }

  /** Asked after each frame: whether the rest of the input is to wait for the next turn. */
  isTurnOver(): boolean {
    if (this.#turnBytes >= turnBytesMax) return true
    this.#turnFrames = (this.#turnFrames + 1) & (framesALook - 1)
    return this.#turnFrames === 0 && this.#clock.now() >= this.#turnEndsMs
  }

  /** Lets those go on that waited for room. */
  #makeRoom(): void {
    for (const connection of this.crowded.splice(0)) {
      connection.halted &= ~halt.crowded
      if (!connection.released) this.afterTurn(connection)
    }
  }

  /**
   * Has `hooks.onSettled` called with the connection when the loop has turned: late answers of one turn leave in one write. In
   * between the loop reads what others sent, however many there are.
   */
  afterTurn(connection: Connection): void {
    if (connection.settled) return
    connection.settled = true
    this.#settled.push(connection)
    this.#planTurn()
  }

  #planTurn(): void {
    if (this.#isTurnPlanned) return
    this.#isTurnPlanned = true
    setImmediate(() => {
      this.#isTurnPlanned = false
      this.#serveSettled()
    })
  }

  #serveSettled(): void {
    const endsMs = this.#clock.now() + turnMs
    const waiting = this.#settled.splice(0)
    let served = 0
    do {
      this.hooks.onSettled(waiting[served++]!)
    } while (served < waiting.length && this.#clock.now() < endsMs)
    if (served === waiting.length) return
    // They were here before those that have come meanwhile.
    this.#settled.unshift(...waiting.slice(served))
    this.#planTurn()
  }
}
