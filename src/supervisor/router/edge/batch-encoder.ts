/** Turns messages, replies and refusals into the flat array that crosses a port; grammar in `messages/thread/edge.ts`. */
import {
  batchFlags,
  nameFollows,
  recordBits,
  recordBitsWidth,
  replyStatus,
  runHeadBytes,
} from '../../../messages/thread/edge.ts'
import type { Envelope, Refusal, ReplyOutcome } from '../../../messages/thread/envelope.ts'
import type { NamedCodec } from '../../../messages/thread/event-codec.ts'
import { BatchWriter } from './bytes.ts'
import type { CodecRegistry } from './codec-registry.ts'
import { type EventShape, shapeOf } from './event-shape.ts'
import { NameWriter } from './names.ts'

/** The shortest row: below it, records by themselves are as cheap. */
const rowLeast = 3

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
  /** The buffers of the last batch that was encoded, to be transferred. */
  transfer: ArrayBuffer[] = []

  constructor(codecs: CodecRegistry) {
    this.#codecs = codecs
  }

  /** True when the other side has not been told of a codec of this one. */
  get hasNews(): boolean {
    return this.#codecsTold < this.#codecs.names.length
  }

  /** Notes the codecs that the other side has, in the order of their numbers. */
  learnCodecs(names: readonly string[]): void {
    for (const name of names) this.#codecNumbers.set(name, ++this.#codecsSeen)
    this.#lastCodec = undefined
  }

  /** Encodes one batch. Throws what a codec throws; call {@link BatchEncoder.discard} then. */
  encode(content: BatchContent, firstSequence: number): unknown[] {
    const wire: unknown[] = [0, firstSequence]
    let flags = this.#namesReset ? batchFlags.namesReset : 0
    if (this.hasNews) {
      flags |= batchFlags.hasCodecs
      const news = this.#codecs.names.slice(this.#codecsTold)
      wire.push(news.length, ...news)
    }
    encodeReplies(wire, content.replies)
    wire.push(content.refusals.length / 2, ...content.refusals)
    this.#encodeMessages(wire, content.messages)
    const buffer = this.#writer.take()
    this.transfer = buffer === undefined ? [] : [buffer]
    if (buffer !== undefined) {
      flags |= batchFlags.hasBuffer
      wire.push(buffer)
    }
    wire[0] = flags
    return wire
  }

  /** Call once the batch last encoded has been posted. */
  posted(): void {
    this.#namesReset = false
    this.#codecsTold = this.#codecs.names.length
  }

  /** Call when a batch could not be encoded or posted: what it would have taught the other side is forgotten. */
  discard(): void {
    this.#writer.at = 0
    this.#names.reset()
    this.#namesReset = true
  }

  #encodeMessages(wire: unknown[], messages: readonly Envelope[]): void {
    let index = 0
    while (index < messages.length) {
      if (this.#codecOf(messages[index]!) === 0) index = this.#plain(wire, messages, index)
      else index = this.#run(wire, messages, index)
    }
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

  /** Encodes the message at `first`, and those that form a row with it; returns the index of the next. */
  #plain(wire: unknown[], messages: readonly Envelope[], first: number): number {
    const end = this.#rowEnd(messages, first)
    if (end - first < rowLeast) {
      this.#single(wire, messages[first]!)
      return first + 1
    }
    const { token, from, event } = messages[first]!
    const head = wire.push(0, token, from === null ? 0 : this.#name(from)) - 3
    const shape = shapeOf(event)
    const behind =
      shape === undefined ? this.#row(wire, messages, first, end) : this.#shaped(wire, messages, first, end, shape)
    wire[head] = ((behind - first) << recordBitsWidth) | recordBits.row
    return behind
  }

  #row(wire: unknown[], messages: readonly Envelope[], first: number, end: number): number {
    wire.push(0)
    for (let index = first; index < end; index++) {
      const { to, event } = messages[index]!
      wire.push(this.#name(to), event)
    }
    return end
  }

  /** Ends with the first message whose event has not the shape; that of `first` has it. */
  #shaped(wire: unknown[], messages: readonly Envelope[], first: number, end: number, shape: EventShape): number {
    wire.push(this.#name(shape.name))
    for (let index = first; index < end; index++) {
      const { to, event } = messages[index]!
      if (!shape.write(event, wire)) return index
      wire.push(this.#name(to))
    }
    return end
  }

  /** The index behind the last message that can stand in a row with the one at `first`. */
  #rowEnd(messages: readonly Envelope[], first: number): number {
    const { from, token, event } = messages[first]!
    let index = first
    for (; index < messages.length; index++) {
      const message = messages[index]!
      if (message.token !== token + index - first || message.from !== from || message.event.type !== event.type) break
      if (bitsOf(message) !== 0 || this.#codecOf(message) !== 0) break
    }
    return index
  }

  #single(wire: unknown[], message: Envelope): void {
    const bits = bitsOf(message)
    wire.push((message.token << recordBitsWidth) | bits, this.#name(message.to))
    wire.push(message.from === null ? 0 : this.#name(message.from))
    if (bits !== 0) {
      if (bits & recordBits.incarnation) wire.push(message.toIncarnation)
      if (bits & recordBits.request) wire.push(message.requestId)
      if (bits & recordBits.deadline) wire.push(message.deadlineMs)
    }
    wire.push(message.event)
  }

  #name(name: string): number | string {
    const number = this.#names.find(name)
    if (number !== 0) return number
    this.#names.add(name)
    return name
  }

  /** Encodes the messages from `first` on for as long as they have a codec; returns the index of the first that has none. */
  #run(wire: unknown[], messages: readonly Envelope[], first: number): number {
    const head = wire.push(0) - 1
    let index = first
    for (; index < messages.length; index++) {
      const message = messages[index]!
      const codec = this.#codecOf(message)
      if (codec === 0) break
      this.#binary(wire, message, codec)
    }
    wire[head] = ((index - first) << recordBitsWidth) | recordBits.run
    return index
  }

  #binary(wire: unknown[], message: Envelope, codec: number): void {
    const writer = this.#writer
    const bits = bitsOf(message)
    const start = writer.skip(runHeadBytes)
    if (bits & recordBits.incarnation) writer.u32(message.toIncarnation)
    if (bits & recordBits.request) writer.f64(message.requestId)
    if (bits & recordBits.deadline) writer.f64(message.deadlineMs)
    const body = writer.at
    message.codec!.codec.encode(message.event, writer)
    writer.head(
      start,
      message.token,
      bits,
      codec,
      this.#nameInRun(wire, message.to),
      message.from === null ? 0 : this.#nameInRun(wire, message.from),
      writer.at - body,
    )
  }

  #nameInRun(wire: unknown[], name: string): number {
    const number = this.#names.find(name)
    if (number !== 0) return number
    this.#names.add(name)
    wire.push(name)
    return nameFollows
  }
}

function bitsOf(message: Envelope): number {
  return (
    (message.lane === 'control' ? recordBits.control : 0) |
    (message.toIncarnation === 0 ? 0 : recordBits.incarnation) |
    (message.requestId === 0 ? 0 : recordBits.request) |
    (message.deadlineMs === 0 ? 0 : recordBits.deadline)
  )
}

function encodeReplies(wire: unknown[], replies: readonly (number | ReplyOutcome)[]): void {
  wire.push(replies.length / 2)
  for (let index = 0; index < replies.length; index += 2) {
    const outcome = replies[index + 1] as ReplyOutcome
    wire.push(replies[index], replyStatus[outcome.status])
    if (outcome.status === 'ok') wire.push(outcome.value)
    else wire.push(outcome.status === 'failed' ? outcome.error : outcome.reason)
  }
}
