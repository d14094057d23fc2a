/**
 * The shared memory of one direction of an edge: counters, flags, and a state byte for every message under way.
 *
 * ```
 * free ──sender──> posted ──receiver──> started ──> finished ──sender──> free
 *                     │  ^─────────────────┘ putBack
 *                     ├──receiver──> refused ──sender, once told why──> free
 *                     ├──sender, at the close──> revoked
 *                     └──sender, who no longer wants it──> revoked ──receiver──> refused
 * ```
 * The steps out of `posted` are compare-and-exchange, because both sides may want them at the same time: a sender that
 * closes an edge to a thread that is stuck, but not dead, revokes what was not begun, and the thread, should it wake, finds
 * that it may not begin. So a message is never both reported as not handled and handled.
 *
 * Whether a message that was not begun has been read is told by a count: the sender knows the place of each in the order
 * of their reading. (While the receiver lives on, that of the one it is just reading may be taken for either.) Most other
 * stores are plain: all that a thread has written is seen once its port has closed. An `Atomics` call costs twenty plain
 * ones, so the receiver makes one a message.
 *
 * Memory is allocated zeroed and touched by use: slots that were never needed cost address space only.
 */

/** States of a message; `free` is never seen by a receiver. */
export const slotState = { free: 0, posted: 1, started: 2, finished: 3, refused: 4, revoked: 5 } as const

/** Words of the header. Each group has a cache line of its own. All counts are modulo 2^32. */
export const headerWord = {
  /** Receiver, once a batch: messages of each lane read, so credit that returned. */
  readNormal: 0,
  readControl: 1,
  /** Receiver: batches read. */
  readBatches: 2,
  /** Receiver, once a message: those whose handler ended. */
  finished: 16,
  /** Receiver, once a message, before its mailbox is asked: those read, this one among them. */
  received: 17,
  /** Sender: it waits for credit; the receiver clears it and posts a wake. */
  creditWanted: 32,
  /** Sender: it waits for a free slot. */
  slotsWanted: 33,
  /** Sender: it has closed the edge. */
  closed: 34,
} as const

const headerBytes = 192

/** Messages under way per direction that {@link createEdgeMemory} has room for unless told otherwise. */
export const slotsDefault = 65_536

/** The most slots a direction can have: above the bits of a record's head it is still a small integer. */
export const slotsMax = 1 << 20

/** A view of one direction's shared memory. */
export interface EdgeMemory {
  readonly header: Int32Array
  readonly states: Uint8Array
  readonly slots: number
}

/**
 * Allocates one direction's memory. `slots` bounds the messages that are posted and not finished: those in the port, in
 * mailboxes, postponed and in hand; past it senders wait. Give it more than the mailboxes at the far end hold together.
 */
export function createEdgeMemory(slots: number = slotsDefault): SharedArrayBuffer {
  if (!Number.isInteger(slots) || slots < 1 || slots > slotsMax) {
    throw new RangeError(`slots must be an integer in 1..${slotsMax}, not ${slots}`)
  }
  return new SharedArrayBuffer(headerBytes + slots)
}

/** Looks at memory that {@link createEdgeMemory} allocated, on either side. */
export function viewEdgeMemory(buffer: SharedArrayBuffer): EdgeMemory {
  const slots = buffer.byteLength - headerBytes
  return {
    header: new Int32Array(buffer, 0, headerBytes / Int32Array.BYTES_PER_ELEMENT),
    states: new Uint8Array(buffer, headerBytes, slots),
    slots,
  }
}
