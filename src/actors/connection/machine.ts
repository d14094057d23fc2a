/**
 * The chart of one connection: what it waits for, for how long, and how it ends. Tens of thousands run it compiled.
 *
 * Parent: the acceptor, in whose table the record lies. Restart: never; a connection that fails is closed.
 * The states say what is awaited; frames that arrive whole and are answered at once never step it.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> opening
 *   opening --> handshaking: TLS
 *   opening --> refusing: over a limit
 *   opening --> wantReadHeader
 *   handshaking --> wantReadHeader: tls.secured
 *   handshaking --> refusing: tls.secured, over a limit
 *   state wantReadHeader {
 *     [*] --> idle
 *     idle --> begun: header.begun
 *   }
 *   wantReadHeader --> wantReadBody: body.begun
 *   wantReadBody --> wantReadHeader: request.awaited, header.begun
 *   wantReadHeader --> processing: handlers.awaited, requests.full
 *   wantReadHeader --> wantWrite: output.blocked
 *   state processing {
 *     [*] --> reading
 *     reading --> full: requests.full
 *     full --> reading: handlers.awaited
 *   }
 *   processing --> wantReadHeader: request.awaited, header.begun
 *   wantWrite --> wantReadHeader: request.awaited
 *   wantReadBody --> finishing: stalled or too slow, answered
 *   wantReadHeader --> finishing: header late
 *   wantReadHeader --> closing: idle
 *   processing --> closed: handlers too slow
 *   wantWrite --> closed: reader too slow
 *   wantReadHeader --> finishing: FIN, last answer given
 *   wantReadHeader --> draining: connection.drain
 *   state draining {
 *     [*] --> answering: handlers at work
 *     [*] --> flushing: output with the socket
 *     [*] --> reading
 *     answering --> flushing: last answer given
 *     answering --> reading: last answer given, and taken
 *     flushing --> reading: output taken
 *   }
 *   draining --> finishing: quiet or read long enough from the last answer on, FIN
 *   finishing --> closing: nothing in flight
 *   refusing --> closing: answered
 *   state closing {
 *     [*] --> flushing
 *     flushing --> lingering: output.finished
 *   }
 *   closing --> closed: FIN, lingered
 *   closed --> [*]
 * ```
 */
import { setup } from 'xstate'
import type { ConnectionEvent } from './events.ts'
import type { Connection } from './record.ts'
import { bodyLeftMs, idleLeftMs, isBodyLate, isReaderLate, writeLeftMs } from './transitions.ts'

/** XState copies what a chart begins with; the record must not be, so the chart holds it by reference. */
export interface ConnectionContext {
  readonly connection: Connection
}

/** Replaced by the I/O; a chart that runs without it (walks, pictures) does nothing. */
function injected(): void {}

