/**
 * What crosses an edge: the invitation that opens it, and the batches that travel over its port.
 *
 * ```
 * owner    -> thread  edge.open   once to each of the two threads, each with its end of one MessageChannel
 * thread   -> thread  batch       messages, replies, refusals; the first ones also name the codecs of the thread
 * receiver -> sender  wake        only when the sender waits and has said so in the shared memory
receiver -> sender  notice      of a batch that it could not read, or that starts over
 * (port close)                    the end; everything that the other side posted has arrived before it
 * ```
 * Nothing that was read is sent again, or acknowledged by message: how far a message has come is a byte of shared memory.
 *
 * After a batch that it could not read the receiver passes over all others until one starts over: that one knows no names
 * and shapes of before, names all codecs from 1, and is answered by a notice, read or not.
 *
 * A batch is one flat array of small integers and values, because that is the cheapest thing to clone. Measured for 256
 * messages of 90 B on Node 26, serialize + deserialize, per message: array of envelopes 820 ns; parallel arrays, or this
 * flat array, with addresses as numbers and whole events 460; the same as JSON 380; with the keys of the events left out
 * (see `supervisor/router/edge/shapes.ts`) 165. A head in an Int32Array saves a tenth in large batches and doubles the
 * cost of a batch of one, which is what an ask is.
 *
 * ```
 * batch    = opening firstSequence [codecs] reply* [refusals] record* [buffer]        opening = replies * 64 + flags
 * codecs   = count name*                                         numbered on from those named before, from 1
 * reply    = answer value                                        answer = requestId * 4 + status
 *          | answer form value*                                  for the status that says so, as the shape has them
 * refusals = count (slot reason)*
 * record   = head [to] [from form] [toIncarnation] [requestId] [deadlineMs] body      head = slot * 128 + bits
 *          | head (name* text*)*                                 head = messages in the run * 128 + runBit; see below
 * form     = 0, a whole event | number of a shape | -count [type] key*, a shape that takes the next number; events have types
 * body     = event | value*, as the shape has them; there is no value for the key `type`
 * to, from = number of a name | the name, which takes the next number; from is 0 for nobody
 * ```
 * With the again bit a record has the from and the form of the record before it, with the same bit its to, be that in an
 * earlier batch: an actor that asks another one over and over sends two numbers, its deadline and the event. Forgotten
 * with the names.
 *
 * A run of messages with a binary codec lies in `buffer`. Behind the run's head follow, message by message, its names that
 * have no number yet and the texts of its body: the clone copies a short text in a third of the time that it takes to
 * write it as bytes and read it. One message of a run, big-endian:
 * ```
 * slot u32 | bits u8 | codec u16 | to u16 | from u16 | bodyBytes u32 | texts u32 | [toIncarnation u32] | [requestId f64] | [deadlineMs f64] | body
 * ```
 */

/** Bits of a batch's flags. */
export const batchFlags = {
  namesReset: 1,
  hasBuffer: 2,
  hasCodecs: 4,
  hasRefusals: 8,
  startsOver: 16,
} as const

/** A batch's opening holds the number of its replies above this many bits. */
export const batchFlagsWidth = 6

/** Bits of a record's head. */
export const recordBits = { control: 1, incarnation: 2, request: 4, deadline: 8, run: 16, again: 32, same: 64 } as const

/** Records hold their slot (or the length of a run) above this many bits. */
export const recordBitsWidth = 7

/** A reply's answer holds its request above this factor: not bits, as requests are counted beyond what those can hold. */
export const replyStatuses = 4

/** In a run, stands for a name that has no number yet and follows in the batch. */
export const nameFollows = 0xffff

/** Bytes of a run's message before its optional fields. */
export const runHeadBytes = 19

/** Status of a reply on the wire; `shaped` is ok with a value in the form of a shape. */
export const replyStatus = { ok: 0, failed: 1, notClonable: 2, shaped: 3 } as const

/** What the receiver posts when the sender waits for credit. A batch is an array, a notice an object. */
export const wake = 1

/** What the receiver posts about one batch. */
export interface BatchNotice {
  /** Its number among those that came over the port, from 1, modulo 2^32. */
  readonly batch: number
  /** Why it could not be read; undefined when it was. */
  readonly unreadable: string | undefined
  /** Messages that the receiver has read until then. */
  readonly received: number
}

/**
 * Invites a thread to its end of an edge. Both threads get one, with the two memories swapped. The port queues what
 * comes before its receiver listens, so nobody waits for an answer.
 */
export interface EdgeOpen<TPort = unknown> {
  readonly type: 'edge.open'
  /** Number of the edge, unique in the system. */
  readonly edge: number
  /** The thread at the other end: index of the shard, -1 for the main thread. */
  readonly peerShard: number
  /** Counts the starts of that shard, from 1. */
  readonly peerIncarnation: number
  readonly port: TPort
  readonly outbound: SharedArrayBuffer
  readonly inbound: SharedArrayBuffer
  readonly window: number
  readonly outboxMax: number
}
