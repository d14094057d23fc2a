/**
 * The event protocol with one command more: it answers which incarnation of an acceptor serves the connection, so that
 * what happens to a connection can be laid to the one that was killed.
 */
import { threadId } from 'node:worker_threads'
import { defineProtocol } from '../../../src/actors/serving/protocol.ts'
import type { EventCommand } from '../../../src/protocols/event/event-call.ts'
import { createEventProtocol } from '../../../src/protocols/event/event-protocol.ts'

/** Answers the number of the serving incarnation, u32. */
export const whoServes = 0x5701

const incarnationsMax = 1_023

/** Options of the protocol. */
export interface NamedProtocolOptions {
  /** Of {@link createBoard}. */
  readonly board: SharedArrayBuffer
}

/** Memory in which every incarnation on any thread puts itself down: `count i32 | threadId i32 of each`. */
export function createBoard(): SharedArrayBuffer {
  return new SharedArrayBuffer((1 + incarnationsMax) * 4)
}

/** The incarnations, numbered from 1, that have lived on a thread. */
export function incarnationsOf(board: SharedArrayBuffer, thread: number): readonly number[] {
  const ints = new Int32Array(board)
  const all = Array.from({ length: Atomics.load(ints, 0) }, (_, index) => index + 1)
  return all.filter(incarnation => Atomics.load(ints, incarnation) === thread)
}

/** The protocol, for shards to load. */
export const namedProtocol = defineProtocol<NamedProtocolOptions>(
  import.meta.url,
  'namedProtocol',
  ({ board }, environment) => {
    const ints = new Int32Array(board)
    const incarnation = Atomics.add(ints, 0, 1) + 1
    if (incarnation > incarnationsMax) throw new RangeError('the board is full')
    Atomics.store(ints, incarnation, threadId)
    const body = Buffer.alloc(4)
    body.writeUInt32BE(incarnation)
    const answer: EventCommand = call => call.answer(body)
    return createEventProtocol({}, environment, new Map([[whoServes, answer]]))
  },
)
