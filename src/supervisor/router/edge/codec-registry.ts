/** The binary codecs that a thread knows, numbered in the order they were added. */
import type { EventCodec } from '../../../messages/thread/event-codec.ts'

/** Codecs of one thread, shared by its edges. */
export interface CodecRegistry {
  /** Adds a codec; one of the same type that is there already is kept. Edges tell the other threads. */
  add(codec: EventCodec): void
  /** The codec of that event type, if any. */
  get(type: string): EventCodec | undefined
  /** Event types in the order of their numbers, which start at 1. */
  readonly types: readonly string[]
  /** Calls `listener` after each `add`; the function returned ends that. */
  onAdded(listener: () => void): () => void
}