const machine = setup({
  types: { context: {} as ConnectionContext, events: {} as ConnectionEvent, input: {} as Connection },
  actions: {
    /** Reads the socket no further; what it has read stays with it. */
    pauseReading: injected,
    resumeReading: injected,
    /** Takes no further request. */
    stopDecoding: injected,
    /** At the end of a rate window: remembers how much of the body has come, for the next one. */
    markRate: injected,
    /** Count what a deadline costs its connection. */
    countHandshake: injected,
    countIdle: injected,
    countHeader: injected,
    countHandlers: injected,
    countReader: injected,
    /** Refuses whole requests from here on. */
    overloadRequests: injected,
    /** Has the peer watched from here on, unless it is. */
    watchReader: injected,
    /** While draining: the peer may have the last answer now. Once. */
    markDrained: injected,
    /** Refuses without knowing a request. */
    answerOverloaded: injected,
    /** Answers the body that did not come in time, if it is owed an answer. */
    answerTimeout: injected,
    /** Sends what was answered, then FIN; throws away what is still read. */
    endOutput: injected,
    /** Ends the socket at once; the peer sees a reset. */
    resetSocket: injected,
    /** Ends the socket and takes the record off the table. */
    release: injected,
  },
  guards: {
    isSecure: ({ context: { connection } }) => connection.plane.secure,
    isRefused: ({ context: { connection } }) => connection.mode === 'refusing',
    isIdle: ({ context: { connection } }) => connection.inFlight === 0 && idleLeft(connection) === 0,
    isBodyLate: ({ context: { connection } }) => {
      const { plane, partial, activeAtMs } = connection
      return partial !== undefined && isBodyLate(plane.limits, partial, activeAtMs, plane.nowMs())
    },
    isReaderLate: ({ context: { connection } }) => {
      const { plane, reader } = connection
      return reader !== undefined && isReaderLate(plane.limits, reader, plane.nowMs())
    },
    /** Read or answered lately, or there is nothing that could be late. */
    isActive: ({ context: { connection } }) =>
      connection.isPatient ||
      connection.plane.nowMs() - connection.activeAtMs < connection.plane.limits.handlerTimeoutMs,
    hasRequestsInFlight: ({ context: { connection } }) => connection.inFlight > 0,
    hasNothingInFlight: ({ context: { connection } }) => connection.inFlight === 0,
    hasOutputWaiting: ({ context: { connection } }) => !isDrained(connection) && connection.waitingOutputBytes > 0,
    hasReadLongEnough: ({ context: { connection } }) =>
      isDrained(connection) && connection.plane.nowMs() - connection.drainedAtMs >= connection.plane.limits.drainReadMs,
    hasPeerEnded: ({ context: { connection } }) => connection.peerEnded,
  },
  delays: {
    idleLeft: ({ context: { connection } }) => idleLeft(connection) || connection.plane.limits.idleTimeoutMs,
    handshakeTimeout: ({ context: { connection } }) => connection.plane.limits.handshakeTimeoutMs,
    refusalWait: ({ context: { connection } }) => connection.plane.limits.refusalWaitMs,
    headerTimeout: ({ context: { connection } }) => connection.plane.limits.headerTimeoutMs,
    bodyLeft: ({ context: { connection } }) => {
      const { plane, partial, activeAtMs } = connection
      const { limits } = plane
      return partial === undefined ? limits.bodyStallTimeoutMs : bodyLeftMs(limits, partial, activeAtMs, plane.nowMs())
    },
    writeLeft: ({ context: { connection } }) => {
      const { plane, reader } = connection
      const { limits } = plane
      return reader === undefined ? limits.writeStallTimeoutMs : writeLeftMs(limits, reader, plane.nowMs())
    },
    handlerTimeout: ({ context: { connection } }) => connection.plane.limits.handlerTimeoutMs,
    linger: ({ context: { connection } }) => connection.plane.limits.lingerMs,
    drainQuiet: ({ context: { connection } }) => connection.plane.limits.drainQuietMs,
  },
})

/** Handlers that answer have their time anew; none of those that follow one another is late. */
const handlersLate = { target: '#connection.closed', actions: ['countHandlers', 'resetSocket'] } as const

const readerLate = {
  guard: 'isReaderLate',
  target: '#connection.closed',
  actions: ['countReader', 'resetSocket'],
} as const

/**
 * The last word of a drain is that there is no room, to nobody's request: what the peer has sent by then, and was not answered,
 * met the end of the connection and was not handled.
 */
const farewell = ['answerTimeout', 'answerOverloaded'] as const

/**
 * A peer that waits for an answer has a reason to be silent, and may send its next request when it has it: neither the quiet
 * time nor that of reading begins before the last answer to what was accepted was given and taken. From then on input begins
 * the quiet time anew, but not for ever.
 */
const drainingInput = [
  { guard: 'hasRequestsInFlight', target: '#connection.draining.answering' },
  { guard: 'hasOutputWaiting', target: '#connection.draining.flushing' },
  { guard: 'hasReadLongEnough', target: '#connection.finishing', actions: farewell },
  { target: '#connection.draining.reading', actions: 'markDrained' },
] as const

