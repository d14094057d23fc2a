/** Reads the flat array of a batch; grammar in `messages/thread/edge.ts`. */
import {
  batchFlags,
  batchFlagsWidth,
  nameFollows,
  recordBits,
  recordBitsWidth,
  replyStatus,
  replyStatuses,
} from '../../../messages/thread/edge.ts'
import type { AnyEvent, Refusal, ReplyOutcome } from '../../../messages/thread/envelope.ts'
import { BatchReader } from './bytes.ts'
import type { CodecRegistry } from './codec-registry.ts'
import { type KnownNames, NameReader } from './names.ts'
import { type ShapeBuilder, ShapeReader } from './shapes.ts'

/** Who takes what a batch carries, in this order. */
export interface BatchSink {
  /** With `anew` they are numbered from 1 again. */
  codecs(names: readonly string[], anew: boolean): void
  reply(requestId: number, outcome: ReplyOutcome): void
  refused(slot: number, reason: Refusal): void
  /**
   * `to` is a number among the decoder's names. `event` is undefined when its codec could not decode it. False ends the
   * reading of the batch.
   */
  message(
    slot: number,
    bits: number,
    to: number,
    from: string | null,
    event: AnyEvent | undefined,
    toIncarnation: number,
    requestId: number,
    deadlineMs: number | undefined,
  ): boolean
}

/** The receiving half of a port's stream of batches. */
export class BatchDecoder {
  readonly #names = new NameReader()
  readonly #shapes = new ShapeReader()
  readonly #codecs: CodecRegistry
  readonly #sink: BatchSink
  /** How far the batch at hand has been read. */
  #at = 0
  /** Of the record before. */
  #to = 0
  #from: string | null = null
  #shape: ShapeBuilder | undefined

  constructor(codecs: CodecRegistry, sink: BatchSink) {
    this.#codecs = codecs
    this.#sink = sink
  }

  /** The names that messages come with. */
  get names(): KnownNames {
    return this.#names
  }

  /** Reads one batch to its end. */
  decode(wire: readonly unknown[]): void {
    const flags = wire[0] as number
    this.#at = 2
    if (flags & batchFlags.namesReset) {
      this.#names.reset()
      this.#shapes.reset()
    }
    if (flags & batchFlags.hasCodecs) this.#readCodecs(wire, (flags & batchFlags.startsOver) !== 0)
    const replies = flags >>> batchFlagsWidth
    if (replies > 0) this.#readReplies(wire, replies)
    if (flags & batchFlags.hasRefusals) this.#readRefusals(wire)
    if (flags & batchFlags.hasBuffer) {
      const end = wire.length - 1
      this.#readMessages(wire, end, new BatchReader(wire[end] as ArrayBuffer, wire))
    } else if (this.#at < wire.length) this.#readMessages(wire, wire.length, undefined)
  }

  #readCodecs(wire: readonly unknown[], anew: boolean): void {
    const end = this.#at + 1 + (wire[this.#at] as number)
    this.#sink.codecs(wire.slice(this.#at + 1, end) as string[], anew)
    this.#at = end
  }

  #readReplies(wire: readonly unknown[], count: number): void {
    let at = this.#at
    for (let left = count; left > 0; left--) {
      const answer = wire[at++] as number
      const status = answer % replyStatuses
      const requestId = (answer - status) / replyStatuses
      if (status !== replyStatus.shaped) {
        this.#sink.reply(requestId, outcomeOf(status, wire[at++]))
        continue
      }
      const form = wire[at++] as number
      const shape =
        form > 0 ? this.#shapes.at(form) : this.#shapes.add(undefined, wire.slice(at, at - form) as string[])
      if (form < 0) at -= form
      this.#sink.reply(requestId, { status: 'ok', value: shape.build(wire, at) })
      at += shape.size
    }
    this.#at = at
  }

  #readRefusals(wire: readonly unknown[]): void {
    let at = this.#at
    for (let left = wire[at++] as number; left > 0; left--) {
      const slot = wire[at++] as number
      this.#sink.refused(slot, wire[at++] as Refusal)
    }
    this.#at = at
  }

  #readMessages(wire: readonly unknown[], end: number, reader: BatchReader | undefined): void {
    let at = this.#at
    while (at < end) {
      const head = wire[at++] as number
      if (head & recordBits.run) {
        reader!.textAt = at
        if (!this.#readRun(reader!, head >>> recordBitsWidth)) return
        at = reader!.textAt
        continue
      }
      if ((head & recordBits.same) === 0) this.#to = this.#name(wire[at++] as number | string)
      if ((head & recordBits.again) === 0) {
        const name = wire[at++] as number | string
        this.#from = name === 0 ? null : this.#names.texts[this.#name(name)]!
        const form = wire[at++] as number
        if (form >= 0) this.#shape = form === 0 ? undefined : this.#shapes.at(form)
        else {
          this.#shape = this.#addShape(wire, at, -form)
          at += 1 - form
        }
      }
      const shape = this.#shape
      const toIncarnation = head & recordBits.incarnation ? (wire[at++] as number) : 0
      const requestId = head & recordBits.request ? (wire[at++] as number) : 0
      const deadlineMs = head & recordBits.deadline ? (wire[at++] as number) : undefined
      const event = shape === undefined ? (wire[at] as AnyEvent) : (shape.build(wire, at) as AnyEvent)
      at += shape === undefined ? 1 : shape.size
      const slot = head >>> recordBitsWidth
      if (!this.#sink.message(slot, head, this.#to, this.#from, event, toIncarnation, requestId, deadlineMs)) return
    }
  }

  #addShape(wire: readonly unknown[], at: number, keys: number): ShapeBuilder {
    return this.#shapes.add(wire[at] as string, wire.slice(at + 1, at + 1 + keys) as string[])
  }

  #name(name: number | string): number {
    return typeof name === 'number' ? name : this.#names.add(name)
  }

  #readRun(reader: BatchReader, count: number): boolean {
    for (let index = 0; index < count; index++) {
      reader.head()
      const { slot, bits } = reader
      const to = this.#nameInRun(reader.to, reader)
      const from = reader.from === 0 ? null : this.#names.texts[this.#nameInRun(reader.from, reader)]!
      const toIncarnation = bits & recordBits.incarnation ? reader.u32() : 0
      const requestId = bits & recordBits.request ? reader.f64() : 0
      const deadlineMs = bits & recordBits.deadline ? reader.f64() : undefined
      const event = this.#readEvent(reader)
      if (!this.#sink.message(slot, bits, to, from, event, toIncarnation, requestId, deadlineMs)) return false
    }
    return true
  }

  #readEvent(reader: BatchReader): AnyEvent | undefined {
    const end = reader.at + reader.bodyBytes
    const textEnd = reader.textAt + reader.texts
    reader.end = end
    reader.textEnd = textEnd
    try {
      return this.#codecs.at(reader.codec)!.decode(reader)
    } catch {
      return undefined
    } finally {
      reader.at = end
      reader.textAt = textEnd
    }
  }

  #nameInRun(number: number, reader: BatchReader): number {
    return number === nameFollows ? this.#names.add(reader.beside()) : number
  }
}

function outcomeOf(status: number, value: unknown): ReplyOutcome {
  if (status === replyStatus.ok) return { status: 'ok', value }
  return status === replyStatus.failed
    ? { status: 'failed', error: value }
    : { status: 'notClonable', reason: value as string }
}
