/** Turns messages, replies and refusals into the flat array that crosses a port; grammar in `messages/thread/edge.ts`. */
import {
  batchFlags,
  batchFlagsWidth,
  nameFollows,
  recordBits,
  recordBitsWidth,
  replyStatus,
  replyStatuses,
  runHeadBytes,
} from '../../../messages/thread/edge.ts'
import type { Envelope, Refusal, ReplyOutcome } from '../../../messages/thread/envelope.ts'
import type { NamedCodec } from '../../../messages/thread/event-codec.ts'
import { BatchWriter } from './bytes.ts'
import type { CodecRegistry } from './codec-registry.ts'
import { NameWriter } from './names.ts'
import { type Shape, ShapeWriter } from './shapes.ts'

const nothing: ArrayBuffer[] = []

/** Messages from which on a batch is given, from the start, the room that the last one took; at most so many places. */
const manyMessages = 32
const roomMax = 16_384

/** What such a batch is a copy of: an array without holes, which a clone would have to write in another way. */
const room: null[] = []

/** Of a record's bits, those that a field of the record belongs to. */
const optionBits = recordBits.incarnation | recordBits.request | recordBits.deadline

/** What one batch carries. */
export interface BatchContent {
  readonly messages: readonly Envelope[]
  /** Flat pairs of request id and outcome. */
  readonly replies: readonly (number | ReplyOutcome)[]
  /** Flat pairs of slot and reason. */
  readonly refusals: readonly (number | Refusal)[]
}

/** The sending half of a port's stream of batches; its name table and codec numbers live as long as the port. */
export class BatchEncoder {
  readonly #names = new NameWriter()
  readonly #shapes = new ShapeWriter()
  readonly #writer = new BatchWriter()
  readonly #codecs: CodecRegistry
  /** Numbers of the codecs that the other side has, by name. */
  readonly #codecNumbers = new Map<string, number>()
  #codecsSeen = 0
  /** The codec that was looked up last. */
  #lastCodec: NamedCodec | undefined
  #lastNumber = 0
  #codecsTold = 0
  #namesReset = false
  #startsOver = false
  /** Of the record before; undefined when there is none, or none that the other side remembers. */
  #lastTo: string | undefined
  #lastShape: Shape | undefined
  #lastFrom: string | null = null
  /** Places that the last batch of many messages took. */
  #roomLast = 0
  /** The buffers of the last batch that was encoded, to be transferred. */
  transfer: ArrayBuffer[] = []

  constructor(codecs: CodecRegistry) {
    this.#codecs = codecs
  }

  /** True when the other side has not been told of a codec of this one. */
  get hasNews(): boolean {
    return this.#codecsTold < this.#codecs.names.length
  }

  /** Notes the codecs that the other side has, in the order of their numbers; with `anew` these are all. */
  learnCodecs(names: readonly string[], anew: boolean): void {
    if (anew) this.#codecsSeen = 0
    for (const name of names) this.#codecNumbers.set(name, ++this.#codecsSeen)
    this.#lastCodec = undefined
  }

