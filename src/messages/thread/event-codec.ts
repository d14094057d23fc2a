/**
 * A binary form for the events of one type, declared by a definition, for those that cross threads by the million.
 */

import type { AnyEvent } from './envelope.ts'

/** Appends values to the buffer of a batch, big-endian. It grows by itself. */
export interface EventWriter {
  u8(value: number): void
  u16(value: number): void
  u32(value: number): void
  f64(value: number): void
  /** Not among the bytes: a text goes beside them, as it is. */
  text(value: string): void
  /** `lengthBytes u32 | bytes`; the bytes are copied. */
  bytes(value: Uint8Array): void
}

/** Reads what an {@link EventWriter} wrote, in the same order. Reading past the end of the event throws a RangeError. */
export interface EventReader {
  u8(): number
  u16(): number
  u32(): number
  f64(): number
  text(): string
  /** A view, not a copy: valid for as long as it is held, and it holds the whole batch in memory. */
  bytes(): Uint8Array
}

/**
 * How events of one type become bytes and return. `decode(encode(event))` must equal the event, `type` included. Both
 * sides load the same definition, so an encoding has no version. An `encode` that throws refuses the message as
 * NOT_CLONABLE, a `decode` that throws as BAD_FRAME.
 */
export interface EventCodec<TEvent extends AnyEvent = AnyEvent> {
  readonly type: TEvent['type']
  encode(event: TEvent, writer: EventWriter): void
  decode(reader: EventReader): TEvent
}

/**
 * A codec under the name that it has on every thread. Two definitions may have different codecs for events of one type:
 * the type alone does not say how the bytes are to be read.
 */
export interface NamedCodec {
  readonly name: string
  readonly codec: EventCodec
}