/** The chart; its I/O is provided in `io.ts`. */
export const connectionMachine = machine.createMachine({
  id: 'connection',
  context: ({ input }) => ({ connection: input }),
  initial: 'opening',
  on: { 'socket.closed': '.closed' },
  states: {
    opening: {
      always: [
        { guard: 'isSecure', target: 'handshaking' },
        { guard: 'isRefused', target: 'refusing' },
        { target: 'wantReadHeader' },
      ],
    },
    handshaking: {
      on: {
        'tls.secured': [{ guard: 'isRefused', target: 'refusing' }, { target: 'wantReadHeader' }],
        'peer.ended': 'closed',
        'connection.drain': 'closed',
      },
      after: { handshakeTimeout: { target: 'closed', actions: 'countHandshake' } },
    },
    refusing: {
      on: { 'fault.answered': 'closing', 'peer.ended': 'closing', 'connection.drain': 'closing' },
      after: { refusalWait: { target: 'closing', actions: 'answerOverloaded' } },
    },
    wantReadHeader: {
      initial: 'idle',
      on: {
        // From `begun` too: the header of another frame has a deadline of its own.
        'header.begun': '.begun',
        'body.begun': 'wantReadBody',
        'handlers.awaited': 'processing',
        'requests.full': 'processing.full',
        'output.blocked': 'wantWrite',
        'fault.answered': 'finishing',
        'peer.ended': 'finishing',
        'connection.drain': 'draining',
      },
      states: {
        idle: {
          after: {
            idleLeft: [
              { guard: 'isIdle', target: '#connection.closing', actions: 'countIdle' },
              { target: 'idle', reenter: true },
            ],
          },
        },
        begun: {
          on: { 'request.awaited': 'idle' },
          after: { headerTimeout: { target: '#connection.finishing', actions: 'countHeader' } },
        },
      },
    },
    wantReadBody: {
      on: {
        'request.awaited': 'wantReadHeader',
        'header.begun': 'wantReadHeader.begun',
        'body.begun': { target: 'wantReadBody', reenter: true },
        'handlers.awaited': 'processing',
        'requests.full': 'processing.full',
        'output.blocked': 'wantWrite',
        'fault.answered': 'finishing',
        'peer.ended': 'finishing',
        'connection.drain': 'draining',
      },
      after: {
        bodyLeft: [
          { guard: 'isBodyLate', target: 'finishing', actions: 'answerTimeout' },
          { target: 'wantReadBody', reenter: true, actions: 'markRate' },
        ],
      },
    },
    processing: {
      initial: 'reading',
      on: {
        'request.awaited': 'wantReadHeader',
        'header.begun': 'wantReadHeader.begun',
        'body.begun': 'wantReadBody',
        'handlers.awaited': '.reading',
        'requests.full': '.full',
        'output.blocked': 'wantWrite',
        'fault.answered': 'finishing',
        'peer.ended': 'finishing',
        'connection.drain': 'draining',
      },
      states: {
        reading: { after: { handlerTimeout: [{ guard: 'isActive', target: 'reading', reenter: true }, handlersLate] } },
        full: {
          entry: 'pauseReading',
          exit: 'resumeReading',
          on: { 'connection.drain': '#connection.draining.working' },
          after: { handlerTimeout: [{ guard: 'isActive', target: 'full', reenter: true }, handlersLate] },
        },
      },
    },
    wantWrite: {
      entry: 'pauseReading',
      exit: 'resumeReading',
      on: {
        'request.awaited': 'wantReadHeader',
        'header.begun': 'wantReadHeader.begun',
        'body.begun': 'wantReadBody',
        'handlers.awaited': 'processing',
        'requests.full': 'processing.full',
        'fault.answered': 'finishing',
        'peer.ended': 'finishing',
        'connection.drain': 'draining.writing',
      },
      after: { writeLeft: [readerLate, { target: 'wantWrite', reenter: true }] },
    },
    draining: {
      initial: 'judging',
      entry: 'overloadRequests',
      on: {
        'request.awaited': drainingInput,
        'header.begun': drainingInput,
        'body.begun': drainingInput,
        'handlers.awaited': drainingInput,
        'requests.full': '.working',
        'output.blocked': '.writing',
        'fault.answered': 'finishing',
        'peer.ended': 'finishing',
      },
      states: {
        judging: { always: drainingInput },
        answering: {
          after: { handlerTimeout: [{ guard: 'isActive', target: 'answering', reenter: true }, handlersLate] },
        },
        flushing: {
          entry: 'watchReader',
          after: { writeLeft: [readerLate, { target: 'flushing', reenter: true }] },
        },
        reading: { after: { drainQuiet: { target: '#connection.finishing', actions: farewell } } },
        working: {
          entry: 'pauseReading',
          exit: 'resumeReading',
          after: { handlerTimeout: [{ guard: 'isActive', target: 'working', reenter: true }, handlersLate] },
        },
        writing: {
          entry: 'pauseReading',
          exit: 'resumeReading',
          after: { writeLeft: [readerLate, { target: 'writing', reenter: true }] },
        },
      },
    },
    finishing: {
      entry: ['pauseReading', 'stopDecoding'],
      always: { guard: 'hasNothingInFlight', target: 'closing' },
      on: { 'work.finished': { guard: 'hasNothingInFlight', target: 'closing' } },
      after: { handlerTimeout: [{ guard: 'isActive', target: 'finishing', reenter: true }, handlersLate] },
    },
    closing: {
      initial: 'flushing',
      entry: 'endOutput',
      states: {
        flushing: {
          on: {
            'output.finished': [{ guard: 'hasPeerEnded', target: '#connection.closed' }, { target: 'lingering' }],
          },
          after: { writeLeft: [readerLate, { target: 'flushing', reenter: true }] },
        },
        lingering: {
          on: { 'peer.ended': '#connection.closed' },
          after: { linger: '#connection.closed' },
        },
      },
    },
    closed: { type: 'final', entry: 'release' },
  },
})

/** True while draining, once the peer may have the last answer. */
function isDrained({ drainedAtMs }: Connection): boolean {
  return drainedAtMs >= 0
}

function idleLeft(connection: Connection): number {
  const { plane } = connection
  return idleLeftMs(plane.limits, connection.activeAtMs, plane.nowMs())
}