  /** Encodes one batch. Throws what a codec throws; call {@link BatchEncoder.discard} then. */
  encode({ messages, replies, refusals }: BatchContent, firstSequence: number): unknown[] {
    // It begins with what is no number, so that V8 need not change the kind of the array on the way.
    const wire: unknown[] = messages.length < manyMessages ? [null, firstSequence] : this.#roomyWire(firstSequence)
    let flags = (this.#namesReset ? batchFlags.namesReset : 0) | (this.#startsOver ? batchFlags.startsOver : 0)
    let at = 2
    if (this.hasNews) {
      flags |= batchFlags.hasCodecs
      at = encodeList(wire, at, this.#codecs.names.slice(this.#codecsTold), 1)
    }
    if (replies.length > 0) {
      flags |= (replies.length >> 1) << batchFlagsWidth
      at = this.#encodeReplies(wire, at, replies)
    }
    if (refusals.length > 0) {
      flags |= batchFlags.hasRefusals
      at = encodeList(wire, at, refusals, 2)
    }
    if (messages.length > 0) at = this.#encodeMessages(wire, at, messages)
    const buffer = this.#writer.take()
    this.transfer = buffer === undefined ? nothing : [buffer]
    if (buffer !== undefined) {
      this.#writer.texts = []
      flags |= batchFlags.hasBuffer
      wire[at++] = buffer
    }
    // An event that did not fit its shape may have left values behind, and there may be room left.
    if (wire.length !== at) wire.length = at
    if (messages.length >= manyMessages) this.#roomLast = Math.min(at, roomMax)
    wire[0] = flags
    return wire
  }

  #roomyWire(firstSequence: number): unknown[] {
    while (room.length < this.#roomLast) room.push(null)
    const wire: unknown[] = room.slice(0, this.#roomLast)
    wire[0] = null
    wire[1] = firstSequence
    return wire
  }

  /** Call once the batch last encoded has been posted. */
  posted(): void {
    this.#namesReset = false
    this.#startsOver = false
    this.#codecsTold = this.#codecs.names.length
  }

  /** Call when a batch could not be encoded or posted: what it would have taught the other side is forgotten. */
  discard(): void {
    this.#writer.at = 0
    this.#writer.texts = []
    this.#names.reset()
    this.#shapes.reset()
    this.#lastTo = undefined
    this.#lastShape = undefined
    this.#namesReset = true
  }

  /** The next batch is for one who has passed over others: it takes nothing for known. */
  startOver(): void {
    this.discard()
    this.#codecsTold = 0
    this.#startsOver = true
  }

  #encodeReplies(wire: unknown[], start: number, replies: readonly (number | ReplyOutcome)[]): number {
    let at = start
    for (let index = 0; index < replies.length; index += 2) {
      const answer = (replies[index] as number) * replyStatuses
      const outcome = replies[index + 1] as ReplyOutcome
      const end = outcome.status === 'ok' ? this.#shaped(wire, at, answer, outcome.value) : -1
      if (end >= 0) {
        at = end
        continue
      }
      wire[at++] = answer + replyStatus[outcome.status]
      if (outcome.status === 'ok') wire[at++] = outcome.value
      else wire[at++] = outcome.status === 'failed' ? outcome.error : outcome.reason
    }
    return at
  }

  /** Writes a reply whose value has a shape; returns where it ends, -1 when it does not fit one. */
  #shaped(wire: unknown[], start: number, answer: number, value: unknown): number {
    const shape = this.#shapes.findReply(value)
    if (shape === undefined) return -1
    const isNew = shape.number === 0
    wire[start] = answer + replyStatus.shaped
    const end = shape.pack(wire, this.#form(wire, start + 1, shape), value as object)
    if (end >= 0) return end
    this.#shapes.missed(shape)
    if (isNew) this.#shapes.takeBack()
    return -1
  }

  #encodeMessages(wire: unknown[], start: number, messages: readonly Envelope[]): number {
    let at = start
    let index = 0
    while (index < messages.length) {
      const message = messages[index]!
      if (this.#codecOf(message) === 0) {
        at = this.#plain(wire, at, message)
        index++
      } else {
        this.#writer.texts = wire
        this.#writer.textAt = at
        index = this.#run(messages, index)
        at = this.#writer.textAt
      }
    }
    return at
  }

  /** The number of a message's codec; 0 when it has none, or none that the other side knows. */
  #codecOf(message: Envelope): number {
    const { codec } = message
    if (codec === undefined) return 0
    if (codec !== this.#lastCodec) {
      this.#lastCodec = codec
      this.#lastNumber = this.#codecNumbers.get(codec.name) ?? 0
    }
    return this.#lastNumber
  }

