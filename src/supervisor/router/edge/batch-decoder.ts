/** Reads the flat array of a batch; grammar in `messages/thread/edge.ts`. */
import { batchFlags, nameFollows, recordBits, recordBitsWidth, replyStatus } from '../../../messages/thread/edge.ts'
import type { Refusal, ReplyOutcome } from '../../../messages/thread/envelope.ts'
import { BatchReader } from './bytes.ts'
import type { CodecRegistry } from './codec-registry.ts'
import { type EventShape, shapeNamed } from './event-shape.ts'
import { NameReader } from './names.ts'

/** Who takes what a batch carries, in this order. */
export interface BatchSink {
  codecs(names: readonly string[]): void
  reply(requestId: number, outcome: ReplyOutcome): void
  refused(slot: number, reason: Refusal): void
  /** `event` is undefined when its codec could not decode it. False ends the reading of the batch. */
  message(
    slot: number,
    bits: number,
    to: string,
    from: string | null,
    event: { readonly type: string } | undefined,
    toIncarnation: number,
    requestId: number,
    deadlineMs: number,
  ): boolean
}

/** The receiving half of a port's stream of batches. */
export class BatchDecoder {
  readonly #names = new NameReader()
  readonly #codecs: CodecRegistry
  readonly #sink: BatchSink
  /** The batch at hand and how far it has been read. */
  #wire: readonly unknown[] = []
  #at = 0

  constructor(codecs: CodecRegistry, sink: BatchSink) {
    this.#codecs = codecs
    this.#sink = sink
  }

  /** Reads one batch to its end. */
  decode(wire: readonly unknown[]): void {
    const flags = wire[0] as number
    this.#wire = wire
    this.#at = 2
    if (flags & batchFlags.namesReset) this.#names.reset()
    if (flags & batchFlags.hasCodecs) this.#readCodecs()
    this.#readReplies()
    this.#readRefusals()
    this.#readMessages((flags & batchFlags.hasBuffer) !== 0)
    this.#wire = []
  }

  #readCodecs(): void {
    const end = this.#at + 1 + (this.#wire[this.#at] as number)
    this.#sink.codecs(this.#wire.slice(this.#at + 1, end) as string[])
    this.#at = end
  }

  #readReplies(): void {
    const count = this.#wire[this.#at++] as number
    for (let index = 0; index < count; index++) {
      const requestId = this.#wire[this.#at++] as number
      const status = this.#wire[this.#at++] as number
      this.#sink.reply(requestId, outcomeOf(status, this.#wire[this.#at++]))
    }
  }

  #readRefusals(): void {
    const count = this.#wire[this.#at++] as number
    for (let index = 0; index < count; index++) {
      const slot = this.#wire[this.#at++] as number
      this.#sink.refused(slot, this.#wire[this.#at++] as Refusal)
    }
  }

  #readMessages(hasBuffer: boolean): void {
    const wire = this.#wire
    const end = hasBuffer ? wire.length - 1 : wire.length
    const reader = hasBuffer ? new BatchReader(wire[end] as ArrayBuffer) : undefined
    while (this.#at < end) {
      const head = wire[this.#at++] as number
      if (!this.#readRecord(head, reader)) return
    }
  }

  #readRecord(head: number, reader: BatchReader | undefined): boolean {
    if (head & recordBits.row) return this.#readRow(head >>> recordBitsWidth)
    if (head & recordBits.run) return this.#readRun(reader!, head >>> recordBitsWidth)
    return this.#readSingle(head)
  }

  #readRow(count: number): boolean {
    const wire = this.#wire
    const firstSlot = wire[this.#at++] as number
    const from = wire[this.#at++] as number | string
    const fromName = from === 0 ? null : this.#name(from)
    const shape = wire[this.#at++] as number | string
    if (shape !== 0) return this.#readShaped(count, firstSlot, fromName, shapeNamed(this.#name(shape)))
    for (let index = 0; index < count; index++) {
      const to = this.#name(wire[this.#at++] as number | string)
      const event = wire[this.#at++] as { readonly type: string }
      if (!this.#sink.message(firstSlot + index, 0, to, fromName, event, 0, 0, 0)) return false
    }
    return true
  }

  #readShaped(count: number, firstSlot: number, from: string | null, shape: EventShape): boolean {
    const wire = this.#wire
    for (let index = 0; index < count; index++) {
      const event = shape.read(wire, this.#at)
      this.#at += shape.values
      const to = this.#name(wire[this.#at++] as number | string)
      if (!this.#sink.message(firstSlot + index, 0, to, from, event, 0, 0, 0)) return false
    }
    return true
  }

  #readSingle(head: number): boolean {
    const wire = this.#wire
    const to = this.#name(wire[this.#at++] as number | string)
    const from = wire[this.#at++] as number | string
    const fromName = from === 0 ? null : this.#name(from)
    const toIncarnation = head & recordBits.incarnation ? (wire[this.#at++] as number) : 0
    const requestId = head & recordBits.request ? (wire[this.#at++] as number) : 0
    const deadlineMs = head & recordBits.deadline ? (wire[this.#at++] as number) : 0
    const event = wire[this.#at++] as { readonly type: string }
    return this.#sink.message(head >>> recordBitsWidth, head, to, fromName, event, toIncarnation, requestId, deadlineMs)
  }

  #name(name: number | string): string {
    return typeof name === 'number' ? this.#names.at(name) : this.#names.add(name)
  }

  #readRun(reader: BatchReader, count: number): boolean {
    for (let index = 0; index < count; index++) {
      reader.end = reader.byteLength
      const slot = reader.u32()
      const bits = reader.u8()
      const codec = reader.u16()
      const to = this.#nameInRun(reader.u16())
      const fromNumber = reader.u16()
      const from = fromNumber === 0 ? null : this.#nameInRun(fromNumber)
      const bodyBytes = reader.u32()
      const toIncarnation = bits & recordBits.incarnation ? reader.u32() : 0
      const requestId = bits & recordBits.request ? reader.f64() : 0
      const deadlineMs = bits & recordBits.deadline ? reader.f64() : 0
      const event = this.#readEvent(reader, codec, bodyBytes)
      if (!this.#sink.message(slot, bits, to, from, event, toIncarnation, requestId, deadlineMs)) return false
    }
    return true
  }

  #readEvent(reader: BatchReader, codec: number, bodyBytes: number): { readonly type: string } | undefined {
    const end = reader.at + bodyBytes
    reader.end = end
    try {
      return this.#codecs.at(codec)!.decode(reader)
    } catch {
      return undefined
    } finally {
      reader.at = end
    }
  }

  #nameInRun(number: number): string {
    return number === nameFollows ? this.#names.add(this.#wire[this.#at++] as string) : this.#names.at(number)
  }
}

function outcomeOf(status: number, value: unknown): ReplyOutcome {
  if (status === replyStatus.ok) return { status: 'ok', value }
  return status === replyStatus.failed
    ? { status: 'failed', error: value }
    : { status: 'notClonable', reason: value as string }
}
