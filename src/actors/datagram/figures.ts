/** What the datagram actors of a server count, each shard in a section of its own. */
import { SharedFigures } from '../serving/shared-figures.ts'

const names = [
  'received',
  'requests',
  'repeated',
  'sent',
  'malformed',
  'overloaded',
  'challenged',
  'unproven',
  'commandsUnknown',
  'bodiesInvalid',
  'requestsWithoutMemory',
  'commandsLate',
  'commandsFailed',
  'silent',
  'failed',
  'dropped',
  'inFlight',
  'inFlightBytes',
] as const

/** The name of a figure. */
export type DatagramFigure = (typeof names)[number]

/** Figures of a server over UDP: those in flight are of now, the others since the server was created. */
export interface DatagramFigures extends Readonly<Record<DatagramFigure, number>> {
  /** Datagrams that came. */
  readonly received: number
  /** Those of them that went to their command. */
  readonly requests: number
  /** Repeats of a request that is in flight: they wait for its answer. */
  readonly repeated: number
  /** Datagrams that were handed to the system to send. */
  readonly sent: number
  /** Short, oversized, cut off, with a header of another server or version. */
  readonly malformed: number
  /** Refused: too much in flight, draining, or no room with their command. */
  readonly overloaded: number
  /** Answers that were held back until their sender proves its address. */
  readonly challenged: number
  /** Cookies that were not their sender's, or too old. */
  readonly unproven: number
  /** Requests for what the server does not do. */
  readonly commandsUnknown: number
  /** Bodies that cannot be opened. */
  readonly bodiesInvalid: number
  /** Requests for which there was no memory. */
  readonly requestsWithoutMemory: number
  /** Requests whose command was not done in time. */
  readonly commandsLate: number
  /** Requests whose command failed. */
  readonly commandsFailed: number
  /** Datagrams that got no answer: it would have been too long, or answers to such are not wanted. */
  readonly silent: number
  /** Datagrams that the system did not send, and errors of the sockets. */
  readonly failed: number
  /** Answers that were thrown away: as many waited for the system as may. */
  readonly dropped: number
  /** Requests that wait for their command. */
  readonly inFlight: number
  readonly inFlightBytes: number
}

const figures = new SharedFigures(names, ['inFlight', 'inFlightBytes'])

/** Offsets in the section of a shard. */
export const figureAt = figures.at

/** Memory for the figures of a server of `slots` shards. */
export function createDatagramFigures(slots: number): SharedArrayBuffer {
  return figures.create(slots)
}

/** The section of shard `slot`: a number for each of {@link figureAt}. What is of now begins anew. */
export function openDatagramFigures(buffer: SharedArrayBuffer, slot: number): Float64Array {
  return figures.open(buffer, slot)
}

/** The figures of all shards together. Can be read on any thread at any time. */
export function readDatagramFigures(buffer: SharedArrayBuffer): DatagramFigures {
  return figures.read(buffer)
}