  /** Writes a record from `start` on; returns where it ends. */
  #plain(wire: unknown[], start: number, message: Envelope): number {
    const { to, from, event } = message
    const bits = to === this.#lastTo ? bitsOf(message) | recordBits.same : bitsOf(message)
    const head = (message.token << recordBitsWidth) | bits
    const shape = this.#shapes.find(event)
    const isAgain = shape !== undefined && shape === this.#lastShape && from === this.#lastFrom
    const isNew = shape?.number === 0
    let at = start
    wire[at++] = isAgain ? head | recordBits.again : head
    if (to !== this.#lastTo) {
      wire[at++] = this.#name(to)
      this.#lastTo = to
    }
    const after = at
    if (!isAgain) {
      wire[at++] = from === null ? 0 : this.#name(from)
      if (shape === undefined) return this.#whole(wire, at, message, bits)
      at = this.#form(wire, at, shape)
      this.#lastShape = shape
      this.#lastFrom = from
    }
    if ((bits & optionBits) !== 0) at = encodeOptions(wire, at, message, bits)
    const end = shape.pack(wire, at, event)
    if (end >= 0) return end
    this.#shapes.missed(shape)
    if (isNew) this.#shapes.takeBack()
    wire[start] = head
    if (isAgain) wire[after] = from === null ? 0 : this.#name(from)
    return this.#whole(wire, after + 1, message, bits)
  }

  /** Writes a record's form and body for an event that is cloned whole. */
  #whole(wire: unknown[], start: number, message: Envelope, bits: number): number {
    let at = start
    wire[at++] = 0
    if ((bits & optionBits) !== 0) at = encodeOptions(wire, at, message, bits)
    wire[at++] = message.event
    this.#lastShape = undefined
    return at
  }

  #form(wire: unknown[], start: number, shape: Shape): number {
    let at = start
    if (shape.number !== 0) {
      wire[at++] = shape.number
      return at
    }
    this.#shapes.tell(shape)
    wire[at++] = -shape.keys.length
    if (shape.type !== undefined) wire[at++] = shape.type
    for (const key of shape.keys) wire[at++] = key
    return at
  }

  #name(name: string): number | string {
    const number = this.#names.find(name)
    if (number !== 0) return number
    this.#names.add(name)
    return name
  }

  /** Encodes the messages from `first` on for as long as they have a codec; returns the index of the first that has none. */
  #run(messages: readonly Envelope[], first: number): number {
    const { texts } = this.#writer
    const head = this.#writer.textAt++
    texts[head] = 0
    let index = first
    for (; index < messages.length; index++) {
      const message = messages[index]!
      const codec = this.#codecOf(message)
      if (codec === 0) break
      this.#binary(message, codec)
    }
    texts[head] = ((index - first) << recordBitsWidth) | recordBits.run
    return index
  }

  #binary(message: Envelope, codec: number): void {
    const writer = this.#writer
    const bits = bitsOf(message)
    const to = this.#nameInRun(message.to)
    const from = message.from === null ? 0 : this.#nameInRun(message.from)
    const start = writer.skip(runHeadBytes)
    if (bits & recordBits.incarnation) writer.u32(message.toIncarnation)
    if (bits & recordBits.request) writer.f64(message.requestId)
    if (bits & recordBits.deadline) writer.f64(message.deadlineMs ?? 0)
    const body = writer.at
    const text = writer.textAt
    message.codec!.codec.encode(message.event, writer)
    const bodyBytes = writer.at - body
    writer.head(start, { slot: message.token, bits, codec, to, from, bodyBytes, texts: writer.textAt - text })
  }

  #nameInRun(name: string): number {
    const number = this.#names.find(name)
    if (number !== 0) return number
    this.#names.add(name)
    this.#writer.texts[this.#writer.textAt++] = name
    return nameFollows
  }
}

function bitsOf(message: Envelope): number {
  return (
    (message.lane === 'control' ? recordBits.control : 0) |
    (message.toIncarnation === 0 ? 0 : recordBits.incarnation) |
    (message.requestId === 0 ? 0 : recordBits.request) |
    (message.deadlineMs === undefined ? 0 : recordBits.deadline)
  )
}

function encodeOptions(wire: unknown[], start: number, message: Envelope, bits: number): number {
  let at = start
  if (bits & recordBits.incarnation) wire[at++] = message.toIncarnation
  if (bits & recordBits.request) wire[at++] = message.requestId
  if (bits & recordBits.deadline) wire[at++] = message.deadlineMs
  return at
}

/** Writes a list whose entries take `width` places each, behind their count. */
function encodeList(wire: unknown[], start: number, list: readonly unknown[], width: number): number {
  let at = start
  wire[at++] = list.length / width
  for (const value of list) wire[at++] = value
  return at
}
